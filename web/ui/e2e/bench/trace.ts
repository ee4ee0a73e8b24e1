import type { CDPSession, Page } from '@playwright/test';

interface TraceEvent {
  name: string;
  cat: string;
  ph: string;
  ts: number; // µs
  dur?: number;
  tdur?: number; // of the thread alone, without what others took from it
  pid: number;
  tid: number;
  args: { data?: { frame?: string }; name?: string };
}

export interface Figures {
  framesPerSecond: number; // animation frames that the page was given
  drawn: number; // frames a second in which the map's marks were drawn
  worstFrame: number; // ms between two of them
  main: number; // ms of the main thread's processor time a frame
  draw: number; // ms of that in the page's animation frames
  between: number; // ms of script a second outside of them
  longest: number; // ms of processor time of the longest task
  busy: number; // share of the main thread
}

const SCRIPT = ['FunctionCall', 'FireAnimationFrame', 'TimerFire', 'EventDispatch', 'RunMicrotasks', 'v8.callFunction', 'WebSocketReceive'];

// measure watches a page for some seconds while `during` goes on: how many
// frames it makes, and what they cost its main thread.
export async function measure(page: Page, seconds: number, during: () => Promise<void> = async () => {}): Promise<Figures> {
  const session = await page.context().newCDPSession(page);
  const events: TraceEvent[] = [];
  session.on('Tracing.dataCollected', ({ value }) => events.push(...(value as unknown as TraceEvent[])));
  await session.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: { includedCategories: ['toplevel', 'devtools.timeline', 'disabled-by-default-devtools.timeline', '__metadata', 'blink.user_timing'] },
  });
  const drawn = () => page.evaluate(() => (window as unknown as { drawn: number }).drawn);
  const before = await drawn();
  const frames = page.evaluate(
    (ms) =>
      new Promise<number[]>((done) => {
        const seen: number[] = [];
        const until = performance.now() + ms;
        const look = (now: number) => {
          seen.push(now);
          if (now < until) requestAnimationFrame(look);
          else done(seen);
        };
        requestAnimationFrame(look);
      }),
    seconds * 1000,
  );
  await during();
  const seen = await frames;
  const times = (await drawn()) - before;
  await stop(session);
  return figures(events, seen, times);
}

// memory is what script holds after a collection, in MB.
export async function memory(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  await session.detach();
  return usedSize / 1e6;
}

async function stop(session: CDPSession): Promise<void> {
  const complete = new Promise((done) => session.once('Tracing.tracingComplete', done));
  await session.send('Tracing.end');
  await complete;
}

function figures(events: TraceEvent[], seen: number[], drawn: number): Figures {
  const length = (seen.at(-1)! - seen[0]!) / 1000;
  const gaps = seen.slice(1).map((at, index) => at - seen[index]!);
  const main = mainThread(events);
  const tasks = main.filter(({ name }) => name === 'RunTask' || name === 'ThreadControllerImpl::RunTask');
  const cost = (all: TraceEvent[]) => all.reduce((sum, { tdur, dur }) => sum + (tdur ?? dur ?? 0), 0) / 1000;
  const scripts = outermost(main.filter(({ name }) => SCRIPT.includes(name)));
  const drawing = scripts.filter(({ name }) => name === 'FireAnimationFrame');
  return {
    framesPerSecond: (seen.length - 1) / length,
    drawn: drawn / length,
    worstFrame: Math.max(...gaps),
    main: cost(tasks) / seen.length,
    draw: cost(drawing) / seen.length,
    between: (cost(scripts) - cost(drawing)) / length,
    longest: Math.max(0, ...tasks.map(({ tdur, dur }) => (tdur ?? dur ?? 0) / 1000)),
    busy: cost(tasks) / 1000 / length,
  };
}

// mainThread is the renderer's that has run the most animation frames.
function mainThread(events: TraceEvent[]): TraceEvent[] {
  const frames = new Map<string, number>();
  const key = ({ pid, tid }: TraceEvent) => `${pid}/${tid}`;
  for (const event of events) if (event.name === 'FireAnimationFrame') frames.set(key(event), (frames.get(key(event)) ?? 0) + 1);
  const [main] = [...frames].sort((a, b) => b[1] - a[1])[0] ?? [''];
  return events.filter((event) => key(event) === main && event.ph === 'X');
}

// outermost leaves out what runs inside another of them.
function outermost(events: TraceEvent[]): TraceEvent[] {
  let end = 0;
  return events
    .sort((a, b) => a.ts - b.ts)
    .filter(({ ts, dur = 0 }) => {
      if (ts < end) return false;
      end = ts + dur;
      return true;
    });
}
