import type { Page } from '@playwright/test';
import { expect, test } from '../kit/test';
import { slowPhone, textAt, watchText } from '../kit/slow';

// `make bench-text`: when the customer's page says something, on a slow phone.
const ROUNDS = Number(process.env['ROUNDS'] ?? 7);

test('the first useful text on a slow phone', async ({ order, link, courierPhone, other }) => {
  const soup = await order();
  const path = await link(soup);
  await (await courierPhone()).accept(soup); // there is an arrival to tell
  const texts: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const { page } = await other('phone');
    await page.addInitScript(watchText);
    await slowPhone(page);
    await page.goto(path);
    const at = await textAt(page);
    texts.push(at);
    console.log(`text after ${at.toFixed(0)} ms; ${await way(page)}`);
    await page.close();
  }
  texts.sort((a, b) => a - b);
  console.log(`customer page, CPU 4 times slower, 150 ms, 1.6 Mbit/s: first useful text after ${texts[0]!.toFixed(0)} ms at best, ${texts[ROUNDS >> 1]!.toFixed(0)} ms in the middle of ${ROUNDS}`);
  expect(texts).toHaveLength(ROUNDS);
});

// way is what the text waited for: each request, when it began and ended.
async function way(page: Page): Promise<string> {
  return page.evaluate(() => {
    const all = performance.getEntries().filter((entry) => entry instanceof PerformanceResourceTiming) as PerformanceResourceTiming[];
    const name = (url: string) => new URL(url).pathname.replace(/^\/assets\//, '').replace(/-[\w-]{8}\./, '.');
    return all.map((entry) => `${name(entry.name)} ${entry.startTime.toFixed(0)}–${entry.responseEnd.toFixed(0)} (${entry.transferSize} B)`).join(', ');
  });
}
