import { existsSync } from 'node:fs';
import type { LaunchOptions } from '@playwright/test';

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

// chromium is the system's, kept from the network: names resolve to nothing.
export function chromium(...args: string[]): LaunchOptions {
  const executablePath = process.env['CHROMIUM'] ?? places.find((path) => existsSync(path));
  if (!executablePath) throw new Error('Chromium is not installed: run scripts/deps');
  return {
    executablePath,
    args: ['--disable-gpu', '--disable-background-networking', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1', ...args],
  };
}
