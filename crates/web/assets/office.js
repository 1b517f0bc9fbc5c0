// Keys for those who work all day on these pages. Everything they do can be done without them, and nothing is decided by
// a key alone: `a` moves to the button, `Enter` presses it.
"use strict";
(() => {
    const rows = () => [...document.querySelectorAll("[data-row] a")];
    const move = (step) => {
        const links = rows();
        if (links.length === 0) return false;
        const row = document.activeElement?.closest?.("[data-row]");
        const at = links.findIndex((link) => link.closest("[data-row]") === row);
        const next = at < 0 ? (step > 0 ? 0 : links.length - 1) : Math.min(Math.max(at + step, 0), links.length - 1);
        links[next].focus();
        return true;
    };
    const focus = (element) => {
        if (!element) return false;
        element.focus();
        element.scrollIntoView({ block: "nearest" });
        return true;
    };
    const open = (key) => {
        const act = document.querySelector(`details[data-key="${key}"]`);
        if (!act) return false;
        act.open = true;
        return focus(act.querySelector("textarea"));
    };
    const keys = {
        j: () => move(1),
        k: () => move(-1),
        a: () => focus(document.querySelector('button[data-key="a"]')),
        r: () => open("r"),
        c: () => open("c"),
        "/": () => focus(document.querySelector("[data-search]")),
        "?": () => {
            const help = document.getElementById("keys");
            if (!help) return false;
            help.open = !help.open;
            return focus(help.querySelector("summary"));
        },
    };
    document.addEventListener("keydown", (event) => {
        if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
        const typing = event.target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable]");
        if (typing) {
            if (event.key === "Escape") event.target.blur();
            return;
        }
        const act = Object.hasOwn(keys, event.key) ? keys[event.key] : undefined;
        if (act && act()) event.preventDefault();
    });
    // A second press of a button must not send the form twice.
    document.addEventListener("submit", (event) => {
        const form = event.target;
        if (event.submitter?.hasAttribute("formtarget")) return;
        if (form.dataset.sent) event.preventDefault();
        form.dataset.sent = "yes";
    });
    window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent));
})();
