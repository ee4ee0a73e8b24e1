import type { CDPSession, Locator, Page } from '@playwright/test';

interface Place {
  x: number;
  y: number;
}

// Finger touches the screen as a person's does: what comes of it, a press, a
// scroll or a pan, is the browser's to say.
export class Finger {
  private constructor(private readonly session: CDPSession) {}

  static async on(page: Page): Promise<Finger> {
    return new Finger(await page.context().newCDPSession(page));
  }

  async down(at: Place): Promise<void> {
    await this.session.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [at] });
  }

  // slide takes the finger along in steps, as a screen sees it.
  async slide(from: Place, to: Place, steps = 8): Promise<void> {
    for (let step = 1; step <= steps; step++) {
      const part = step / steps;
      const at = { x: from.x + (to.x - from.x) * part, y: from.y + (to.y - from.y) * part };
      await this.session.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: [at] });
    }
  }

  async up(): Promise<void> {
    await this.session.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
  }
}

// middle is where a finger would go for something.
export async function middle(of: Locator): Promise<Place> {
  await of.scrollIntoViewIfNeeded();
  const { x, y, width, height } = (await of.boundingBox())!;
  return { x: x + width / 2, y: y + height / 2 };
}
