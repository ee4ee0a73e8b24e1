const HOURLY = 3_600_000; // ms

// Update keeps the app's shell on the phone, and says when there is a newer
// one. The page goes on with what it has until the courier reloads: nothing
// changes under a thumb.
export class Update {
  ready = $state(false);
  private waiting?: ServiceWorker;
  private taking = false;

  async watch(): Promise<void> {
    const workers = navigator.serviceWorker;
    if (!workers || !isSecureContext || !import.meta.env.PROD) return;
    workers.addEventListener('controllerchange', () => {
      if (this.taking) location.reload();
    });
    try {
      const registration = await workers.register('/courier-sw.js', { scope: '/courier', updateViaCache: 'none' });
      this.heed(registration);
      registration.addEventListener('updatefound', () => this.heed(registration));
      const look = () => document.visibilityState === 'visible' && void registration.update().catch(() => {});
      document.addEventListener('visibilitychange', look);
      setInterval(look, HOURLY);
    } catch {
      // The page works without its shell kept; it does not open offline.
    }
  }

  reload(): void {
    this.taking = true;
    if (this.waiting) this.waiting.postMessage('take over');
    else location.reload();
  }

  later(): void {
    this.ready = false;
  }

  private heed({ waiting, installing }: ServiceWorkerRegistration): void {
    const worker = waiting ?? installing;
    if (!worker || !navigator.serviceWorker.controller) return; // the first one is no update
    const installed = () => {
      if (worker.state !== 'installed') return;
      this.waiting = worker;
      this.ready = true;
    };
    installed();
    worker.addEventListener('statechange', installed);
  }
}
