/** 扫码出入库: with a scanner that types, and with a camera. */
import type { Browser, Page } from '@playwright/test';
import { ask, expect, inspect, logIn, test, url } from './base';
import { filmOf } from './qr';

const FILM = 'LENS-1';
test.use({
  launchOptions: {
    executablePath: process.env.YJ_CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--use-fake-ui-for-media-stream',
      '--use-fake-device-for-media-stream',
      `--use-file-for-fake-video-capture=${filmOf(`https://zs.example.cn/t/${FILM}`)}`,
    ],
  },
});

interface Taken {
  results: { id: string; state: string }[];
}
const minutesAgo = (minutes: number): string => `${new Date(Date.now() - minutes * 60_000).toISOString().slice(0, 19)}Z`;

/** Batches of the farm, of 100 kilograms each, approved by somebody else. */
async function grown(page: Page, browser: Browser, codes: string[]): Promise<void> {
  const { subject } = await ask<{ subject: { id: string } }>(page, 'GET', '/api/v1/me');
  const { code } = await ask<{ code: string }>(page, 'GET', `/api/v1/trace_subject/${subject.id}`);
  const events = codes.map((one) => ({
    domain: 'agri',
    type: 'harvest',
    subject: code,
    event_time: minutesAgo(60),
    outputs: [{ code: one, quantity: '100', unit: 'KGM', product: 'YJ-JC-01' }],
    attributes: { plot: '示例地块', area_mu: '2', variety: '示例品种', sown_on: '2026-08-01' },
  }));
  await approved(browser, await ask<Taken>(page, 'POST', '/api/v1/trace/events', { events }));
}

async function approved(browser: Browser, { results }: Taken): Promise<void> {
  const context = await browser.newContext();
  const other = await context.newPage();
  await logIn(other, 'reviewer');
  for (const { id, state } of results) {
    if (state === 'held') await ask(other, 'POST', `/api/v1/trace/events/${id}/approve`, { comment: '属实' });
  }
  await context.close();
}

/** What is left of a batch. */
const held = async (page: Page, code: string): Promise<string> =>
  (await ask<{ held: string }>(page, 'GET', `/api/v1/trace/objects/${code}`)).held;

async function shoot(page: Page, text: string, end = 'Enter'): Promise<void> {
  await page.keyboard.type(text, { delay: 2 });
  await page.keyboard.press(end);
}

async function choose(page: Page, type: RegExp): Promise<void> {
  await page.getByRole('combobox', { name: '事件类型' }).click({ force: true });
  await page.getByRole('option', { name: type }).click();
  await expect(page.getByLabel('扫码', { exact: true }).and(page.locator('input'))).toBeFocused();
}

for (const width of [1440, 390]) {
  test.describe(`${width} px`, () => {
    test.use({ viewport: { width, height: width === 390 ? 844 : 900 } });

    test('G-6.4.1 goods go out by scanning, and only those that may', async ({ page, browser }) => {
      const [one, two, three] = [`GUN-${width}-1`, `GUN-${width}-2`, `GUN-${width}-3`];
      await logIn(page, 'farm');
      await grown(page, browser, [one, two, three]);
      await page.goto(url('/console/trace/scan'));
      await choose(page, /出库 · 零售/);
      const [said, lines] = [page.getByRole('status'), page.getByRole('listitem')];
      await shoot(page, one);
      await expect(said).toContainText('可出库');
      await expect(page.getByText('示例韭菜 100 千克（1 个码）')).toBeVisible();
      // The same label again, as the address it is printed as, from a scanner that sends Tab.
      await shoot(page, `https://zs.example.cn/t/${one}`, 'Tab');
      await expect(said).toContainText('共 2 次，只计一次');
      await expect(lines).toHaveCount(1);
      await shoot(page, two);
      await expect(page.getByText('示例韭菜 200 千克（2 个码）')).toBeVisible();
      await page.getByLabel(`数量：${two}`).fill('20');
      await expect(page.getByText('余 80，将为这一部分申领新码', { exact: true })).toBeVisible();
      // Keys that nobody asked for go to the scan field.
      await page.getByRole('heading', { name: '扫码出入库' }).click();
      await shoot(page, 'NOTHING-9');
      await expect(said).toContainText('查不到');
      await shoot(page, 'F1-A');
      await expect(said).toContainText('无结存');
      await shoot(page, '(01)06901234567893(10)L1');
      await expect(said).toContainText('商品条码校验位应为 2，现为 3');
      await shoot(page, three);
      await expect(said).toContainText('可出库');
      await page.getByRole('button', { name: '撤销上一个' }).click();
      await expect(lines).toHaveCount(5);
      await inspect(page, 'scan');
      await page.reload();
      await expect(lines).toHaveCount(5);
      await expect(page.getByText('另有 3 个不提交')).toBeVisible();
      await page.getByRole('button', { name: '提交 2 条' }).click();
      await expect(page.getByText('已提交 2 条')).toBeVisible();
      await expect(page.getByLabel('已扫的码').getByRole('listitem')).toHaveCount(3);
      await inspect(page, 'scan-done');

      const waiting = await ask<{ items: { id: string; state: string; outputs: { code: string }[] }[] }>(
        page,
        'GET',
        '/api/v1/trace/events?type=retail&state=held',
      );
      const mine = waiting.items.filter((event) => [one, two].some((code) => JSON.stringify(event).includes(`"${code}"`)));
      expect(mine).toHaveLength(2);
      await approved(browser, { results: mine });
      expect(await held(page, one)).toBe('0');
      expect(await held(page, two)).toBe('80');
      // The part that was sold has a code of its own.
      const sold = mine.flatMap((event) => event.outputs.map((line) => line.code)).filter((code) => code !== one);
      expect(sold).toHaveLength(1);
      expect(sold[0]).toMatch(/^[0-9A-Z]{20}$/);

      const kept = (): Promise<number> =>
        page.evaluate(() => Object.keys(localStorage).filter((key) => /^yj\.scan\.(?!kind)/.test(key)).length);
      expect(await kept()).toBe(1);
      await page.getByRole('button', { name: '退出' }).click();
      await expect(page.getByRole('button', { name: '登录' })).toBeVisible();
      expect(await kept()).toBe(0);
    });
  });
}

test.describe('390 px', () => {
  test.use({ viewport: { width: 390, height: 844 } });

  test('G-6.4.1 a phone reads the label with its camera', async ({ page, browser }) => {
    await logIn(page, 'farm');
    await grown(page, browser, [FILM]);
    await page.goto(url('/console/trace/scan'));
    await choose(page, /出库 · 零售/);
    await page.getByRole('button', { name: '相机', exact: true }).click();
    await expect(page.getByLabel('已扫的码').getByText(FILM)).toBeVisible();
    await expect(page.getByRole('status')).toContainText('可出库');
    // It stays in sight and counts once.
    await page.waitForTimeout(2000);
    await expect(page.getByText(/扫了 \d+ 次/)).toHaveCount(0);
    await inspect(page, 'scan-camera');
    await page.getByRole('button', { name: '关闭相机' }).click();
    await expect(page.getByLabel('相机扫码')).toHaveCount(0);
  });

  test('G-6.4.1 a phone whose camera may not be used says what to do', async ({ page }) => {
    await page.addInitScript(() => {
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotAllowedError'));
    });
    await logIn(page, 'farm', '/console/trace/scan');
    await choose(page, /出库 · 批发/);
    await page.getByRole('button', { name: '相机', exact: true }).click();
    await expect(page.getByRole('alert')).toContainText('没有使用相机的许可');
    await inspect(page, 'scan-refused');
  });
});
