import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import type { Page } from '@playwright/test';
import { chromium } from '../kit/browser';
import { expect, test } from '../kit/test';
import { measure, type Figures } from './trace';

// `make bench-map`: the dispatcher's page with thousands of couriers who move,
// fed over the real socket by a simulated city. What is measured:
//
//   frames   animation frames a second, with the graphics drawn by software
//            here: on a machine with a graphics card they cost it nothing
//   main     processor time of the page's main thread a frame; 60 frames a
//            second leave it 16.7 ms
const COURIERS = Number(process.env['COURIERS'] ?? 5_000);
const SECONDS = Number(process.env['SECONDS'] ?? 15);
const MINUTES = Number(process.env['MINUTES'] ?? 0); // of traffic before memory is looked at again
const RATE = Number(process.env['RATE'] ?? 1);

// The whole way to the screen is drawn by SwiftShader, as a graphics card would.
const { args = [], ...browser } = chromium('--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader');
test.use({
  launchOptions: { ...browser, args: args.filter((arg) => arg !== '--disable-gpu') },
  flags: ['--mode', 'assign', '--clock-rate', String(RATE), '--center', '52.0,4.3'],
});
test.setTimeout(60 * 60_000);

const binary = resolve(import.meta.dirname, '../../../../bin/dispatch');

test('thousands of couriers on the dispatcher’s map', async ({ page, server, people }) => {
  const [admin, robin] = [await people.staff(), await people.staff('dispatcher')];
  const city = spawn(binary, ['simulate', '--server', server.url, '--token', admin.token, '--couriers', String(COURIERS), '--orders-per-hour', String(COURIERS / 5), '--duration', '3h'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  let zoom = 0; // as the page tells the server
  page.on('websocket', (socket) =>
    socket.on('framesent', ({ payload }) => {
      const frame = JSON.parse(String(payload)) as { type: string; zoom?: number };
      if (frame.type === 'view') zoom = frame.zoom!;
    }),
  );
  try {
    await page.goto(`/admin#token=${robin.token}`);
    await expect(page.locator('canvas.overlay')).toBeAttached({ timeout: 60_000 });
    await expect.poll(() => onDuty(page), { timeout: 600_000, intervals: [2_000] }).toBeGreaterThan(COURIERS * 0.95);
    await page.waitForTimeout(10_000); // everybody has sent a fix or two
    await page.getByRole('button', { name: 'Show all' }).click();
    await page.waitForTimeout(2_000);
    console.log(`${COURIERS} couriers, ${await page.evaluate(() => `${innerWidth} × ${innerHeight}`)}, ${SECONDS} s each`);
    const began = await memory(page);
    say(`in groups where they are close, zoom ${zoom.toFixed(1)}`, await measure(page, SECONDS));
    await page.screenshot({ path: test.info().outputPath('groups.png') });
    for (let i = 0; i < 3 && zoom < 13; i++) {
      const before = zoom;
      await page.getByRole('button', { name: 'Zoom in' }).click();
      await expect.poll(() => zoom, { timeout: 30_000 }).toBeGreaterThan(before + 0.9);
    }
    say(`each by itself, zoom ${zoom.toFixed(1)}`, await measure(page, SECONDS));
    await page.screenshot({ path: test.info().outputPath('each.png') });
    say('each by itself, while the map is dragged', await measure(page, SECONDS, () => drag(page, SECONDS)));
    console.log(`memory: ${began.toFixed(1)} MB of script at first, ${(await memory(page)).toFixed(1)} MB now`);
    for (let minute = 1; minute <= MINUTES; minute++) {
      await page.waitForTimeout(60_000);
      if (minute % 5 === 0 || minute === MINUTES) console.log(`memory: ${(await memory(page)).toFixed(1)} MB after ${minute} min, ${Math.round(minute * RATE)} min of traffic`);
    }
  } finally {
    city.kill('SIGKILL');
  }
});

function say(what: string, f: Figures): void {
  const n = (value: number) => value.toFixed(1);
  console.log(
    `${what}: ${n(f.framesPerSecond)} frames a second (worst gap ${n(f.worstFrame)} ms); ` +
      `main thread ${f.main.toFixed(2)} ms a frame, ${f.script.toFixed(2)} in script, longest task ${n(f.longest)} ms, ${n(f.busy * 100)} % busy`,
  );
}

async function onDuty(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const token = sessionStorage.getItem('dispatch.token');
    const stats = await (await fetch('/v1/stats', { headers: { Authorization: `Bearer ${token}` } })).json();
    return (stats as { couriers_on_duty: number }).couriers_on_duty;
  });
}

async function drag(page: Page, seconds: number): Promise<void> {
  const box = (await page.locator('.maplibregl-canvas').boundingBox())!;
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.mouse.move(x, y);
  await page.mouse.down();
  const began = Date.now();
  while (Date.now() - began < seconds * 1000) {
    const turn = (Date.now() - began) / 400;
    await page.mouse.move(x + Math.cos(turn) * 150, y + Math.sin(turn) * 100);
  }
  await page.mouse.up();
}

async function memory(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  await session.detach();
  return usedSize / 1e6;
}
