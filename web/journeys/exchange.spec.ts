/** EPCIS 交换: a document is handed in by hand, and told what is wrong with it. */
import { expect, inspect, logIn, test } from './base';

const WHEN = { eventTime: '2026-11-20T08:00:00+08:00', eventTimeZoneOffset: '+08:00' };
function document(...events: object[]): { name: string; mimeType: string; buffer: Buffer } {
  const whole = {
    '@context': ['https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld'],
    type: 'EPCISDocument',
    schemaVersion: '2.0',
    creationDate: '2026-11-20T10:00:00Z',
    epcisBody: { eventList: events },
  };
  return { name: '示例.json', mimeType: 'application/json', buffer: Buffer.from(JSON.stringify(whole)) };
}

for (const width of [1440, 390]) {
  test.describe(`${width} px`, () => {
    test.use({ viewport: { width, height: width === 390 ? 844 : 900 } });

    test('G-8-2 an EPCIS document is handed in without a program', async ({ page }) => {
      await logIn(page, 'farm', '/console/epcis');
      const file = page.getByLabel('上传 EPCIS 文档');
      const epcList = [`https://id.gs1.org/01/06901234567892/21/J${width}`];
      const event = { type: 'ObjectEvent', ...WHEN, epcList, action: 'ADD', bizStep: 'commissioning' };
      await file.setInputFiles(document(event, { ...event, action: 'EAT' }));
      await expect(page.getByRole('alert')).toContainText('第 2 个事件的 action：应为 OBSERVE、ADD、DELETE 之一');
      await file.setInputFiles({ name: '示例.xml', mimeType: 'application/xml', buffer: Buffer.from('<a/>') });
      await expect(page.getByRole('alert')).toContainText('根元素应为 EPCIS 命名空间的 EPCISDocument');
      await file.setInputFiles(document(event));
      await expect(page.getByRole('alert')).toHaveCount(0);
      await expect(
        page
          .getByRole('region', { name: '采集任务' })
          .getByRole('row', { name: /已收 1/ })
          .first(),
      ).toBeVisible();
      await page.getByLabel('标识').fill(epcList[0]!);
      await page.getByRole('button', { name: '查找' }).click();
      const row = page.getByRole('row', { name: /对象事件/ });
      await expect(row.getByText('新增')).toBeVisible();
      await expect(row.getByText('赋码启用')).toBeVisible();
      await inspect(page, 'epcis-handed-in');
    });
  });
}

test('G-8-2 a file of the interface is kept under a name that says what it is', async ({ page }) => {
  await logIn(page, 'supervisor', '/console/interface');
  await page.getByLabel('名称或路径').fill('codelists/agri/');
  await page.getByRole('button', { name: '查询' }).click();
  const link = page.getByRole('link', { name: /^codelists\/agri\/[\d.]+\.csv$/ });
  const [file] = await Promise.all([page.waitForEvent('download'), link.click()]);
  expect(file.suggestedFilename()).toMatch(/^codelists-agri-[\d.]+\.csv$/);
});
