import AxeBuilder from '@axe-core/playwright';
import { expect, type Locator, type Page } from '@playwright/test';

const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

// wantAccessible fails on what axe-core calls serious or critical, as the page is now.
export async function wantAccessible(page: Page): Promise<void> {
  // Legacy mode looks without opening a tab of its own; there are no frames.
  const { violations } = await new AxeBuilder({ page }).withTags(rules).setLegacyMode().analyze();
  const bad = violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, help, nodes }) => `${id}: ${help}\n${nodes.map((node) => `  ${node.html}\n  ${node.failureSummary}`).join('\n')}`);
  expect(bad, 'axe-core').toEqual([]);
}

export interface LooksOptions {
  // What is another on every run, such as a PIN.
  mask?: Locator[];
  // The whole page, not what fits on the screen.
  fullPage?: boolean;
}

// wantLooks compares the page, light and dark, with snapshots/<name>-….png and
// looks at its accessibility in both.
export async function wantLooks(page: Page, name: string, { mask = [], fullPage = true }: LooksOptions = {}): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await expect(page).toHaveScreenshot(`${name}-${colorScheme}.png`, { fullPage, mask, maskColor: '#888888' });
    await wantAccessible(page);
  }
}
