/** 上报情况: who fell silent, whose months came at the last moment, whose prices are far off; and what is not told of prices. */
import type { Page } from '@playwright/test';
import { ask, expect, inspect, logIn, test, url } from './base';

const LONG = '示例省示例市示例区第一农产品批发交易市场有限责任公司示例分公司';
const subject = { id: '01a21cfa-0000-7000-8000-000000000001', code: '91350100M000100Y43', name: LONG };
const at = '2026-11-18T10:30:00+08:00';
const month = { subject, domain: 'rare_earth', domain_name: '稀土产品', month: '2026-10', due: '2026-11-10', late: 0 };
const place = { subject, region: '610104', region_name: '莲湖区', found_at: '2026-11-21T11:00:00+08:00' };
const ANSWERS: [path: string, items: (event: string) => object[]][] = [
  [
    'reporters',
    () => [
      { ...place, id: 'r1', state: 'silent', merchant: null, last_event_time: at, days: 3 },
      {
        ...place,
        id: 'r2',
        state: 'idle',
        merchant: { id: 'm', code: '610104901001', name: '示例档口' },
        last_event_time: null,
        days: null,
      },
    ],
  ],
  [
    'reports',
    () => [
      { ...month, id: 'm1', events: 1200, last_hour: 1200, state: 'burst' },
      { ...month, id: 'm2', month: '2026-09', due: '2026-10-10', events: 9, last_hour: 0, late: 2, state: 'late' },
      { ...month, id: 'm3', month: '2026-08', due: '2026-09-10', events: 8, last_hour: 0, state: 'prompt' },
    ],
  ],
  [
    'prices/unusual',
    (event) => [
      {
        event,
        event_time: at,
        subject,
        goods: { code: '0101', name: '示例韭菜' },
        unit: 'KGM',
        side: 'above',
        times: '10',
        compared: 24,
        price: null,
        median: null,
      },
    ],
  ],
];

/** The lists as a platform answers them on which such things have happened. */
async function happened(page: Page): Promise<void> {
  const { items } = await ask<{ items: { id: string }[] }>(page, 'GET', '/api/v1/trace/events?per_page=1');
  const event = items[0]!.id;
  for (const [path, rows] of ANSWERS) {
    await page.route(`**/api/v1/trace/${path}?*`, (route) => route.fulfill({ json: { items: rows(event), next: null } }));
  }
  await page.route(`**/api/v1/trace/events/${event}`, async (route) => {
    const response = await route.fetch();
    const told = { sensitive: ['unit_price', 'amount'], unusual_price: { side: 'above', times: '10', compared: 24 } };
    await route.fulfill({ response, json: { ...((await response.json()) as object), ...told } });
  });
}

for (const width of [1440, 390]) {
  test.describe(`${width} px`, () => {
    test.use({ viewport: { width, height: 900 } });

    test('G-6.4.3 who fell silent, what came at the last moment and what costs too much are told side by side', async ({ page }) => {
      await logIn(page, 'supervisor');
      await happened(page);
      await page.goto(url('/console/reporting'));
      await expect(page.getByRole('row', { name: /停报/ })).toContainText('91350100M000100Y43');
      await expect(page.getByRole('row', { name: /停业/ })).toContainText('从未有过');
      await inspect(page, 'reporting-silent');

      await page.getByRole('link', { name: '按月报送' }).click();
      await expect(page.getByRole('row', { name: /突击报送/ })).toContainText('2026-10');
      await expect(page).toHaveURL(/\/reporting\?tab=months$/);
      await expect(page.locator('#menu .active')).toHaveText('上报情况');
      await inspect(page, 'reporting-months');
      const asked = page.waitForRequest(/trace\/reports\?.*state=late/);
      await page.goto(url('/console/reporting?tab=months&state=late'));
      expect(new URL((await asked).url()).searchParams.get('tab')).toBeNull();

      await page.getByRole('link', { name: '异常单价' }).click();
      await expect(page.getByText('单价与中位数属商业秘密')).toBeVisible();
      await inspect(page, 'reporting-prices');
      await page.getByRole('link', { name: '示例韭菜' }).click();
      const drawer = page.getByRole('dialog');
      await expect(drawer.getByText('单价为近 30 天同类产品的中位数（比较 24 笔）的 10 倍，请核对计量单位')).toBeVisible();
      await expect(drawer.getByText('含商业秘密 2 项，您的许可密级不足，不能查看')).toBeVisible();
      await inspect(page, 'reporting-event');
      // What is not shown cannot come along.
      await drawer.getByRole('link', { name: '更正此事件' }).click();
      await expect(page.getByText('原事件含商业秘密 2 项，您的许可密级不足')).toBeVisible();
      await inspect(page, 'reporting-correction');
    });

    test('G-6.4.3 where nothing is remarkable, what would be is said', async ({ page }) => {
      await logIn(page, 'supervisor');
      for (const [path] of ANSWERS)
        await page.route(`**/api/v1/trace/${path}?*`, (route) => route.fulfill({ json: { items: [], next: null } }));
      for (const [tab, says] of [
        ['', '没有停报的主体，也没有停业的商户'],
        ['?tab=months', '还没有按月报送的事件'],
        ['?tab=prices', '没有异常单价'],
      ]) {
        await page.goto(url(`/console/reporting${tab}`));
        await expect(page.getByText(says!)).toBeVisible();
        await inspect(page, `reporting-none${tab!.replace('?tab=', '-')}`);
      }
      await page.goto(url('/console/reporting?tab=prices&domain=agri'));
      await expect(page.getByText('没有符合条件的记录，可清空条件再查')).toBeVisible();
    });
  });
}
