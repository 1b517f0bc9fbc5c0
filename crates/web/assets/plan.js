// Keeps the page of a plan up to date while colleagues write: how far each part is, and who saved what. Without this script the page
// says the same when it is loaded again.
"use strict";
(() => {
    const said = document.querySelector("[data-progress]");
    if (!said) return;
    const address = said.dataset.progress;
    let since = Number(said.dataset.since);
    // Looking counts as using the session, which has to end for who has left the page open.
    const rest = 10 * 60 * 1000;
    let used = Date.now();
    for (const name of ["pointermove", "keydown", "scroll", "focus"]) {
        window.addEventListener(name, () => (used = Date.now()), { passive: true });
    }
    const show = (fresh) => {
        for (const old of document.querySelectorAll("[data-live]")) {
            const now = fresh.querySelector(`[data-live="${CSS.escape(old.dataset.live)}"]`);
            if (now && now.innerHTML !== old.innerHTML) old.replaceChildren(...now.childNodes);
        }
        const saves = [...fresh.querySelectorAll("[data-saved]")].filter((one) => Number(one.dataset.saved) > since);
        if (saves.length === 0) return;
        since = Math.max(...saves.map((one) => Number(one.dataset.saved)));
        said.textContent = saves.map((one) => one.textContent).join(" ");
    };
    const look = async () => {
        if (document.hidden || Date.now() - used > rest) return;
        try {
            const answer = await fetch(address, { headers: { accept: "text/html" } });
            if (answer.redirected || [401, 403, 404].includes(answer.status)) {
                // signed out meanwhile
                clearInterval(timer);
                document.removeEventListener("visibilitychange", look);
                return;
            }
            if (answer.ok) show(new DOMParser().parseFromString(await answer.text(), "text/html"));
        } catch {
            // the network is away for a moment; the next look tells
        }
    };
    const timer = setInterval(look, 15000);
    document.addEventListener("visibilitychange", look);
})();
