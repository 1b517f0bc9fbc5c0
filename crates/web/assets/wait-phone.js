// Looks again whether the phone has confirmed, so that nobody has to press a link. The page says after how many seconds it may.
"use strict";
(() => {
    const wait = document.querySelector("[data-wait]");
    if (!wait) return;
    const pause = Math.max(Number(wait.dataset.wait) || 5, 5) * 1000;
    const look = async () => {
        try {
            const answer = await fetch("/sign-in/phone/wait", { headers: { accept: "text/html" } });
            if (answer.redirected) {
                location.assign(answer.url);
                return;
            }
        } catch {
            // no connection just now: the next look may have one
        }
        setTimeout(look, pause);
    };
    setTimeout(look, pause);
})();
