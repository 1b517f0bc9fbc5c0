// Offers notifications of the browser where it has them. Without this script the page is whole and does not offer them.
(() => {
  const offer = document.getElementById("push-offer");
  if (!offer || !("serviceWorker" in navigator) || !("PushManager" in window) || !("Notification" in window)) return;
  const form = offer.querySelector("form");
  const input = document.getElementById("push");
  const failed = document.getElementById("push-failed");
  document.getElementById("push-without").hidden = true;
  offer.hidden = false;
  form.addEventListener("submit", async (event) => {
    if (input.value) return;
    event.preventDefault();
    failed.hidden = true;
    try {
      if ((await Notification.requestPermission()) !== "granted") throw new Error("not allowed");
      await navigator.serviceWorker.register("/push-worker.js");
      const registration = await navigator.serviceWorker.ready;
      const subscription = await registration.pushManager.subscribe({
        userVisibleOnly: true,
        applicationServerKey: offer.dataset.key,
      });
      input.value = JSON.stringify(subscription);
      form.submit();
    } catch {
      failed.hidden = false;
    }
  });
})();
