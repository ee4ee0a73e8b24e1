import { at, expect, test } from '../kit/test';

// Two nodes behind a balancer: whoever is on which, nobody notices.
test('customer, courier and dispatcher see one order through', async ({ page, other, line, staff, order, link, courier, courierPhone }) => {
  const { token } = await staff('dispatcher');
  const reference = `E-${Date.now() % 100_000}`;
  const soup = await order({ reference, pin_required: true });
  const desk = await other('desktop');
  await desk.page.goto(`/admin#token=${token}`);
  await expect(desk.page.getByText(reference).first()).toBeVisible();
  await page.goto(await link(soup));
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(/Finding a courier/);

  const ada = await courierPhone(await courier({ name: 'Ada Lovelace' }));
  await ada.accept(soup);
  await expect(page.getByRole('heading', { level: 1 })).toContainText('Ada');
  line.cut();
  await ada.pickUp(soup);
  await ada.at(at(205));
  line.mend();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Ada is on the way to you', { timeout: 30_000 });
  const pin = await page.getByText(/^\d{4}$/).innerText();

  await ada.deliver(soup, { pin });
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Delivered');
});
