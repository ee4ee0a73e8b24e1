import { expect, type BrowserContext } from '@playwright/test';

// What a browser writes to the console of a page whose server is away.
const away = /Failed to load resource: net::ERR_|WebSocket connection to '.*' failed/;

// Faults are what must not happen on any page, whatever it is tested for:
// errors on the console or uncaught, what the policy forbids, requests to others.
export class Faults {
  private readonly allowed: RegExp[] = [];
  private readonly errors: string[] = [];
  private readonly breaches: string[] = [];

  // allow names errors that belong to the test, such as the 401 of a wrong link.
  allow(...patterns: RegExp[]): void {
    this.allowed.push(...patterns);
  }

  allowAway = (): void => this.allow(away);

  async watch(context: BrowserContext, home: string): Promise<void> {
    await context.addInitScript(() => {
      addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) =>
        console.error(`policy: ${effectiveDirective} forbids ${blockedURI}`),
      );
    });
    context.on('console', (message) => {
      const text = message.text();
      if (/^policy:|Content Security Policy/.test(text)) this.breaches.push(text);
      else if (message.type() === 'error') this.errors.push(`${text} (${message.location().url})`);
    });
    context.on('weberror', (fault) => this.errors.push(String(fault.error())));
    context.on('request', (request) => {
      const url = new URL(request.url());
      if (['http:', 'https:', 'ws:', 'wss:'].includes(url.protocol) && url.host !== new URL(home).host) {
        this.breaches.push(`a request to ${url.origin}`);
      }
    });
  }

  check(): void {
    const errors = this.errors.filter((text) => !this.allowed.some((pattern) => pattern.test(text)));
    expect([...this.breaches, ...errors], 'what the pages did wrong').toEqual([]);
  }
}
