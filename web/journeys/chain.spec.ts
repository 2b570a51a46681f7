/** The chain page answers what is asked of it, and an order over a code says what it lacks. */
import { expect, inspect, logIn, test, url } from './base';

for (const width of [1440, 390]) {
  test.describe(`${width} px`, () => {
    test.use({ viewport: { width, height: width === 390 ? 844 : 900 } });

    test('G-6.5.4 the box, the buttons and the address are of one mind', async ({ page }) => {
      await logIn(page, 'supervisor', '/console/chain?code=F1-A&direction=downstream');
      const box = page.getByLabel('追溯码', { exact: true });
      await expect(box).toHaveValue('F1-A');
      await box.fill('R1-sold');
      await page.getByRole('button', { name: '向上游溯源' }).click();
      await expect(page).toHaveURL(/code=R1-sold&direction=upstream|direction=upstream&code=R1-sold/);
      await expect(page.getByRole('strong').filter({ hasText: /^R1-sold$/ })).toBeVisible();
      await box.fill('typed and forgotten');
      await page.goBack();
      await expect(box).toHaveValue('F1-A');
      await page.goto(url('/console/chain?code=F1-A&direction=sideways'));
      await expect(page.getByRole('button', { name: '上下游', exact: true })).toHaveAttribute('aria-pressed', 'true');
      await expect(page.getByRole('strong').filter({ hasText: /^F1-A$/ })).toBeVisible();
    });

    test('G-6.5.4 an order over a code names its field where something is missing, and is made once', async ({ page }) => {
      await logIn(page, 'supervisor', '/console/chain?code=W1-2&direction=downstream');
      // What the market sold out came in here by purchase.
      await expect(page.getByRole('row', { name: /采购入库.*入/ })).toBeAttached();
      await expect(page.getByRole('row', { name: /销售出库.*入/ })).toHaveCount(0);
      const units = await page.locator('.tiles .card', { hasText: '涉及批次' }).locator('strong').innerText();
      await page.getByRole('button', { name: '管控', exact: true }).click();
      const form = page.getByRole('dialog', { name: '管控追溯单元' });
      await expect(form.getByRole('status')).toContainText(`将涉及 ${units} 个追溯单元（含本码）`);
      await form.getByLabel('原因').fill('示例：农残超标');
      await form.getByRole('button', { name: '确定' }).click();
      await expect(form.getByLabel('文号')).toBeFocused();
      await expect(form.getByLabel('文号')).toHaveAttribute('aria-invalid', 'true');
      await inspect(page, 'order-refused');
      await form.getByLabel('文号').fill(`示例〔2026〕${width} 号`);
      await form.getByRole('button', { name: '确定' }).evaluate((button: HTMLButtonElement) => {
        button.click();
        button.click();
      });
      await expect(page.getByText('已冻结')).toBeVisible();
      await expect(page.locator('.el-message--error')).toHaveCount(0);

      await page.goto(url('/console/register/trace_order'));
      await page.getByRole('link', { name: 'W1-2' }).first().click();
      await page.getByRole('button', { name: '解除冻结' }).click();
      const lifting = page.getByRole('dialog', { name: '解除冻结' });
      await lifting.getByLabel('理由').fill('示例：复检合格');
      await lifting.getByRole('button', { name: '确定' }).click();
      await expect(lifting.getByLabel('文号')).toHaveAttribute('aria-invalid', 'true');
      await inspect(page, 'order-lifting');
      await lifting.getByLabel('文号').fill('示例解〔2026〕1 号');
      await lifting.getByRole('button', { name: '确定' }).click();
      await expect(page.getByText('已解除冻结').first()).toBeVisible();
    });
  });
}
