import { expect, type Page } from '@playwright/test';

// What is drawn on the map has no elements: it is found as a person would, by
// pointing at it.

export const canvas = (page: Page) => page.locator('.maplibregl-canvas');

// mapIsUp waits until the map is there and everyone fits on it.
export async function mapIsUp(page: Page): Promise<void> {
  await expect(canvas(page)).toBeVisible({ timeout: 20_000 });
  await expect(page.locator('canvas.overlay')).toBeAttached();
}

// findOnMap moves the mouse over the middle of the map, ring by ring, until
// what is under it has this name.
export async function findOnMap(page: Page, name: string | RegExp): Promise<{ x: number; y: number }> {
  const box = (await canvas(page).boundingBox())!;
  const tip = page.locator('.tip');
  let found: { x: number; y: number } | undefined;
  await expect
    .poll(
      async () => {
        for (let ring = 0; ring < 12; ring++) {
          for (let turn = 0; turn < Math.max(1, ring * 4); turn++) {
            const angle = (turn / Math.max(1, ring * 4)) * 2 * Math.PI;
            const at = { x: box.x + box.width / 2 + Math.cos(angle) * ring * 22, y: box.y + box.height / 2 + Math.sin(angle) * ring * 22 };
            await page.mouse.move(at.x, at.y);
            if ((await tip.isVisible()) && (await tip.innerText()).match(name)) {
              found = at;
              return true;
            }
          }
        }
        return false;
      },
      { timeout: 20_000 },
    )
    .toBe(true);
  return found!;
}

// picture is what a part of the map looks like.
export async function picture(page: Page, at: { x: number; y: number }, size = 60): Promise<string> {
  const clip = { x: at.x - size / 2, y: at.y - size / 2, width: size, height: size };
  return (await page.screenshot({ clip })).toString('base64');
}
