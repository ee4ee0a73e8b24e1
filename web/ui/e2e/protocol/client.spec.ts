import type { TrackFrame } from '../../src/protocol/frames';
import type { OrderEvent } from '../../src/protocol/types';
import { Client, Rider } from '../kit/client';
import { at, expect, market, test } from '../kit/test';

test.use({ flags: ['--mode', 'assign'] });

function customer(line: ConstructorParameters<typeof Client>[0], link: string): Client<TrackFrame> {
  return new Client<TrackFrame>(line, '/v1/ws/track', link.slice('/t#'.length));
}

// What a customer was told, by number: the history of the snapshot, then each status.
function told({ frames }: Client<TrackFrame>): string[] {
  return frames.flatMap((frame) => {
    if (frame.type === 'snapshot') return (frame.history ?? []).map(({ seq, status }) => `${seq} ${status}`);
    return frame.type === 'status' ? [`${frame.seq} ${frame.status}`] : [];
  });
}

test('a customer misses no status and sees none twice over lines that are cut', async ({ line, order, link, courierPhone, staff }) => {
  const soup = await order();
  const page = customer(line, await link(soup));
  await page.wantLink('live');
  const ada = await courierPhone();
  await ada.assigned(soup);
  await expect.poll(() => told(page).at(-1)).toMatch(/assigned/);
  line.cut();
  await page.wantLink('waiting');
  await ada.pickUp(soup);
  line.mend();
  await expect.poll(() => told(page).at(-1)).toMatch(/picked_up/);
  line.cut();
  await ada.deliver(soup);
  line.mend();
  await page.wantLink('closed'); // told the end

  const { events } = await (await staff()).get<{ events: OrderEvent[] }>(`/orders/${soup.id}/events`);
  expect(told(page)).toEqual(events.map(({ version, status }) => `${version} ${status === 'offered' ? 'searching' : status}`));
});

test('tries come later and later, apart by chance, until the line is whole', async ({ line, order, link }) => {
  const page = customer(line, await link(await order()));
  await page.wantLink('live');
  line.cut();
  await expect.poll(() => page.links.filter(({ name }) => name === 'waiting').length).toBeGreaterThan(4);
  const delays = page.links.flatMap((one) => (one.name === 'waiting' ? [one.delay] : []));
  for (const [index, delay] of delays.slice(0, 5).entries()) {
    const step = Math.min(1_000, 100 * 2 ** index);
    expect(delay).toBeGreaterThanOrEqual(step / 2);
    expect(delay).toBeLessThanOrEqual(step);
  }
  line.mend();
  await page.wantLink('live');
  page.connection.stop();
});

test('a server that goes away is found again, with what happened since', async ({ line, server, order, link, staff }) => {
  const soup = await order();
  const page = customer(line, await link(soup));
  await page.wantLink('live');
  await server.stop();
  await page.wantLink('waiting');
  await server.start();
  await (await staff()).post(`/orders/${soup.id}/cancel`, { reason: 'customer called' });
  await expect.poll(() => told(page).at(-1)).toMatch(/cancelled/);
  await page.wantLink('closed');
});

test('a link that opens nothing is not tried again', async ({ line }) => {
  const page = customer(line, '/t#ct_nothing');
  await page.wantLink('closed');
  expect(page.link).toMatchObject({ code: 4401 });
  expect(page.links.map(({ name }) => name)).toEqual(['connecting', 'closed']);
});

test.describe('where a minute passes in a second', () => {
  test.use({ flags: ['--clock-rate', '60'] });

  test('the time is the server’s, whatever the phone’s clock says', async ({ line, order, link, staff }) => {
    const page = customer(line, await link(await order()));
    await page.wantLink('live');
    const admin = await staff();
    for (let i = 0; i < 3; i++) {
      const { now } = await admin.get<{ now: string }>('/time');
      // A quarter of a second on the way is 15 s there.
      expect(Math.abs(page.clock.now() - Date.parse(now))).toBeLessThan(15_000);
      await new Promise((next) => setTimeout(next, 300));
    }
    page.connection.stop();
  });
});

test('what a courier did in a tunnel is told in order, once', async ({ line, order, courier, staff }) => {
  const who = await courier();
  const rider = new Rider(line, await who.token());
  await rider.wantLink('live');
  rider.outbox.push({ type: 'duty', duty: 'available' });
  rider.outbox.addFix({ time: rider.clock.iso(), ...market, accuracy: 5 });
  rider.outbox.flush();
  await rider.wantSent();
  const soup = await order();
  await expect.poll(() => rider.frames.some((frame) => frame.type === 'plan' && frame.plan.stops.length === 2)).toBe(true);

  line.cut();
  await rider.wantLink('waiting');
  const [pickup, dropoff] = ['pickup', 'dropoff'] as const;
  rider.outbox.push({ type: 'stop.arrive', order: soup.id, kind: pickup, at: rider.clock.iso() });
  rider.outbox.push({ type: 'stop.complete', order: soup.id, kind: pickup, at: rider.clock.iso() });
  for (let i = 1; i <= 20; i++) {
    const time = new Date(rider.clock.now() - 2_000 + i * 50).toISOString();
    rider.outbox.addFix({ time, ...at(i * 45), accuracy: 5 });
  }
  rider.outbox.push({ type: 'stop.complete', order: soup.id, kind: dropoff, at: rider.clock.iso() });
  line.mend();
  await rider.wantSent();

  const admin = await staff();
  const { events } = await admin.get<{ events: OrderEvent[] }>(`/orders/${soup.id}/events`);
  const steps = events.map(({ type }) => type).filter((type) => ['at_pickup', 'picked_up', 'at_dropoff', 'delivered'].includes(type));
  expect(steps).toEqual(['at_pickup', 'picked_up', 'at_dropoff', 'delivered']);
  expect(rider.answers.filter(({ ok }) => !ok)).toEqual([]);
  rider.connection.stop();
});

test('an action whose answer was lost is sent again and done once', async ({ line, order, courier, staff }) => {
  const who = await courier();
  const rider = new Rider(line, await who.token());
  await rider.wantLink('live');
  rider.outbox.push({ type: 'duty', duty: 'available' });
  rider.outbox.addFix({ time: rider.clock.iso(), ...market, accuracy: 5 });
  rider.outbox.flush();
  const soup = await order();
  await expect.poll(() => rider.frames.some((frame) => frame.type === 'plan' && frame.plan.stops.length === 2)).toBe(true);
  await rider.wantSent();

  line.freeze('answers');
  rider.outbox.push({ type: 'stop.complete', order: soup.id, kind: 'pickup', at: rider.clock.iso() });
  const admin = await staff();
  await expect.poll(async () => (await admin.get<{ status: string }>(`/orders/${soup.id}`)).status).toBe('picked_up');
  expect(rider.outbox.entries).toHaveLength(1);
  line.cut();
  await rider.wantLink('waiting');
  line.mend();
  await rider.wantSent();

  const { events } = await admin.get<{ events: OrderEvent[] }>(`/orders/${soup.id}/events`);
  expect(events.filter(({ type }) => type === 'picked_up')).toHaveLength(1);
  expect(rider.answers.at(-1)).toMatchObject({ ok: true });
  rider.connection.stop();
});
