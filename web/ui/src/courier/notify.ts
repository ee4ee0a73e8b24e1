// Notifications tell the courier of what happens while the page is hidden
// behind another app, such as the phone's navigation. They are asked for by a
// press on the page that checks the phone, never before.

export type Allowed = NotificationPermission | 'none'; // none: the browser has no notifications

export function allowed(): Allowed {
  return 'Notification' in globalThis && 'serviceWorker' in navigator ? Notification.permission : 'none';
}

export async function ask(): Promise<Allowed> {
  return allowed() === 'default' ? Notification.requestPermission() : allowed();
}

// What lib.dom does not know of, though phones do.
interface Options extends NotificationOptions {
  renotify?: boolean;
  vibrate?: number[];
}

// notify shows a notification if nobody can see the page. Another one with its
// tag takes its place.
export async function notify(tag: string, title: string, body: string): Promise<void> {
  if (document.visibilityState !== 'hidden' || allowed() !== 'granted') return;
  const options: Options = { tag, body, renotify: true, icon: '/icon-192.png', badge: '/icon-192.png', vibrate: [220, 90, 220, 90, 420], data: '/courier' };
  try {
    const worker = await navigator.serviceWorker.ready;
    await worker.showNotification(title, options);
  } catch {
    // Taken back meanwhile: the page shows it all the same.
  }
}

// forget takes notifications away: those of a tag, or all of them.
export async function forget(tag?: string): Promise<void> {
  if (allowed() !== 'granted') return;
  const worker = await navigator.serviceWorker.getRegistration('/courier');
  for (const one of (await worker?.getNotifications(tag ? { tag } : {})) ?? []) one.close();
}

// forgetOnReturn takes them all away whenever the page is seen again.
export function forgetOnReturn(): () => void {
  const change = () => document.visibilityState === 'visible' && void forget();
  document.addEventListener('visibilitychange', change);
  return () => document.removeEventListener('visibilitychange', change);
}
