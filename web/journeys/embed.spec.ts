/** D-6.6.2: 公众查询 within a page of another site. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, inspect, test, url } from './base';

/** Another site: one page with the script in it. */
async function site(host: string, attributes: string): Promise<{ home: string; close: () => void }> {
  const page = `<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>示例商城</title>
    <meta name="viewport" content="width=device-width, initial-scale=1"></head>
    <body><main><h1>示例韭菜 500 克</h1><script src="${url('/embed.js')}" ${attributes} async></script></main></body></html>`;
  const server = createServer((_, answer) => answer.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(page));
  await new Promise<void>((listening) => server.listen(0, host, listening));
  return { home: `http://${host}:${(server.address() as AddressInfo).port}/`, close: () => server.close() };
}

for (const width of [390, 1440]) {
  test.describe(`${width} px`, () => {
    test.use({ viewport: { width, height: width === 390 ? 844 : 900 } });

    test('D-6.6.2 a shop shows the trace of what it sells in its own page', async ({ page }) => {
      const shop = await site('127.0.0.1', 'data-code="R1-sold"');
      await page.goto(shop.home);
      const frame = page.frameLocator('iframe[title="产品追溯信息"]');
      await expect(frame.getByRole('heading', { name: '示例韭菜' })).toBeVisible();
      await expect(frame.getByRole('heading', { name: '经过的环节' })).toBeVisible();
      // As high as what is in it: nothing has to be scrolled to, and nothing is left empty.
      const inner = await frame.locator('body').evaluate((body: HTMLElement) => body.offsetHeight);
      expect(inner).toBeGreaterThan(480);
      await expect.poll(() => page.locator('iframe').evaluate((one) => one.clientHeight)).toBe(inner);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
      await inspect(page, 'embed');
      const [whole] = await Promise.all([page.waitForEvent('popup'), frame.getByRole('link', { name: /查看、校验存证/ }).click()]);
      await expect(whole).toHaveURL(url('/t/R1-sold'));
      shop.close();
    });
  });
}

test('D-6.6.2 the lot in hand is looked for without leaving the shop', async ({ page }) => {
  const shop = await site('127.0.0.1', 'data-code="06901234567892"');
  await page.goto(shop.home);
  const frame = page.frameLocator('iframe[title="产品追溯信息"]');
  await frame.getByLabel(/批次号/).fill('R1-sold');
  await frame.getByRole('button', { name: '查询' }).click();
  await expect(frame.getByRole('heading', { name: '经过的环节' })).toBeVisible();
  await expect(page).toHaveURL(shop.home);
  shop.close();
});

test('D-6.6.2 who is not named shows nothing', async ({ page, faults }) => {
  const stranger = await site('127.0.0.2', 'data-code="R1-sold"');
  await page.goto(stranger.home);
  await expect.poll(() => faults.splice(0).join()).toContain('frame-ancestors');
  await expect(page.frameLocator('iframe').getByRole('heading', { name: '示例韭菜' })).toHaveCount(0);
  stranger.close();
});
