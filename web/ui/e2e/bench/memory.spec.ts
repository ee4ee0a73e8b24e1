import { spawn } from 'node:child_process';
import { chromium } from '../kit/browser';
import { binary } from '../kit/node';
import { expect, test } from '../kit/test';
import { memory } from './trace';

// `make bench-memory`: what the dispatcher's page holds while a simulated city
// goes on for an hour: orders come and go, couriers ride, offers are made. The
// city's clock may run faster than ours.
const COURIERS = Number(process.env['COURIERS'] ?? 500);
const MINUTES = Number(process.env['MINUTES'] ?? 60); // of the city
const RATE = Number(process.env['RATE'] ?? 10);
const STEP = 10; // minutes of the city between two looks

const { args = [], ...browser } = chromium('--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader');
const unlimited = ['address', 'credential', 'sign-in', 'sign-ins', 'handshakes', 'reconnects', 'courier-frames'].map((what) => `--limit-${what}=off`);
test.use({
  launchOptions: { ...browser, args: args.filter((arg) => arg !== '--disable-gpu') },
  flags: [...unlimited, '--limit-address-sockets=0', '--clock-rate', String(RATE), '--center', '52.0,4.3'],
});
test.setTimeout((MINUTES / RATE + 10) * 60_000);

test('an hour of a city on the dispatcher’s page', async ({ page, server, people }) => {
  const [admin, robin] = [await people.staff(), await people.staff('dispatcher')];
  const city = spawn(binary, ['simulate', '--server', server.url, '--token', admin.token, '--couriers', String(COURIERS), '--orders-per-hour', String(COURIERS * 2), '--duration', '4h'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  try {
    await page.goto(`/admin#token=${robin.token}`);
    await expect(page.locator('canvas.overlay')).toBeAttached({ timeout: 60_000 });
    const held: number[] = [];
    for (let minute = 0; minute <= MINUTES; minute += STEP) {
      if (minute > 0) await page.waitForTimeout((STEP * 60_000) / RATE);
      held.push(await memory(page));
      const stats = await robin.get<object>('/stats');
      console.log(`${held.at(-1)!.toFixed(1)} MB of script after ${minute} min of the city; ${JSON.stringify(stats)}`);
    }
    expect(held.length).toBeGreaterThan(1);
  } finally {
    city.kill('SIGKILL');
  }
});
