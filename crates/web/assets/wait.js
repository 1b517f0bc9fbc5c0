// Looks every few seconds whether something has come, and loads the page again when it has. Without this script the page's own link
// does the same.
"use strict";
(() => {
    const waiting = document.querySelector("[data-wait]");
    if (!waiting) return;
    const { wait: address, now } = waiting.dataset;
    const look = async () => {
        try {
            const answer = await fetch(address, { headers: { accept: "text/plain" } });
            if (answer.ok && (await answer.text()).trim() !== now) {
                location.reload();
                return;
            }
        } catch {
            // the network is away for a moment; the next look tells
        }
        setTimeout(look, 3000);
    };
    setTimeout(look, 3000);
})();
