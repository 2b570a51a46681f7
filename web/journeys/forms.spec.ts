/** Forms keep what people typed: corrections, sessions that end, forms that are left, and acts that are pressed twice. */
import type { Page } from '@playwright/test';
import { ask, expect, inspect, logIn, password, test, url } from './base';

test.use({ viewport: { width: 1440, height: 900 } });

interface Taken {
  results: { id: string; state: string }[];
}

type Recorded = Record<string, unknown>;

/** A harvest of the farm's, as its own system would send it: in UTC, to the second, with two papers and a file. */
async function harvested(page: Page, code: string): Promise<{ id: string; body: Record<string, unknown> }> {
  const me = await ask<{ subject: { id: string } }>(page, 'GET', '/api/v1/me');
  const farm = await ask<{ code: string }>(page, 'GET', `/api/v1/trace_subject/${me.subject.id}`);
  const body = {
    domain: 'agri',
    type: 'harvest',
    subject: farm.code,
    event_time: '2026-11-09T22:30:15Z',
    outputs: [{ code, quantity: '100', unit: 'KGM', product: 'YJ-JC-01' }],
    attributes: { plot: '示例地块', area_mu: '2', variety: '示例品种', sown_on: '2026-08-01' },
    place: { region: '610112', address: '示例路一号', lon: '108.9', lat: '34.3' },
    documents: [
      { type: '示例检疫证书', no: '示例-1' },
      { type: 'waybill', no: '示例-2' },
    ],
    evidence: [{ name: '示例.jpg', sm3: '66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0' }],
    external_id: `示例-${code}`,
  };
  const taken = await ask<Taken>(page, 'POST', '/api/v1/trace/events', body);
  return { id: taken.results[0]!.id, body };
}

async function approve(page: Page, id: string): Promise<void> {
  const other = await (await page.context().browser()!.newContext()).newPage();
  await logIn(other, 'reviewer');
  await ask(other, 'POST', `/api/v1/trace/events/${id}/approve`, {});
  await other.context().close();
}

async function choose(page: Page, label: string, option: RegExp): Promise<void> {
  await page.getByRole('combobox', { name: label }).click({ force: true });
  await page.getByRole('option', { name: option }).first().click();
}

for (const width of [1440, 390]) {
  test.describe(`${width} px`, () => {
    test.use({ viewport: { width, height: width === 390 ? 844 : 900 } });

    test('D-6.3 a correction sends back what it did not change, and the desk says what it changes', async ({ page, browser }) => {
      await logIn(page, 'farm');
      const { id, body } = await harvested(page, `CORR-${width}`);
      await approve(page, id);
      await page.goto(url(`/console/capture?correct=${id}`));
      await expect(page.getByRole('heading', { name: '更正追溯事件' })).toBeVisible();
      await expect(page.getByLabel('发生时间')).toHaveValue('2026-11-10T06:30:15');
      await expect(page.getByLabel('产出数量')).toHaveValue('100');
      await page.getByLabel('更正原因').fill('示例：称重有误');
      await page.getByLabel('产出数量').fill('90');
      await inspect(page, 'correction');
      await page.getByRole('button', { name: '提交更正' }).click();
      await page.waitForURL(/\/events/);
      await page.goto(url('/console/events?state=held'));
      await expect(page.getByRole('link', { name: '更正：采收' }).first()).toBeVisible();
      const of = (event: Recorded): unknown => {
        const { event_time, attributes, documents, place, evidence, external_id, inputs, counterparty } = event;
        return { event_time, attributes, documents, place, evidence, external_id, inputs, counterparty };
      };
      const { items } = await ask<{ items: Recorded[] }>(page, 'GET', '/api/v1/trace/events?state=held&per_page=100');
      const before = await ask<Recorded>(page, 'GET', `/api/v1/trace/events/${id}`);
      expect(of(before)).toMatchObject({ documents: body['documents'], evidence: body['evidence'], external_id: body['external_id'] });
      expect(of(items.find((one) => one['correction_of'] === id)!)).toEqual(of(before));

      const desk = await (await browser.newContext({ viewport: { width, height: 900 } })).newPage();
      await logIn(desk, 'reviewer', '/console/review?kind=trace_event');
      await desk
        .getByRole('list', { name: '待审事项' })
        .getByRole('button', { name: new RegExp(`更正：采收.*CORR-${width}`) })
        .click();
      const change = desk.getByRole('group', { name: '更正' });
      await expect(change).toContainText('原因：示例：称重有误');
      await expect(change.getByText('100 千克')).toBeVisible();
      await expect(change).toContainText(/100 千克.* → 90 千克/);
      await inspect(desk, 'review-correction');
      await desk.context().close();
    });
  });
}

test('D-6.3 the menu leads from a correction to an empty form', async ({ page }) => {
  await logIn(page, 'farm');
  const { id } = await harvested(page, 'MENU-1');
  await page.goto(url(`/console/capture?correct=${id}`));
  await expect(page.getByLabel('产出追溯码')).toHaveValue('MENU-1');
  await page.locator('#menu').getByRole('link', { name: '数据采集' }).click();
  await expect(page.getByRole('heading', { name: '数据采集' })).toBeVisible();
  await expect(page.getByLabel('产出追溯码')).toHaveCount(0);
  await choose(page, '事件类型', /采收/);
  await expect(page.getByLabel('产出追溯码')).toHaveValue('');
});

test('D-6.3 what was typed is not lost without a word', async ({ page }) => {
  await logIn(page, 'farm', '/console/capture');
  await expect(page.locator('form').getByText(/^示例韭菜合作社一社（\w{18}）$/)).toBeVisible();
  await choose(page, '事件类型', /采收/);
  await page.getByLabel('产出追溯码').fill('KEEP-1');
  await page.getByLabel('产出数量').fill('5');
  await page.getByLabel('地块编号').fill('示例地块');
  // Another type asks for other things; what was typed is there when it is chosen back.
  await choose(page, '事件类型', /出栏/);
  await expect(page.getByLabel('产出追溯码')).toHaveValue('KEEP-1');
  await choose(page, '事件类型', /采收/);
  await expect(page.getByLabel('地块编号')).toHaveValue('示例地块');

  await page.locator('#menu').getByRole('link', { name: '数据台账' }).click();
  const asked = page.getByRole('dialog', { name: '内容还没有提交' });
  await expect(asked).toBeVisible();
  await inspect(page, 'leaving');
  await asked.getByRole('button', { name: '继续填写' }).click();
  await expect(page.getByLabel('产出追溯码')).toHaveValue('KEEP-1');

  await page.context().clearCookies();
  await page.getByRole('button', { name: '提交', exact: true }).click();
  await page.getByLabel('用户名').fill('farm');
  await page.getByLabel('口令').fill(password('farm'));
  await page.getByRole('button', { name: '登录', exact: true }).click();
  await expect(page.getByText('已恢复登录前填写的内容')).toBeVisible();
  await expect(page.getByLabel('产出追溯码')).toHaveValue('KEEP-1');
  await expect(page.getByLabel('地块编号')).toHaveValue('示例地块');

  await page.locator('#menu').getByRole('link', { name: '数据台账' }).click();
  await asked.getByRole('button', { name: '离开' }).click();
  await expect(page.getByRole('heading', { name: '数据台账' })).toBeVisible();
});

test('G-6.2.1 a record that is edited is closed only when its user says so', async ({ page }) => {
  await logIn(page, 'supervisor', '/console/register/trace_subject');
  await page.getByRole('button', { name: '登记', exact: true }).click();
  const form = page.getByRole('dialog', { name: '登记追溯主体' });
  await form.locator('#field-name').fill('示例未提交企业');
  await page.keyboard.press('Escape');
  const asked = page.getByRole('dialog', { name: '内容还没有提交' });
  await asked.getByRole('button', { name: '继续填写' }).click();
  await expect(form.locator('#field-name')).toHaveValue('示例未提交企业');
  await form.getByRole('button', { name: '取消' }).click();
  await asked.getByRole('button', { name: '离开' }).click();
  await expect(form).toHaveCount(0);
});

test('handbook §4.1 a certificate that is being written is left only when its issuer says so', async ({ page }) => {
  await logIn(page, 'farm', '/console/register/batch_document');
  await page.getByRole('button', { name: '开具合格证' }).click();
  const form = page.getByRole('dialog', { name: '开具承诺达标合格证' });
  await expect(form.getByText(/^示例韭菜合作社一社/)).toBeVisible();
  // What the platform filled in is nobody's work.
  await form.getByRole('button', { name: '取消' }).click();
  await expect(form).toHaveCount(0);
  await page.getByRole('button', { name: '开具合格证' }).click();
  await form.getByLabel('产地').fill('示例县示例乡');
  await page.keyboard.press('Escape');
  const asked = page.getByRole('dialog', { name: '内容还没有提交' });
  await asked.getByRole('button', { name: '继续填写' }).click();
  await expect(form.getByLabel('产地')).toHaveValue('示例县示例乡');
  await expect(asked).toBeHidden();
  await form.getByLabel('所附批次').fill('示例批次');
  await form.getByLabel('数量', { exact: true }).fill('1');
  await choose(page, '承诺依据', /自行检测/);
  await form.getByLabel('联系方式').fill('13800000001');
  // A session that ends takes nothing of it away.
  await page.context().clearCookies();
  await form.getByRole('button', { name: '开具' }).click();
  await page.getByLabel('用户名').fill('farm');
  await page.getByLabel('口令').fill(password('farm'));
  await page.getByRole('button', { name: '登录', exact: true }).click();
  await expect(form.getByLabel('产地')).toHaveValue('示例县示例乡');
  await form.getByRole('button', { name: '取消' }).click();
  await asked.getByRole('button', { name: '离开' }).click();
  await expect(form).toHaveCount(0);
});

test('G-6.3.2 a class that is being worded is left only when its author says so', async ({ page }) => {
  await logIn(page, 'supervisor', '/console/catalogue');
  await page.getByRole('button', { name: '新增下级分类' }).click();
  const form = page.getByRole('dialog', { name: /新增地方分类/ });
  await form.getByLabel('分类名称').fill('示例未提交分类');
  await page.keyboard.press('Escape');
  const asked = page.getByRole('dialog', { name: '内容还没有提交' });
  await asked.getByRole('button', { name: '继续填写' }).click();
  await expect(form.getByLabel('分类名称')).toHaveValue('示例未提交分类');
  await form.getByRole('button', { name: '取消' }).click();
  await asked.getByRole('button', { name: '离开' }).click();
  await expect(form).toHaveCount(0);
});

for (const width of [1440, 390]) {
  test.describe(`${width} px`, () => {
    test.use({ viewport: { width, height: width === 390 ? 844 : 900 } });

    test('G-5.4.4 a batch of codes is told apart by its number, and says how much of it is in use', async ({ page }) => {
      await logIn(page, 'farm', '/console/register/code_batch');
      const me = await ask<{ subject: { id: string } }>(page, 'GET', '/api/v1/me');
      const code = `PART-${width}`;
      const batch = { code, subject_id: me.subject.id, scheme: 'own', level: 'item', random: true, size: 10 };
      await ask(page, 'POST', '/api/v1/code_batch', { ...batch, product_id: null, rule_id: null, note: null });

      // The same number once more: said at the field that has to be another.
      await page.getByRole('button', { name: '新建' }).click();
      const form = page.getByRole('dialog', { name: '登记赋码批次' });
      await form.locator('#field-code').fill(code);
      for (const [label, option] of [
        ['编码体系', '平台自有追溯码'],
        ['包装层级', '单品'],
        ['随机码', '是'],
      ] as const) {
        await form.getByRole('combobox', { name: label }).fill(option);
        await page.getByRole('option', { name: option, exact: true }).click();
      }
      await form.locator('#field-size').fill('5');
      await form.getByRole('button', { name: '保存' }).click();
      await expect(form.locator('.field.wrong')).toContainText(`${code} 已用过，请换一个单号`);
      await expect(form.locator('#field-code')).toBeFocused();
      await inspect(page, 'code-batch-twice');
      await form.getByRole('button', { name: '取消' }).click();
      await page.getByRole('dialog', { name: '内容还没有提交' }).getByRole('button', { name: '离开' }).click();

      const open = () => page.getByRole('link', { name: code }).click();
      await page.reload();
      await open();
      await page.getByRole('button', { name: '激活编码' }).click();
      const act = page.getByRole('dialog', { name: '激活编码' });
      await expect(act.getByText('共 10 个，已激活 0 个，已作废 0 个。')).toBeVisible();
      await act.getByLabel('截止序号').fill('4');
      await act.getByRole('button', { name: '确定' }).click();
      await expect(page.getByText('已激活 4 个编码')).toBeVisible();
      await expect(page.getByRole('row', { name: new RegExp(code) })).toContainText('部分激活');
      await open();
      const drawer = page.getByRole('dialog', { name: code });
      await expect(drawer.getByText('批次状态：未激活 → 部分激活')).toBeVisible();
      // The next ones are those after what is in use already.
      await page.getByRole('button', { name: '激活编码' }).click();
      await expect(act.getByLabel('起始序号')).toHaveValue('5');
      await act.getByLabel('起始序号').fill('11');
      await act.getByRole('button', { name: '确定' }).click();
      await expect(act.getByLabel('起始序号')).toBeFocused();
      await inspect(page, 'code-activation');
      await act.getByLabel('起始序号').fill('5');
      await act.getByRole('button', { name: '确定' }).click();
      await expect(page.getByText('已激活 6 个编码')).toBeVisible();
      const row = page.getByRole('row', { name: new RegExp(code) });
      await expect(row).toContainText('已激活');
      await expect(row).not.toContainText('部分激活');
    });
  });
}

test('G-5.4.4b what stands on a label in lines is kept in lines', async ({ page }) => {
  await logIn(page, 'farm');
  const me = await ask<{ subject: { id: string } }>(page, 'GET', '/api/v1/me');
  const lines = '{产品名称}\n批次 {批次号}\n{编码}';
  const shape = { kind: 'trace', width_mm: 60, height_mm: 40, symbol: 'qr', symbol_mm: 22, place: 'left', font_pt: 8, content: 'address' };
  const made = await ask<{ id: string }>(page, 'POST', '/api/v1/label_template', {
    ...shape,
    name: '示例标签',
    subject_id: me.subject.id,
    lines,
    in_use: true,
  });
  await page.goto(url('/console/register/label_template'));
  await page.getByRole('link', { name: '示例标签' }).click();
  await page.getByRole('button', { name: '预览' }).click();
  await expect(page.getByRole('img', { name: '示例标签，示例内容' })).toBeVisible();
  await inspect(page, 'label-preview');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: '修改' }).click();
  const form = page.getByRole('dialog', { name: '变更标签模板' });
  await expect(form.locator('#field-lines')).toHaveValue(lines);
  await form.locator('#field-font_pt').fill('9');
  await form.getByRole('button', { name: '保存' }).click();
  await expect(form).toHaveCount(0);
  expect(await ask(page, 'GET', `/api/v1/label_template/${made.id}`)).toMatchObject({ lines, font_pt: 9 });
});

test('G-6.4.3 a list that did not come counts nothing, and one that is empty says why', async ({ page }) => {
  await page.route('**/api/v1/trace/matches*', (route) => route.fulfill({ json: { items: [], next: null } }));
  await logIn(page, 'supervisor', '/console/matches');
  await expect(page.getByText('还没有可核对的交易')).toBeVisible();
  await expect(page.getByText('本页 0 条')).toBeVisible();
  await page.goto(url('/console/matches?batch=NOTHING'));
  await expect(page.getByText('没有符合条件的记录，可清空条件再查')).toBeVisible();
  const refused = { code: 'too-many-requests', detail: '请求过于频繁', status: 429, request_id: '0123456789abcdef' };
  await page.route('**/api/v1/trace/matches*', (route) => route.fulfill({ status: 429, json: refused }));
  await page.goto(url('/console/matches'));
  await expect(page.getByRole('button', { name: '重试' })).toBeVisible();
  await expect(page.getByText(/^本页/)).toHaveCount(0);
  await page.unroute('**/api/v1/trace/matches*');
});

test('G-6.4.1 an event is withdrawn once, however often the button is pressed', async ({ page }) => {
  await logIn(page, 'farm');
  const { id } = await harvested(page, 'TWICE-1');
  await approve(page, id);
  await page.goto(url('/console/events?code=TWICE-1'));
  await page.getByRole('link', { name: '采收' }).click();
  await page.getByRole('button', { name: '撤销此事件' }).click();
  const asked = page.getByRole('dialog', { name: '撤销追溯事件' });
  await asked.getByLabel('理由').fill('示例：没有发生');
  const sent: string[] = [];
  page.on('request', (request) => {
    if (request.method() === 'POST' && request.url().endsWith('/trace/events')) sent.push(request.postData() ?? '');
  });
  await asked.getByRole('button', { name: '确定' }).evaluate((button: HTMLButtonElement) => {
    button.click();
    button.click();
  });
  await expect(page.getByText(/已提交，待审核后撤销|已撤销/)).toBeVisible();
  expect(sent).toHaveLength(1);
});

test('D-6.3 a code that is asked for without a network says why there is none', async ({ page, context }) => {
  await logIn(page, 'farm', '/console/capture');
  await expect(page.locator('form').getByText(/^示例韭菜合作社一社（\w{18}）$/)).toBeVisible();
  await choose(page, '事件类型', /采收/);
  await context.setOffline(true);
  await page.getByRole('button', { name: '申领' }).click();
  await expect(page.getByText('网络不通或服务未启动，请稍后重试')).toBeVisible();
  await context.setOffline(false);
});
