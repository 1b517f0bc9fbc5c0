// Shows what the city tells, and opens the page that it is about. It keeps nothing and answers no request.
self.addEventListener("push", (event) => {
  let told;
  try {
    told = event.data.json();
  } catch {
    return;
  }
  event.waitUntil(self.registration.showNotification(String(told.text), { data: String(told.link), tag: String(told.link) }));
});
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  let to = self.location.origin;
  try {
    // only pages of this portal are opened
    const link = new URL(event.notification.data);
    if (link.origin === self.location.origin) to = link.href;
  } catch {
    // the first page of the portal will do
  }
  event.waitUntil(self.clients.openWindow(to));
});
