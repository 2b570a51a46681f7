/** What is wrong with what is written down leads to its field; certificates and transactions lead to what they are about. */
import { ask, expect, inspect, logIn, test, url } from './base';

interface Taken {
  results: { id: string; state: string }[];
}
const line = (code: string, quantity: string, more = {}): object => ({ code, quantity, unit: 'KGM', ...more });

test('D-6.3 a refused event leads to its first wrong field, and each line of the list to its own', async ({ page }) => {
  await logIn(page, 'farm', '/console/capture');
  await expect(page.locator('form').getByText(/^示例韭菜合作社一社（\w{18}）$/)).toBeVisible();
  await page.getByRole('combobox', { name: '事件类型' }).click({ force: true });
  await page.getByRole('option', { name: /采收/ }).click();
  await page.getByLabel('发生时间').fill('2026-11-10T08:00');
  await page.getByLabel('产出追溯码').fill('韭');
  await page.getByLabel('产出数量').fill('一百');
  await page.getByRole('button', { name: '提交' }).click();
  const said = page.getByRole('alert').filter({ hasText: '有 3 处需要改正' });
  await expect(said).toBeVisible();
  await expect(page.getByLabel('产出追溯码')).toBeFocused();
  await expect(page.getByLabel('产出追溯码')).toHaveAttribute('aria-invalid', 'true');
  await inspect(page, 'capture-refused');
  await said.getByRole('link', { name: '地块编号：必填' }).click();
  await expect(page.getByLabel('地块编号')).toBeFocused();
  // What has been changed is wrong no longer, as far as anybody knows.
  await page.getByLabel('地块编号').fill('示例地块');
  await expect(page.getByLabel('地块编号')).not.toHaveAttribute('aria-invalid');
  await expect(page.getByLabel('产出数量')).toHaveAttribute('aria-invalid', 'true');
});

for (const width of [1440, 390]) {
  test.describe(`${width} px`, () => {
    test.use({ viewport: { width, height: 900 } });

    test('handbook §4.1 a certificate is made out, made out anew and voided', async ({ page, browser }) => {
      await logIn(page, 'farm', '/console/register/batch_document');
      const code = `PAPER-${width}`;
      const me = await ask<{ subject: { id: string } }>(page, 'GET', '/api/v1/me');
      const farm = await ask<{ code: string }>(page, 'GET', `/api/v1/trace_subject/${me.subject.id}`);
      const harvest = {
        domain: 'agri',
        type: 'harvest',
        subject: farm.code,
        event_time: '2026-11-10T08:00:00+08:00',
        outputs: [line(code, '100', { product: 'YJ-JC-01' })],
        attributes: { plot: '示例地块', area_mu: '2', variety: '示例品种', sown_on: '2026-08-01' },
      };
      const taken = await ask<Taken>(page, 'POST', '/api/v1/trace/events', harvest);
      const other = await (await browser.newContext()).newPage();
      await logIn(other, 'reviewer');
      if (taken.results[0]!.state === 'held') await ask(other, 'POST', `/api/v1/trace/events/${taken.results[0]!.id}/approve`, {});
      await other.context().close();

      await page.getByRole('button', { name: '开具合格证' }).click();
      const form = page.getByRole('dialog', { name: '开具承诺达标合格证' });
      await form.getByRole('button', { name: '开具' }).click();
      await expect(form.getByLabel('所附批次')).toBeFocused();
      await form.getByLabel('所附批次').fill(code);
      await form.getByLabel('数量', { exact: true }).fill('101');
      await form.getByLabel('产地').fill('示例县示例乡');
      await form.getByRole('combobox', { name: '承诺依据' }).click({ force: true });
      await page.getByRole('option', { name: '自行检测' }).click();
      await form.getByLabel('联系方式').fill('13800000001');
      await form.getByRole('button', { name: '开具' }).click();
      await expect(form.getByRole('link', { name: /超出 1 千克/ })).toBeVisible();
      await expect(form.getByLabel('数量', { exact: true })).toBeFocused();
      await inspect(page, 'certificate-form');
      await form.getByLabel('数量', { exact: true }).fill('30');
      await form.getByRole('button', { name: '开具' }).click();
      const number = await form.getByRole('status').locator('.mono').innerText();
      // What goes with the goods has the contact that was asked for; the page itself has it for nobody else.
      const [sheet] = await Promise.all([page.waitForEvent('popup'), form.getByRole('link', { name: '打开合格证' }).click()]);
      await expect(sheet.getByRole('button', { name: '打印' })).toBeVisible();
      await expect(sheet.getByText('13800000001')).toBeHidden();
      await inspect(sheet, 'certificate-page');
      await sheet.emulateMedia({ media: 'print' });
      await expect(sheet.getByText('13800000001')).toBeVisible();
      await expect(sheet.getByRole('button', { name: '打印' })).toBeHidden();
      // A stamp goes where a hand signs: nothing printed touches it, however large the letters are.
      for (const large of [false, true]) {
        const room = await sheet.evaluate((set) => {
          document.documentElement.toggleAttribute('data-large', set);
          const edge = (name: string) => [...document.querySelectorAll(name)].at(-1)!.getBoundingClientRect();
          return edge('.seal').top - edge('.paper').bottom;
        }, large);
        expect(room).toBeGreaterThan(20);
      }
      await sheet.evaluate(() => document.documentElement.removeAttribute('data-large'));
      if (process.env.YJ_SCREENSHOTS) await sheet.screenshot({ path: `${process.env.YJ_SCREENSHOTS}/certificate-paper-${width}.png` });
      await sheet.emulateMedia({ media: 'screen' });
      await sheet.reload();
      await expect(sheet.locator('#contact')).toHaveText('');
      await sheet.close();
      await form.getByRole('button', { name: '关闭', exact: true }).click();

      // Printed again, it has the contact again, and nothing of it stays in the browser.
      await page.getByRole('link', { name: number }).click();
      await page.getByRole('button', { name: '打印', exact: true }).click();
      const again = page.getByRole('dialog', { name: '打印合格证' });
      await again.getByLabel('联系方式').fill('13800000002');
      await inspect(page, 'certificate-again');
      const [copy] = await Promise.all([page.waitForEvent('popup'), again.getByRole('link', { name: '打开合格证' }).click()]);
      await expect(copy.locator('#contact')).toHaveText('13800000002');
      await copy.close();
      expect(await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]))).not.toContain('1380000000');
      await again.getByRole('button', { name: '关闭', exact: true }).click();

      await page.getByRole('button', { name: '并分重开' }).click();
      const anew = page.getByRole('dialog', { name: '并分重开合格证' });
      await expect(anew.getByLabel('来源合格证')).toHaveValue(number);
      await anew.getByLabel('所附批次').fill(code);
      await anew.getByLabel('数量', { exact: true }).fill('30');
      await anew.getByLabel('联系方式').fill('13800000001');
      await anew.getByRole('button', { name: '开具' }).click();
      const second = await anew.getByRole('status').locator('.mono').innerText();
      await anew.getByRole('button', { name: '关闭', exact: true }).click();
      await page.goto(url(`/c/${number}`));
      await page.getByRole('link', { name: second }).click();
      await expect(page.getByText('有效', { exact: true })).toBeVisible();

      await page.goto(url('/console/register/batch_document'));
      await page.getByRole('link', { name: second }).click();
      await page.getByRole('button', { name: '作废', exact: true }).click();
      await page.getByLabel('理由').fill('产地有误');
      await page.getByRole('button', { name: '确定' }).click();
      await expect(page.getByText('已作废')).toBeVisible();
      await page.goto(url(`/c/${second}`));
      await expect(page.getByText('产地有误')).toBeVisible();
      await inspect(page, 'certificate-void');
    });

    test('G-6.4.3 a difference between two parties leads to the events that it is about', async ({ page, browser }) => {
      const [lot, voucher] = [`MATCH-${width}`, `示例凭证-${width}`];
      const gate = await (await browser.newContext()).newPage();
      await logIn(gate, 'supervisor');
      const of = async (name: string): Promise<string> =>
        (await ask<{ items: { code: string }[] }>(gate, 'GET', `/api/v1/trace_subject?name=${encodeURIComponent(name)}`)).items[0]!.code;
      const [farm, plant] = [await of('示例韭菜合作社一社'), await of('示例蔬菜加工厂')];
      const reviewer = await (await browser.newContext()).newPage();
      await logIn(reviewer, 'reviewer');
      const record = async (user: string, event: object): Promise<void> => {
        const one = await (await browser.newContext()).newPage();
        await logIn(one, user);
        const { results } = await ask<Taken>(one, 'POST', '/api/v1/trace/events', event);
        if (results[0]!.state === 'held') await ask(reviewer, 'POST', `/api/v1/trace/events/${results[0]!.id}/approve`, {});
        await one.context().close();
      };
      const at = (time: string): object => ({ domain: 'agri', event_time: `2026-11-11T${time}:00+08:00` });
      await record('farm', {
        ...at('08:00'),
        type: 'harvest',
        subject: farm,
        outputs: [line(`${lot}-H`, '100', { product: 'YJ-JC-01' })],
        attributes: { plot: '示例地块', area_mu: '2', variety: '示例品种', sown_on: '2026-08-01' },
      });
      await record('farm', {
        ...at('09:00'),
        type: 'wholesale',
        subject: farm,
        counterparty: plant,
        inputs: [line(`${lot}-H`, '60')],
        outputs: [line(lot, '60', { lot })],
        attributes: { voucher_no: voucher },
      });
      await record('enterprise', {
        ...at('18:00'),
        type: 'market_entry',
        subject: plant,
        counterparty: farm,
        inputs: [line(lot, '50')],
        attributes: { voucher: 'purchase', voucher_no: voucher, quick_test: 'pass' },
      });
      await logIn(page, 'enterprise', `/console/matches?batch=${lot}`);
      const row = page.getByRole('row', { name: /数量不符/ });
      await expect(row).toBeVisible();
      // What is told of a row comes first on a phone, and that there is more is said.
      const heads = await page.getByRole('columnheader').allInnerTexts();
      expect(heads.slice(0, 2)).toEqual(width === 390 ? ['状态', '批次号'] : ['状态', '发货方']);
      await expect(page.getByText('左右滑动可看其余各列')).toBeVisible({ visible: width === 390 });
      await inspect(page, 'matches-found');
      // The seller's event is the seller's; one's own names the seller, who is no subject of one's own.
      await expect(row.getByRole('link')).toHaveCount(1);
      await row.getByRole('link', { name: '收货事件：50 千克' }).click();
      const drawer = page.getByRole('dialog', { name: '入场登记' });
      await expect(drawer.getByText('示例韭菜合作社一社')).toBeVisible();
      await inspect(page, 'match-event');
    });
  });
}
