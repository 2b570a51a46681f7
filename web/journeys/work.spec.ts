/** Work as people do it: register, review, capture, correct, trace, prove. */
import { readFileSync } from 'node:fs';
import { expect, inspect, logIn, test, url } from './base';

test.use({ viewport: { width: 1440, height: 900 } });

test('G-6.2.2 a subject is registered by one and approved by another', async ({ page, browser }) => {
  await logIn(page, 'supervisor', '/console/register/trace_subject');
  await page.getByRole('button', { name: '登记', exact: true }).click();
  const form = page.getByRole('dialog', { name: '登记追溯主体' });
  await form.getByRole('button', { name: '提交审核' }).click();
  await expect(form.locator('.field', { hasText: '主体名称' }).getByText('必填', { exact: true })).toBeVisible();
  await form.locator('#field-code').fill('91350100M000100Y44');
  await form.getByRole('button', { name: '提交审核' }).click();
  await expect(form.getByText(/校验位不符/)).toBeVisible();
  await form.locator('#field-code').fill('91350100M000100Y43');
  await form.locator('#field-name').fill('示例新设企业');
  await choose(page, '主体类型', '企业');
  await choose(page, '环节角色', '零售');
  await form.getByRole('combobox', { name: '所属区域' }).fill('雁塔');
  await page.getByRole('option', { name: /雁塔区/ }).click();
  await form.locator('#field-industry_code').fill('5223');
  await form.locator('#field-legal_rep').fill('示例代表人');
  await form.locator('#field-contact_name').fill('示例联系人');
  await form.locator('#field-contact_phone').fill('13800000000');
  await inspect(page, 'form');
  await form.getByRole('button', { name: '提交审核' }).click();
  await expect(page.getByText('已提交审核')).toBeVisible();

  const other = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
  await logIn(other, 'reviewer', '/console/review?kind=trace_subject');
  await expect(other.getByRole('heading', { name: '示例新设企业' })).toBeVisible();
  await inspect(other, 'review');
  await other.getByRole('button', { name: '退回补正' }).click();
  await expect(other.getByText(/请写明理由/)).toBeVisible();
  await other.getByRole('button', { name: '通过', exact: true }).click();
  await expect(other.getByText('没有待审事项。')).toBeVisible();
  await other.close();

  await page.reload();
  await page.getByRole('link', { name: '示例新设企业' }).click();
  await expect(page.getByRole('dialog', { name: '示例新设企业' }).getByText('变更记录')).toBeVisible();
  await inspect(page, 'record');
});

/** Picks an option of the open form. */
async function choose(page: import('@playwright/test').Page, label: string, option: string): Promise<void> {
  await page.getByRole('dialog').getByRole('combobox', { name: label }).fill(option);
  await page.getByRole('option', { name: option, exact: true }).click();
  await page.keyboard.press('Escape');
}

test('D-6.3 data captured by hand wait for review, then go on the ledger and are proved', async ({ page, browser }) => {
  await logIn(page, 'farm', '/console/capture');
  // Its own subject is there by its name, not by its code alone.
  await expect(page.locator('form').getByText(/^示例韭菜合作社一社（\w{18}）$/)).toBeVisible();
  await page.getByRole('combobox', { name: '事件类型' }).click({ force: true });
  await page.getByRole('option', { name: /采收/ }).click();
  await page.getByLabel('发生时间').fill('2026-11-10T08:00');
  await page.getByLabel('产出追溯码').fill('HAND-1');
  await page.getByLabel('产出数量').fill('100');
  await page.getByRole('combobox', { name: '产品', exact: true }).fill('YJ-JC-01');
  await page.getByRole('option', { name: 'YJ-JC-01' }).click();
  await page.getByRole('button', { name: '提交' }).click();
  await expect(page.getByText('地块编号：必填')).toBeVisible();
  await page.getByLabel('地块编号').fill('示例地块');
  await page.getByLabel(/^面积/).fill('2');
  await page.getByLabel('品种', { exact: true }).fill('示例品种');
  await page.getByLabel('播种日期').fill('2026-08-01');
  await inspect(page, 'capture');
  await page.getByRole('button', { name: '提交' }).click();
  await expect(page.getByText('已提交，待审核后上链')).toBeVisible();
  await expect(page.getByRole('row', { name: /HAND-1/ }).getByText('待审')).toBeVisible();

  const other = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
  // The desk opens where something waits, and says of each kind how much.
  await logIn(other, 'reviewer', '/console/review');
  await expect(other.getByRole('list', { name: '待审事项' }).getByRole('listitem').first()).toBeVisible();
  await other.getByRole('button', { name: /^追溯数据\s*\d+$/ }).click();
  // What others have recorded may wait beside it.
  const waiting = other.getByRole('list', { name: '待审事项' }).getByRole('button', { name: /HAND-1/ });
  await waiting.click();
  await expect(other.getByRole('region', { name: '所审事项' }).getByText('HAND-1')).toBeVisible();
  await inspect(other, 'review-event');
  await other.getByRole('button', { name: '通过并上链' }).click();
  await expect(waiting).toHaveCount(0);
  await other.close();

  await page.goto(url('/console/events?code=HAND-1'));
  await page.getByRole('link', { name: '采收' }).click();
  const drawer = page.getByRole('dialog', { name: '采收' });
  await expect(drawer.getByText('已确认')).toBeVisible();
  await expect(drawer.getByText(/自存证以来未被改动/)).toBeVisible();
  await inspect(page, 'event');
  const [saved] = await Promise.all([page.waitForEvent('download'), drawer.getByRole('button', { name: '下载证明' }).click()]);
  expect(saved.suggestedFilename()).toMatch(/^存证证明-采收-HAND-1-\d{4}-\d\d-\d\d\.yjproof$/);
  const proof = readFileSync(await saved.path(), 'utf8');

  await page.goto(url('/console/verify'));
  const file = (text: string) => ({ name: '示例.yjproof', mimeType: 'application/json', buffer: Buffer.from(text) });
  await page.getByLabel('选择文件（可多份，可拖放）').setInputFiles(file(proof));
  await expect(page.getByText(/存证以来未被改动/)).toBeVisible();
  await inspect(page, 'verified');
  await page.getByLabel('选择文件（可多份，可拖放）').setInputFiles(file(proof.replace('"100"', '"900"')));
  await expect(page.getByText(/验证未通过：记录内容与提交的摘要不符/)).toBeVisible();
});

test('D-6.3 only what a person recorded is erased altogether', async ({ page }) => {
  await logIn(page, 'reviewer', '/console/events?code=F1-A');
  await page.getByRole('link', { name: '采收' }).first().click();
  await page.getByRole('dialog', { name: '采收' }).getByRole('button', { name: '整条删除' }).click();
  const asked = page.getByRole('dialog', { name: '整条删除' });
  await expect(asked.getByText(/不可恢复，账本上留墓碑/)).toBeVisible();
  await asked.getByLabel('理由').fill('示例：本人撤回同意');
  await inspect(page, 'erase-whole');
  await asked.getByRole('button', { name: '确定' }).click();
  await expect(page.getByText(/只有主体为自然人、农户或个体工商户的记录可以整条删除/)).toBeVisible();
});

test('G-6.5.4 the golden chain in four views', async ({ page }) => {
  await logIn(page, 'supervisor', '/console/chain?code=F1-A&direction=downstream');
  await expect(page.getByRole('strong').filter({ hasText: /^590 千克$/ })).toBeVisible();
  await expect(page.getByRole('strong').filter({ hasText: '884.9469 千克' })).toBeVisible();
  const lanes = page.getByRole('region', { name: '追溯链条泳道图' });
  await expect(lanes.getByRole('button')).toHaveCount(14);
  await lanes.getByRole('button', { name: /^W2-1/ }).click();
  await expect(page.getByText('流量流向表（W2-1）')).toBeVisible();
  await page.getByRole('button', { name: '数量流向图' }).click();
  await expect(page.locator('canvas')).toBeVisible();
  await inspect(page, 'sankey');
  await page.getByRole('button', { name: '流向地图' }).click();
  await expect(page.locator('canvas').first()).toBeVisible();
  await page.waitForLoadState('networkidle');
  await inspect(page, 'map');
  await page.getByRole('button', { name: '向上游溯源' }).click();
  await page.getByLabel('追溯码', { exact: true }).fill('NOTHING');
  await page.getByRole('button', { name: '合成链条' }).click();
  await expect(page.getByRole('alert')).toContainText('没有追溯码 NOTHING，或它不在您的数据权限范围内');
});

test('G-6.2.4 a figure is composed without code and leads to the list it counts', async ({ page }) => {
  await logIn(page, 'supervisor', '/console/registration');
  const kpi = page.getByRole('link', { name: /^企业注册数量/ });
  await expect(kpi).toContainText(/\d/);
  const all = await counted(page.getByRole('link', { name: /^追溯主体注册数量/ }));
  const share = ((2 / all) * 100).toFixed(1);
  // 合作社占比 by city.
  await pick(page, '分组', '所属区域');
  await page.getByRole('button', { name: '算比率' }).click();
  const part = page.getByRole('search', { name: '分子条件' });
  await part.getByRole('combobox', { name: '主体类型' }).fill('农民专业合作社');
  await page.getByRole('option', { name: '农民专业合作社', exact: true }).click();
  await part.getByRole('button', { name: '查询' }).click();
  const bar = page.getByRole('link', { name: /^渭南市：/ });
  await expect(bar).toHaveAccessibleName(`渭南市：2 条，占 ${share}%；比率 100.0%（2 / 2）`);
  await expect(page.getByText(`比率 ${share}%（2 / ${all}）`)).toBeVisible();
  await page.getByRole('button', { name: '表格', exact: true }).click();
  await expect(page.getByRole('row', { name: /^合计/ })).toContainText(String(all));
  await inspect(page, 'figures');
  await page.getByRole('link', { name: '渭南市' }).click();
  await expect(page).toHaveURL(/\/register\/trace_subject\?region=610500$/);
  await expect(page.getByText('共 2 条')).toBeVisible();

  // A condition twice is both conditions, in the figure as in its list.
  await page.goto(url('/console/registration?_of=trace_subject&_by=roles&_chart=table&region=610000&filed_on.from=2025-01-01'));
  await expect(page.getByText('一条登记可计入多类，占比之和可超过 100%。')).toBeVisible();
  const row = page.getByRole('row', { name: /^种植/ });
  const count = (await row.getByRole('cell').nth(1).textContent())!.trim();
  await row.getByRole('link').click();
  await expect(page.getByText(`共 ${count} 条`)).toBeVisible();
});

/** The number a page shows: those before it may have registered somebody. */
async function counted(shown: import('@playwright/test').Locator): Promise<number> {
  await expect(shown).toContainText(/\d/);
  const number = Number((await shown.textContent())!.replace(/\D/g, ''));
  expect(number).toBeGreaterThanOrEqual(18);
  return number;
}

/** Picks an option of a page. */
async function pick(page: import('@playwright/test').Page, label: string, option: string): Promise<void> {
  await page.getByRole('combobox', { name: label, exact: true }).fill(option);
  await page.getByRole('option', { name: option, exact: true }).click();
}

test('G-6.2.3 an area of the map is the condition of its list', async ({ page }) => {
  await logIn(page, 'supervisor', '/console/map');
  const all = await counted(page.getByText(/^符合条件的追溯主体 \d+ 条$/));
  await page.getByRole('button', { name: '画圆' }).click();
  await page.getByLabel('半径（公里）').last().fill('60');
  await page.getByLabel('圆心坐标').fill('108.9,34.1');
  await page.getByRole('button', { name: '应用' }).click();
  const inside = page.getByRole('complementary', { name: '图例与范围' }).getByRole('link', { name: /^\d+ 条$/ });
  await expect(page.getByText('距 108.90000, 34.10000 60 公里以内')).toBeVisible();
  await expect(inside).not.toHaveText(`${all} 条`);
  const count = (await inside.textContent())!;
  await page.getByRole('button', { name: '以表格查看' }).click();
  await expect(page.getByRole('region', { name: '追溯主体分布' }).getByRole('row')).not.toHaveCount(1);
  await inside.click();
  await expect(page.getByText(`共 ${count}`)).toBeVisible();
  await page.getByRole('button', { name: /^去掉条件：地图范围/ }).click();
  await expect(page.getByText(`共 ${all} 条`)).toBeVisible();
});

test('G-6.2.1 a file of subjects is imported, its faults are named row by row', async ({ page }) => {
  await logIn(page, 'supervisor', '/console/register/trace_subject');
  await page.getByRole('button', { name: '导入', exact: true }).click();
  const rows = [
    '主体代码,主体名称,主体类型,环节角色,所属区域,联系人,联系电话',
    'ZS6101167000000018,示例农户一,家庭农场或农户,种植,610116,示例联系人,13800000001',
    '1234,示例农户二,家庭农场或农户,种植,610116,示例联系人,13800000002',
  ];
  await page.getByLabel('选择文件并导入').setInputFiles({ name: '示例.csv', mimeType: 'text/csv', buffer: Buffer.from(rows.join('\n')) });
  await expect(page.getByText('已处理 2 / 2，成功 1，失败 1')).toBeVisible();
  await expect(page.getByText(/应为 18 位，现为 4 位/)).toBeVisible();
  await inspect(page, 'import');
});

test('G-6.3.2 products come in a file with the attributes of their domain and are passed together', async ({ page, browser }) => {
  await logIn(page, 'supervisor', '/console/register/product');
  await page.getByRole('button', { name: '导入', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: '导入重要产品' });
  await dialog.getByRole('combobox', { name: '模板适用的产品领域' }).fill('食用');
  await page.getByRole('option', { name: '食用农产品', exact: true }).click();
  const [template] = await Promise.all([page.waitForEvent('download'), dialog.getByRole('button', { name: '下载模板' }).click()]);
  expect(template.suggestedFilename()).toBe('重要产品导入模板.xlsx');
  const found = await page.request.get(url('/api/v1/trace_subject?per_page=1'));
  const subject = ((await found.json()) as { items: [{ code: string; region: string }] }).items[0];
  const row = (n: number): string => `JOURNEY-${n},示例产品${n},食用农产品,010106,KGM,${subject.code},${subject.region},蔬菜,一级`;
  const rows = ['产品代码,产品名称,产品领域,产品分类,计量单位,责任主体,所属区域,行业,质量等级', row(1), row(2)];
  await dialog.getByLabel('选择文件并导入').setInputFiles({ name: '示例.csv', mimeType: 'text/csv', buffer: Buffer.from(rows.join('\n')) });
  await expect(dialog.getByText('已处理 2 / 2，成功 2，失败 0')).toBeVisible();

  const other = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
  await logIn(other, 'reviewer', '/console/review?kind=product');
  await other.getByRole('checkbox', { name: '选中 示例产品1' }).press(' ');
  await other.getByRole('checkbox', { name: '选中 示例产品2' }).press(' ');
  await inspect(other, 'together');
  await other.getByRole('button', { name: '通过所选 2 项' }).click();
  await other.getByRole('button', { name: '全部通过' }).click();
  await expect(other.getByText('已通过 2 项')).toBeVisible();
  await expect(other.getByRole('checkbox', { name: '选中 示例产品1' })).toHaveCount(0);
  await other.close();
});

test('an enterprise sees its own and nothing else', async ({ page }) => {
  await logIn(page, 'enterprise', '/console/register/trace_subject');
  await expect(page.getByRole('row')).toHaveCount(2);
  await expect(page.getByText('行为审计')).toHaveCount(0);
  await page.goto(url('/console/chain?code=S1'));
  await expect(page.getByRole('alert')).toBeVisible();
  await page.getByRole('button', { name: '退出' }).click();
  await expect(page.getByRole('button', { name: '登录' })).toBeVisible();
});

test('the story is whole without scripts', async ({ browser }) => {
  const context = await browser.newContext({ javaScriptEnabled: false, viewport: { width: 390, height: 844 } });
  const page = await context.newPage();
  await page.goto(url('/t/C1-used'));
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('示例韭菜');
  await expect(page.getByText('示例蔬菜加工厂').first()).toBeVisible();
  await context.close();
});

test('G-5.4.4 a template and codes are registered by their forms', async ({ page }) => {
  // Whoever has none is told how to begin; others' are not theirs.
  await logIn(page, 'enterprise', '/console/register/label_template');
  await expect(page.getByText('还没有标签模板，点“新建”登记第一条')).toBeVisible();
  await page.context().clearCookies();
  await logIn(page, 'supervisor', '/console/register/label_template');
  await page.getByRole('button', { name: '新建', exact: true }).click();
  const template = page.getByRole('dialog', { name: '登记标签模板' });
  await template.locator('#field-name').fill('示例登记标签');
  await find(page, '所属主体', '示例蔬菜加工厂');
  for (const [label, option] of [
    ['标签用途', '追溯标签'],
    ['码制', '二维码（QR）'],
    ['码的位置', '左'],
    ['码的内容', '网址（扫码打开追溯页）'],
    ['是否启用', '是'],
  ] as const) {
    await choose(page, label, option);
  }
  for (const [name, value] of Object.entries({
    width_mm: '60',
    height_mm: '40',
    symbol_mm: '30',
    font_pt: '8',
    lines: '{产品名称}|{批次号}',
  })) {
    await template.locator(`#field-${name}`).fill(value);
  }
  await template.getByRole('button', { name: '保存' }).click();
  await expect(page.getByRole('row', { name: /示例登记标签/ }).getByText('是', { exact: true })).toBeVisible();

  await page.goto(url('/console/register/code_batch'));
  await page.getByRole('button', { name: '新建', exact: true }).click();
  const batch = page.getByRole('dialog', { name: '登记赋码批次' });
  await batch.locator('#field-code').fill('FORM-1');
  await find(page, '赋码主体', '示例蔬菜加工厂');
  await find(page, '产品', '示例韭菜');
  await choose(page, '编码体系', '平台自有追溯码');
  await choose(page, '包装层级', '单品');
  await choose(page, '随机码', '是');
  await batch.locator('#field-size').fill('1200');
  await batch.getByRole('button', { name: '保存' }).click();
  await expect(page.getByRole('row', { name: /FORM-1/ }).getByText('1,200')).toBeVisible();
});

/** Picks a record of the open form by its name. */
async function find(page: import('@playwright/test').Page, label: string, name: string): Promise<void> {
  await page.getByRole('dialog').getByRole('combobox', { name: label, exact: true }).fill(name);
  await page
    .getByRole('option', { name: new RegExp(name) })
    .first()
    .click();
}
