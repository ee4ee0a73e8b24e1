import type { Page } from '@playwright/test';
import type { FleetFrame } from '../../src/protocol/frames';
import { chromium } from '../kit/browser';
import { at, expect, test } from '../kit/test';
import { Riders } from './riders';
import { measure, memory, type Figures } from './trace';

// `make bench-map`: the dispatcher's page with thousands of couriers, all of
// whom ride, fed over the real socket. What is measured:
//
//   frames   animation frames a second that the page is given, and those of
//            them in which marks are drawn anew: not before one has moved a
//            quarter of a pixel. Graphics are drawn by software here, so beside
//            each stands what the same machine reached in the same run with
//            nothing to draw (the floor)
//   main     processor time of the page's main thread, a frame that draws and
//            a second: 60 frames a second leave a frame 16.7 ms
const COURIERS = Number(process.env['COURIERS'] ?? 5_000);
const ORDERS = Number(process.env['ORDERS'] ?? 1_000); // waiting in the queue
const SECONDS = Number(process.env['SECONDS'] ?? 15);
// Pixels of the screen to one of the page's: at 0.25 the same scene has a
// sixteenth of the pixels, so that what software needs to fill them is small.
const SCALE = Number(process.env['SCALE'] ?? 1);
const ALONE = 13; // the zoom from which on nobody is in a group
const SETTLE = 8_000; // ms: everybody has sent two fixes, so each one's pace is known

// As Chromium does by itself where there is no graphics card: what WebGL draws
// is drawn by SwiftShader, the page put together by the processor. (With
// SwiftShader for the latter too, an empty page gets 45 to 50 frames here.)
const { args = [], ...browser } = chromium('--use-gl=angle', '--use-angle=swiftshader-webgl', '--enable-unsafe-swiftshader', '--disable-gpu-compositing');
const unlimited = ['address', 'credential', 'sign-in', 'sign-ins', 'handshakes', 'reconnects'].map((what) => `--limit-${what}=off`);
test.use({
  deviceScaleFactor: SCALE,
  launchOptions: { ...browser, args: args.filter((arg) => arg !== '--disable-gpu') },
  flags: [...unlimited, '--limit-address-sockets=0'],
});
test.setTimeout(15 * 60_000);

test('thousands of couriers on the dispatcher’s map', async ({ page, server, people }) => {
  const robin = await people.staff('dispatcher');
  const seen = watch(page);
  await page.addInitScript(countDrawn);
  await page.goto(`/admin#token=${robin.token}`);
  await expect(page.locator('canvas.overlay')).toBeAttached({ timeout: 60_000 });

  console.log(`${COURIERS} couriers, ${await page.evaluate(() => `${innerWidth} × ${innerHeight}`)} at ${SCALE}, ${SECONDS} s each`);
  await blank(page);
  const still = say('floor: an empty canvas over an empty map', await measure(page, SECONDS));
  await page.evaluate(() => document.getElementById('blank')!.remove());
  const dragged = say('floor: an empty map, dragged', await measure(page, SECONDS, () => drag(page, SECONDS)));

  const riders = new Riders(people, server.url);
  try {
    await riders.hire(COURIERS);
    await queue(people, ORDERS);
    riders.ride();
    await page.waitForTimeout(SETTLE);
    await page.getByRole('button', { name: 'Show all' }).click();
    await page.waitForTimeout(2_000);
    const began = await memory(page);
    const watched = async (what: string, floor: Figures, during?: () => Promise<void>) => {
      seen.moved.clear();
      const figures = await measure(page, SECONDS, during);
      say(`${what}, zoom ${seen.zoom.toFixed(1)}, ${seen.moved.size} in sight move`, figures, floor);
      await page.screenshot({ path: test.info().outputPath(`${what.replaceAll(' ', '-')}.png`) });
      expect(seen.moved.size).toBeGreaterThan(COURIERS * 0.4);
    };
    await zoom(page, seen, (now) => now >= ALONE, 'in');
    await page.waitForTimeout(SETTLE);
    await watched('each by itself', still);
    await watched('each by itself and the map is dragged', dragged, () => drag(page, SECONDS));
    await page.getByRole('button', { name: 'Show all' }).click();
    await zoom(page, seen, (now) => now < ALONE, 'out');
    await page.waitForTimeout(SETTLE);
    await watched('in groups where they are close', still);
    console.log(`memory: ${began.toFixed(1)} MB of script at first, ${(await memory(page)).toFixed(1)} MB now`);
  } finally {
    riders.stop();
  }
});

async function zoom(page: Page, seen: { zoom: number }, enough: (zoom: number) => boolean, way: 'in' | 'out'): Promise<void> {
  while (!enough(seen.zoom)) {
    const before = seen.zoom;
    await page.getByRole('button', { name: `Zoom ${way}` }).click();
    await expect.poll(() => Math.abs(seen.zoom - before), { timeout: 30_000 }).toBeGreaterThan(0.9);
  }
}

// watch follows what the page asks for and is told of.
function watch(page: Page): { zoom: number; moved: Set<string> } {
  const seen = { zoom: 0, moved: new Set<string>() };
  const places = new Map<string, string>();
  page.on('websocket', (socket) => {
    socket.on('framesent', ({ payload }) => {
      const frame = JSON.parse(String(payload)) as { type: string; zoom?: number };
      if (frame.type === 'view') seen.zoom = frame.zoom!;
    });
    socket.on('framereceived', ({ payload }) => {
      const frame = JSON.parse(String(payload)) as FleetFrame;
      if (frame.type !== 'couriers') return;
      for (const { id, fix } of frame.couriers) {
        const place = `${fix?.lat} ${fix?.lng}`;
        if (places.get(id) !== place) seen.moved.add(id);
        places.set(id, place);
      }
    });
  });
  return seen;
}

// queue fills the lists: orders that wait until their kitchens are ready.
async function queue(people: { order: (fields: object) => Promise<unknown> }, count: number): Promise<void> {
  const ready = new Date(Date.now() + 3 * 3_600_000).toISOString();
  let next = 0;
  const hand = async () => {
    while (next < count) {
      const n = next++;
      await people.order({ reference: `B-${n}`, ready_at: ready, pickup: { point: at((n % 40) * 200 - 4000, Math.floor(n / 40) * 300 - 4000), address: `Kitchen ${n}` } });
    }
  };
  await Promise.all(Array.from({ length: 24 }, hand));
}

// blank is the least that anything drawn above the map costs: a canvas of the
// same size that is only cleared, every frame.
async function blank(page: Page): Promise<void> {
  await page.evaluate(() => {
    const over = document.querySelector<HTMLCanvasElement>('canvas.overlay')!;
    const canvas = over.cloneNode() as HTMLCanvasElement;
    canvas.id = 'blank';
    over.after(canvas);
    const gl = canvas.getContext('webgl2', { antialias: false, depth: false, stencil: false })!;
    const step = (now: number) => {
      if (!canvas.isConnected) return;
      gl.clearColor(0, 0, 0, (now % 1000) / 100_000);
      gl.clear(gl.COLOR_BUFFER_BIT);
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  });
}

// countDrawn counts how often the marks are drawn.
function countDrawn(): void {
  const counted = Object.assign(window, { drawn: 0 });
  const { clear } = WebGL2RenderingContext.prototype;
  WebGL2RenderingContext.prototype.clear = function (mask) {
    if ((this.canvas as HTMLCanvasElement).className === 'overlay') counted.drawn++;
    return clear.call(this, mask);
  };
}

function say(what: string, f: Figures, floor?: Figures): Figures {
  const n = (value: number, digits = 1) => value.toFixed(digits);
  const beside = floor ? `, ${n(f.framesPerSecond / floor.framesPerSecond, 2)} of the floor's ${n(floor.framesPerSecond)}` : '';
  console.log(
    `${what}: ${n(f.framesPerSecond)} frames a second${beside}, marks drawn in ${n(f.drawn)} (worst gap ${n(f.worstFrame)} ms); main thread ` +
      `${n(f.main, 2)} ms a frame, of which the page's script draws in ${n(f.draw, 2)}; ${n(f.busy * 100)} % busy, ${n(f.between, 0)} ms of script a second between frames, longest task ${n(f.longest)} ms`,
  );
  return f;
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
