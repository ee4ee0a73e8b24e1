import type { Page } from '@playwright/test';
import { expect, test } from '../kit/test';

const BUDGET = 30_000; // bytes of script, as they travel
const SLOW_PHONE = { cpu: 4, latency: 150, download: (1_638_400 / 8), upload: 750_000 / 8 };

// textAt is when the headline had been painted, in milliseconds from the start.
async function textAt(page: Page): Promise<number> {
  return page.evaluate(() => (window as unknown as { textAt: Promise<number> }).textAt);
}

function watch(): void {
  const first = new Promise<number>((done) => {
    const look = () => {
      if (!document.querySelector('[aria-live] h1')) return;
      observer.disconnect();
      requestAnimationFrame(() => setTimeout(() => done(performance.now())));
    };
    const observer = new MutationObserver(look);
    observer.observe(document, { childList: true, subtree: true });
  });
  Object.assign(window, { textAt: first });
}

test('the text is there with 30 KB of script', async ({ page, order, link }) => {
  const scripts: Promise<number>[] = [];
  page.on('requestfinished', (request) => {
    if (request.resourceType() === 'script') scripts.push(request.sizes().then(({ responseBodySize }) => responseBodySize));
  });
  await page.goto(await link(await order()));
  await expect(page.getByText('Finding a courier')).toBeVisible();
  const bytes = (await Promise.all(scripts)).reduce((sum, size) => sum + size, 0);
  console.log(`customer page: ${bytes} bytes of script before the text`);
  expect(bytes).toBeGreaterThan(5_000);
  expect(bytes).toBeLessThanOrEqual(BUDGET);
});

test('the first useful text is there soon on a slow phone', async ({ order, link, other }) => {
  const path = await link(await order());
  const times: number[] = [];
  // The best of three: the machine has other things to do, a phone has not.
  for (let round = 0; round < 3; round++) {
    const { page } = await other('phone');
    await page.addInitScript(watch);
    const session = await page.context().newCDPSession(page);
    await session.send('Network.enable');
    await session.send('Network.emulateNetworkConditions', {
      offline: false,
      latency: SLOW_PHONE.latency,
      downloadThroughput: SLOW_PHONE.download,
      uploadThroughput: SLOW_PHONE.upload,
    });
    await session.send('Emulation.setCPUThrottlingRate', { rate: SLOW_PHONE.cpu });
    await page.goto(path);
    times.push(Math.round(await textAt(page)));
    await page.close();
  }
  console.log(`customer page: first useful text after ${times.join(', ')} ms (CPU 4 times slower, 150 ms, 1.6 Mbit/s)`);
  // A second is the aim, on a machine that does nothing else; tests share theirs.
  expect(Math.min(...times)).toBeLessThan(2_000);
});
