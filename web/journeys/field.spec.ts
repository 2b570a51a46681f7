/** 现场登记: without a network, and with one again. */
import type { Page } from '@playwright/test';
import { ask, expect, inspect, logIn, password, test, url } from './base';

async function enter(page: Page, user: string): Promise<void> {
  await page.getByRole('button', { name: '登录', exact: true }).first().click();
  await page.getByLabel('用户名').fill(user);
  await page.getByLabel('口令').fill(password(user));
  await page.getByRole('button', { name: '登录', exact: true }).click();
  await page.waitForURL(url('/field/'));
  await expect(page.getByText('已连接')).toBeVisible();
}
const tab = (page: Page, name: RegExp) => page.getByRole('navigation').getByRole('button', { name });

/** What a vegetable's harvest must say besides its plot. */
async function grownWhere(page: Page): Promise<void> {
  await page.getByLabel(/^面积/).fill('2');
  await page.getByLabel(/^品种/).fill('示例品种');
  await page.getByLabel(/^播种日期/).fill('2026-08-01');
}

/** A harvest, as it is written down at the edge of the field; returns its code. */
async function harvest(page: Page, quantity: string, more: Record<string, string> = {}): Promise<string> {
  await tab(page, /登记/).click();
  await page.getByRole('button', { name: /^采收/ }).first().click();
  await page.getByRole('button', { name: '取新码' }).click();
  await expect(page.getByLabel('产出追溯码')).toHaveValue(/^[0-9A-Z]{20}$/);
  const code = await page.getByLabel('产出追溯码').inputValue();
  await page.getByLabel('产出数量').fill(quantity);
  // A harvest takes nothing in that could be the same.
  await expect(page.getByLabel('产品代码')).toHaveAttribute('placeholder', '可从列表选取');
  await page.getByLabel('产品代码').fill('YJ-JC-01');
  await page.getByLabel(/^地块编号/).fill('示例地块');
  await grownWhere(page);
  for (const [label, text] of Object.entries(more)) await page.getByLabel(label).fill(text);
  await page.getByRole('button', { name: '保存' }).click();
  await expect(page.getByText(`已存本机：采收 ${code}`)).toBeInViewport();
  return code;
}

/** How often a code was recorded. */
async function stored(page: Page, code: string): Promise<number> {
  const { items } = await ask<{ items: { outputs: { code: string }[] }[] }>(page, 'GET', '/api/v1/trace/events?type=harvest&per_page=100');
  return items.filter((event) => event.outputs.some((line) => line.code === code)).length;
}

for (const width of [390, 1440]) {
  test.describe(`${width} px`, () => {
    test.use({ viewport: { width, height: width === 390 ? 844 : 900 } });

    test('G-6.4.1 what is recorded without a network arrives once, and what is wrong is mended', async ({ page, context }) => {
      test.setTimeout(120_000);
      await page.goto(url('/field/'));
      await expect(page.getByText('先联网登录一次')).toBeVisible();
      await enter(page, 'farm');
      await expect(page.getByRole('heading', { name: '常用' })).toBeVisible();
      await inspect(page, 'field-home');
      await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
      await page.reload();
      await expect(page.getByText('已连接')).toBeVisible();

      await context.setOffline(true);
      await expect(page.getByText('离线', { exact: true })).toBeVisible();
      // What cannot be right is said at once.
      await page.getByRole('button', { name: /^采收/ }).first().click();
      await page.getByRole('button', { name: '保存' }).click();
      await expect(page.getByRole('alert').getByText('地块编号：必填')).toBeVisible();
      await page.getByLabel(/^地块编号/).fill('示例地块七');
      await inspect(page, 'field-form');
      // What is half written survives.
      await page.waitForTimeout(600);
      await page.reload();
      await page.getByRole('button', { name: /^采收/ }).first().click();
      await expect(page.getByLabel(/^地块编号/)).toHaveValue('示例地块七');
      await page.getByRole('button', { name: '返回' }).click();

      const photo = { name: '示例.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('abc') };
      const codes = [await harvest(page, '12')];
      const wrong = await harvest(page, '7', { '自检抑制率（%）': '60' });
      codes.push(await harvest(page, '30.5'));
      await page.reload();
      await tab(page, /发送/).click();
      await expect(page.getByRole('heading', { name: '待发 3' })).toBeVisible();
      await inspect(page, 'field-waiting');

      await context.setOffline(false);
      await expect(page.getByRole('heading', { name: '已收 2' })).toBeVisible();
      await expect(page.getByRole('heading', { name: '需修改 1' })).toBeVisible();
      await expect(page.getByRole('heading', { name: '待发 0' })).toBeVisible();
      await expect(page.getByText(/农残快检阳性|抑制率/)).toBeVisible();
      await inspect(page, 'field-sent');
      expect(await Promise.all([...codes, wrong].map((code) => stored(page, code)))).toEqual([1, 1, 0]);

      await page.getByRole('button', { name: '修改', exact: true }).click();
      await page.getByLabel('自检抑制率（%）').fill('6');
      await page.getByLabel('拍照或选照片').setInputFiles(photo);
      // SM3 of the bytes "abc" (GB/T 32905, example 1).
      await expect(page.getByText('66c7f0f462ee…')).toBeVisible();
      await page.getByRole('button', { name: '改好，重新发送' }).click();
      await tab(page, /发送/).click();
      await expect(page.getByRole('heading', { name: '已收 3' })).toBeVisible();
      expect(await stored(page, wrong)).toBe(1);

      // Nothing of the interface is kept by the service worker.
      const cached = await page.evaluate(async () => {
        const caches_ = await Promise.all((await caches.keys()).map((name) => caches.open(name)));
        const requests = await Promise.all(caches_.map((cache) => cache.keys()));
        return requests.flat().map((request) => new URL(request.url).pathname);
      });
      expect(cached).toContain('/field/');
      expect(cached.filter((path) => !path.startsWith('/field/'))).toEqual([]);
    });

    test('G-6.4.1 what one person recorded is sent by nobody else', async ({ page, context }) => {
      await page.goto(url('/field/'));
      await enter(page, 'farm');
      await expect(page.getByRole('heading', { name: '常用' })).toBeVisible();
      await context.clearCookies();
      const code = await harvest(page, '3');
      await expect(page.getByText('登录已过期。可以照常登记，登录后发送。')).toBeVisible();
      await tab(page, /发送/).click();
      await expect(page.getByRole('heading', { name: '待发 1' })).toBeVisible();

      // Somebody else works at the same device, and logs out of the console.
      await logIn(page, 'supervisor');
      await page.getByRole('button', { name: '退出' }).click();
      await expect(page.getByRole('button', { name: '登录' })).toBeVisible();
      await page.goto(url('/console/login?to=/field/'));
      await page.getByLabel('用户名').fill('enterprise');
      await page.getByLabel('口令').fill(password('enterprise'));
      await page.getByRole('button', { name: '登录', exact: true }).click();
      await page.waitForURL(url('/field/'));
      await tab(page, /本机/).click();
      await expect(page.getByText('本机另有 1 条待发记录属于其他账号')).toBeVisible();
      await inspect(page, 'field-device');
      await page.getByRole('button', { name: '清除本机数据' }).click();
      await page.getByRole('button', { name: '确认清除' }).click();
      await expect(page.getByText('本机数据已清除')).toBeVisible();
      await page.getByRole('button', { name: '退出' }).click();

      await enter(page, 'farm');
      await tab(page, /发送/).click();
      await expect(page.getByRole('heading', { name: '已收 1' })).toBeVisible();
      expect(await stored(page, code)).toBe(1);
    });
  });
}

test('G-6.4.1 a double tap records once', async ({ page }) => {
  await page.goto(url('/field/'));
  await enter(page, 'farm');
  // Two taps before the page has drawn anything, however slow the device.
  await page.evaluate(() =>
    document.addEventListener(
      'click',
      (event) => {
        const button = (event.target as Element).closest<HTMLButtonElement>('button[type="submit"]');
        if (event.isTrusted && button) button.click();
      },
      { capture: true },
    ),
  );
  const code = await harvest(page, '20');
  await tab(page, /发送/).click();
  await expect(page.getByRole('heading', { name: '待发 0' })).toBeVisible();
  await expect(page.getByRole('heading', { name: '已收 1' })).toBeVisible();
  expect(await stored(page, code)).toBe(1);
});

test('G-6.4.1 two tabs send each record once', async ({ page, context }) => {
  await page.goto(url('/field/'));
  await enter(page, 'farm');
  await expect(page.getByRole('heading', { name: '常用' })).toBeVisible();
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  const second = await context.newPage();
  await second.goto(url('/field/'));
  await expect(second.getByText('已连接')).toBeVisible();
  await context.setOffline(true);
  const codes = [await harvest(page, '1'), await harvest(second, '2')];
  expect(codes[0]).not.toBe(codes[1]);
  const sent: string[] = [];
  context.on('request', (request) => {
    if (request.method() === 'POST' && request.url().endsWith('/trace/events')) sent.push(request.postData() ?? '');
  });
  await context.setOffline(false);
  await tab(page, /发送/).click();
  await expect(page.getByRole('heading', { name: '已收 2' })).toBeVisible();
  for (const code of codes) {
    expect(await stored(page, code)).toBe(1);
    expect(sent.filter((body) => body.includes(code))).toHaveLength(1);
  }
});
