/** Keeps the whole page for offline use. `files.json` names its files; VERSION changes with any of them. */
const VERSION = "unversioned";
const CACHE = `maquette-${VERSION}`;

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const { files } = await (await fetch("files.json", { cache: "no-cache" })).json();
    const cache = await caches.open(CACHE);
    await cache.addAll(["./", "files.json", ...files].map((name) => new Request(name, { cache: "no-cache" })));
    await self.skipWaiting();
  })());
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name.startsWith("maquette-") && name !== CACHE) await caches.delete(name);
    await self.clients.claim();
  })());
});

self.addEventListener("fetch", (event) => {
  if (event.request.method !== "GET" || new URL(event.request.url).origin !== location.origin) return;
  event.respondWith((async () => {
    const kept = await caches.open(CACHE).then((cache) => cache.match(event.request, { ignoreSearch: true }));
    return kept ?? fetch(event.request);
  })());
});
