import { expect, test, wantAccessible } from '../kit/test';

const neutral = 'Nothing to show here';

test('a wrong, an incomplete, an expired and a revoked link show the same page', async ({ page, order, link, staff, faults }) => {
  faults.allow(/status of 401/);
  const soup = await order();
  await page.goto('/t#ct_nothing');
  await expect(page.getByRole('heading', { name: neutral })).toBeVisible();
  const said = await page.locator('main').innerText();
  await wantAccessible(page);

  for (const path of ['/t', '/t#%E0%A4', await link(soup, 1)]) {
    await page.goto('about:blank');
    await page.goto(path);
    await expect(page.getByRole('heading', { name: neutral })).toBeVisible();
    expect(await page.locator('main').innerText()).toBe(said);
  }

  await page.goto('about:blank');
  await page.goto(await link(soup));
  await expect(page.getByText('Order A-17')).toBeVisible();
  const admin = await staff();
  const { links } = await admin.get<{ links: { id: string; expires_at: string }[] }>(`/orders/${soup.id}/tracking-links`);
  for (const { id } of links) await admin.call('DELETE', `/orders/${soup.id}/tracking-links/${id}`).catch(() => undefined);
  await expect(page.getByRole('heading', { name: neutral })).toBeVisible();
  await expect(page.getByText('A-17')).toBeHidden();
  await expect(page).toHaveTitle('Your delivery');
});

test('another link in the same tab is another order', async ({ page, order, link }) => {
  await page.goto(await link(await order({ reference: 'one' })));
  await expect(page.getByText('Order one')).toBeVisible();
  await page.goto(await link(await order({ reference: 'two' })));
  await expect(page.getByText('Order two')).toBeVisible();
});

test('search engines and other sites learn nothing', async ({ page, order, link }) => {
  const response = await page.goto(await link(await order()));
  expect(response!.headers()['referrer-policy']).toBe('no-referrer');
  await expect(page.locator('meta[name=robots]')).toHaveAttribute('content', /noindex/);
  await expect(page.locator('meta[name=referrer]')).toHaveAttribute('content', 'no-referrer');
  expect(response!.headers()['content-security-policy']).toMatch(/script-src 'self';/);
});

test('only the status speaks to a screen reader by itself', async ({ page, order, link, courierPhone }) => {
  const soup = await order();
  await page.goto(await link(soup));
  await expect(page.locator('[aria-live]')).toHaveCount(1);
  await expect(page.locator('[aria-live=polite]')).toHaveText('Finding a courier');
  await (await courierPhone()).accept(soup);
  await expect(page.locator('[aria-live=polite]')).toHaveText('Ada will pick up your order');
  await expect(page.getByRole('region', { name: 'Progress' })).toMatchAriaSnapshot(`
    - region "Progress":
      - list:
        - listitem:
          - text: Received , done
          - time: /\\d+:\\d+/
        - listitem:
          - text: Courier assigned , now
          - time: /\\d+:\\d+/
        - listitem: At the pickup , to come
        - listitem: Picked up , to come
        - listitem: Arriving , to come
        - listitem: Delivered , to come
  `);
});
