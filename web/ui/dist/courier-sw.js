// Keeps the courier page so that it opens without a network, each version
// whole: the page, its scripts and styles are fetched together and answer
// together until the courier reloads into the next version.
const VERSION = 'a2534abd112c'; // these two are filled in by the build
const SHELL = ['/courier', '/assets/courier-BaF3Nwed.js', '/assets/courier-p1Yi4H1J.css', '/courier.webmanifest', '/icon.svg', '/icon-192.png', '/icon-512.png', '/icon-maskable-192.png', '/icon-maskable-512.png'];
const CACHE = `courier-${VERSION}`;
const PAGE = '/courier';

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(SHELL.map((path) => new Request(path, { cache: 'no-cache' })))));
});

self.addEventListener('activate', (event) => {
  event.waitUntil(dropOthers().then(() => self.clients.claim()));
});

self.addEventListener('message', (event) => {
  if (event.data === 'take over') void self.skipWaiting();
});

self.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== 'GET' || url.origin !== location.origin) return;
  if (event.request.mode === 'navigate') event.respondWith(page(event));
  else if (url.pathname.startsWith('/assets/') || SHELL.includes(url.pathname)) event.respondWith(kept(event.request));
});

// A notification leads back to the page that it is about.
self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(show());
});

async function show() {
  const open = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const mine = open.find((client) => new URL(client.url).pathname === PAGE);
  return mine ? mine.focus() : self.clients.openWindow(PAGE);
}

async function dropOthers() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith('courier-') && name !== CACHE).map((name) => caches.delete(name)));
}

async function page(event) {
  const cache = await caches.open(CACHE);
  const mine = await cache.match(PAGE);
  if (!mine) return fetch(event.request);
  event.waitUntil(renew(cache, mine.clone()));
  return mine;
}

// renew takes the page's headers anew where the page is the same: settings of
// the server, such as whose tiles may be loaded, are in them.
async function renew(cache, mine) {
  try {
    const response = await fetch(PAGE, { cache: 'no-cache' });
    if (!response.ok) return;
    const [now, then] = await Promise.all([response.clone().text(), mine.text()]);
    if (now === then) await cache.put(PAGE, response);
  } catch {
    // No network: what is kept does.
  }
}

async function kept(request) {
  const cache = await caches.open(CACHE);
  const mine = await cache.match(request, { ignoreSearch: true });
  if (mine) return mine;
  const response = await fetch(request);
  if (response.ok) await cache.put(request, response.clone());
  return response;
}
