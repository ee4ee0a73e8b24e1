import { defineConfig } from '@playwright/test';
import { chromium } from './e2e/kit/browser';

const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
const desktop = { viewport: { width: 1440, height: 900 } };

// Each screen's tests run at the size of its people; how it looks is looked at
// in both.
export default defineConfig({
  testDir: 'e2e',
  outputDir: '../../.cache/e2e',
  snapshotPathTemplate: '{testDir}/snapshots/{arg}-{projectName}{ext}',
  fullyParallel: true,
  workers: 2,
  timeout: 45_000,
  forbidOnly: true,
  reporter: [['list', { printSteps: false }]],
  expect: {
    timeout: 10_000,
    toHaveScreenshot: {
      animations: 'disabled',
      caret: 'hide',
      scale: 'css',
      stylePath: 'e2e/kit/still.css',
      // Another build of the same fonts may put an edge elsewhere; a line that
      // is gone or a colour that changed is far more than this.
      maxDiffPixelRatio: 0.01,
    },
  },
  use: {
    launchOptions: chromium(),
    locale: 'en-GB',
    timezoneId: 'UTC',
    colorScheme: 'light',
    screenshot: 'only-on-failure',
  },
  projects: [
    { name: 'phone', use: phone, testMatch: ['{customer,courier,protocol}/**/*.spec.ts', '**/looks.spec.ts'] },
    { name: 'desktop', use: desktop, testMatch: ['desk/**/*.spec.ts', '**/looks.spec.ts'] },
    { name: 'engines', use: phone, testMatch: 'engines/**/*.spec.ts' },
  ],
});
