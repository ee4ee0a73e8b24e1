import { test as base, type Page } from '@playwright/test';
import { Faults } from './faults';
import { Line } from './line';
import { Node } from './node';
import { People } from './people';

interface Options {
  flags: string[];
  clock: string | undefined;
}

// Another person's browser, with a line of its own.
export interface Other {
  page: Page;
  line: Line;
}

type Kit = Options &
  Pick<People, 'staff' | 'merchant' | 'order' | 'link' | 'courier' | 'courierPhone'> & {
    server: Node;
    people: People;
    faults: Faults;
    // How `page` reaches the server.
    line: Line;
    // other opens a second person's browser, a phone's or a desktop's.
    other: (size?: 'phone' | 'desktop') => Promise<Other>;
  };

// Every test has a server, data and people of its own.
export const test = base.extend<Kit>({
  flags: [[], { option: true }],
  clock: [undefined, { option: true }],

  server: async ({ flags, clock }, use, info) => {
    const node = new Node({ flags, clock });
    await node.start();
    await use(node);
    await node.remove();
    if (info.status !== info.expectedStatus) await info.attach('server.log', { body: node.log });
  },

  people: async ({ server }, use) => {
    const people = new People(() => server.url);
    await use(people);
    people.leave();
  },

  faults: async ({}, use) => {
    const faults = new Faults();
    await use(faults);
    faults.check();
  },

  line: async ({ server, faults }, use) => {
    const line = await new Line(() => server.url, faults.allowAway).open();
    await use(line);
    await line.close();
  },

  baseURL: async ({ line }, use) => use(line.url),

  context: async ({ context, line, faults }, use) => {
    await faults.watch(context, line.url);
    await use(context);
  },

  other: async ({ browser, server, faults, locale, timezoneId, colorScheme }, use) => {
    const opened: (() => Promise<void>)[] = [];
    await use(async (size = 'desktop') => {
      const line = await new Line(() => server.url, faults.allowAway).open();
      const shape =
        size === 'phone'
          ? { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }
          : { viewport: { width: 1440, height: 900 } };
      const context = await browser.newContext({ ...shape, baseURL: line.url, locale, timezoneId, colorScheme });
      opened.push(() => context.close().then(() => line.close()));
      await faults.watch(context, line.url);
      return { page: await context.newPage(), line };
    });
    for (const close of opened) await close();
  },

  staff: async ({ people }, use) => use(people.staff),
  merchant: async ({ people }, use) => use(people.merchant),
  order: async ({ people }, use) => use(people.order),
  link: async ({ people }, use) => use(people.link),
  courier: async ({ people }, use) => use(people.courier),
  courierPhone: async ({ people }, use) => use(people.courierPhone),
});

export { expect } from '@playwright/test';
export { at, market } from './people';
export { wantAccessible, wantLooks } from './looks';
