import type { Page } from '@playwright/test';

// A cheap phone on a slow network.
const PHONE = { cpu: 4, latency: 150, download: 1_638_400 / 8, upload: 750_000 / 8 };

export async function slowPhone(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  await session.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: PHONE.latency,
    downloadThroughput: PHONE.download,
    uploadThroughput: PHONE.upload,
  });
  await session.send('Emulation.setCPUThrottlingRate', { rate: PHONE.cpu });
}

// watchText is run in the page before all else; textAt is when the headline
// had been painted, in milliseconds from the start.
export function watchText(): void {
  const first = new Promise<number>((done) => {
    const look = () => {
      if (!document.querySelector('.status h1:not(.sr-only)')) return;
      observer.disconnect();
      requestAnimationFrame(() => setTimeout(() => done(performance.now())));
    };
    const observer = new MutationObserver(look);
    observer.observe(document, { childList: true, subtree: true });
  });
  Object.assign(window, { textAt: first });
}

export function textAt(page: Page): Promise<number> {
  return page.evaluate(() => (window as unknown as { textAt: Promise<number> }).textAt);
}
