// Keeps the page for when there is no network. The two lines above, which the build writes, name its files.
const cacheName = `nbr ${version}`;

self.addEventListener("install", (e) => {
  e.waitUntil(caches.open(cacheName).then((c) => c.addAll(files)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (e) => {
  e.waitUntil((async () => {
    for (const name of await caches.keys()) {
      if (name.startsWith("nbr ") && name !== cacheName) await caches.delete(name);
    }
    await self.clients.claim();
  })());
});

// What is kept is all of one build, so it is taken first: half of another one would not fit.
self.addEventListener("fetch", (e) => {
  e.respondWith((async () => {
    const c = await caches.open(cacheName);
    return (await c.match(e.request, { ignoreSearch: true })) || fetch(e.request);
  })());
});
