/** Users, rights and protection as administrators and ordinary people meet them. */
import { expect, inspect, logIn, test, url } from './base';

test.use({ viewport: { width: 1440, height: 900 } });

test('G-5.4.3a one administrator makes a user, another gives the right, the user begins with a one-time link', async ({
  page,
  browser,
}) => {
  await logIn(page, 'sysadmin', '/console/register/account');
  await page.getByRole('button', { name: '新建' }).click();
  const form = page.getByRole('dialog', { name: '登记用户' });
  await form.locator('#field-user_name').fill('journey-zhou');
  await form.locator('#field-name').fill('示例科员');
  await form.getByRole('combobox', { name: '所属机构' }).click();
  await page.getByRole('option', { name: /示例省市场监督管理局/ }).click();
  await pick(page, '账号类型', '人员');
  await pick(page, '许可密级', '敏感');
  await form.locator('#field-phone').fill('13900001234');
  await inspect(page, 'account-form');
  await form.getByRole('button', { name: '保存' }).click();
  await expect(page.getByText('已保存')).toBeVisible();
  await page.getByRole('link', { name: '示例科员' }).click();
  const drawer = page.getByRole('dialog', { name: '示例科员' });
  await expect(drawer.getByText('139****1234', { exact: true })).toBeVisible();
  await inspect(page, 'account');
  await drawer.getByRole('button', { name: '发放激活链接' }).click();
  const link = await page.getByRole('dialog', { name: '一次性链接' }).locator('.mono').innerText();

  const security = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
  await logIn(security, 'secadmin', '/console/register/assignment');
  await security.getByRole('button', { name: '新建' }).click();
  const grant = security.getByRole('dialog', { name: '登记授权' });
  await grant.getByRole('combobox', { name: '用户' }).click();
  await security.getByRole('option', { name: /示例科员/ }).click();
  await grant.getByRole('combobox', { name: '角色', exact: true }).click();
  await security.getByRole('option', { name: /监管人员/ }).click();
  await pick(security, '密级上限', '内部');
  await grant.getByRole('button', { name: '保存' }).click();
  await expect(security.getByText('已保存')).toBeVisible();
  await expect(security.getByRole('row', { name: /示例科员.*监管人员/ })).toBeVisible();
  await inspect(security, 'assignment-made');
  await security.close();

  const own = await (await browser.newContext({ viewport: { width: 390, height: 844 } })).newPage();
  await own.goto(link);
  await own.getByLabel('口令', { exact: true }).fill('short');
  await own.getByLabel('再输一次').fill('short');
  await own.getByRole('button', { name: '保存' }).click();
  await expect(own.getByText(/口令应为 12 至 128 位/)).toBeVisible();
  await inspect(own, 'activate');
  for (const label of ['口令', '再输一次']) await own.getByLabel(label, { exact: true }).fill('tK9#mVx2!pLw-7q');
  await own.getByRole('button', { name: '保存' }).click();
  await own.getByRole('link', { name: '去登录' }).click();
  await own.getByLabel('用户名').fill('journey-zhou');
  await own.getByLabel('口令').fill('tK9#mVx2!pLw-7q');
  await own.getByRole('button', { name: '登录' }).click();
  await expect(own.locator('#menu')).toBeAttached();
  await own.goto(url('/console/register/trace_subject'));
  await expect(own.getByRole('heading', { level: 1, name: '追溯主体' })).toBeVisible();
  await own.close();
});

/** Picks an option of the open form. */
async function pick(page: import('@playwright/test').Page, label: string, option: string): Promise<void> {
  await page.getByRole('dialog').getByRole('combobox', { name: label }).click();
  await page.getByRole('option', { name: option, exact: true }).click();
}

test('G-5.4.3b a role below another cannot hold more', async ({ page }) => {
  await logIn(page, 'secadmin', '/console/roles');
  await page.getByRole('button', { name: /^企业人员/ }).click();
  await page.getByRole('button', { name: '新建下级角色' }).click();
  await page.getByLabel('角色名称').fill('示例填报员');
  await page.getByLabel('角色编码').fill('journey-clerk');
  await expect(page.getByRole('group', { name: '追溯主体' }).getByText('审核')).toHaveCount(0);
  await page.getByRole('group', { name: '追溯数据' }).getByText('查看').click();
  await page.getByRole('button', { name: '保存' }).click();
  await expect(page.getByText('已保存')).toBeVisible();
  await expect(page.getByRole('button', { name: /^示例填报员/ })).toBeVisible();
  await inspect(page, 'role');
});

test('S-32 personal data are masked, and revealed for a reason', async ({ page }) => {
  await logIn(page, 'supervisor', '/console/register/trace_subject');
  await page.getByRole('link', { name: '示例韭菜合作社一社' }).click();
  const drawer = page.getByRole('dialog', { name: '示例韭菜合作社一社' });
  await expect(drawer.getByText(/^138\*+\d{4}$/).first()).toBeVisible();
  await drawer.getByRole('button', { name: '揭示个人信息' }).click();
  const reason = page.getByRole('dialog', { name: '揭示个人信息' });
  await expect(reason.getByRole('button', { name: '确定' })).toBeDisabled();
  await reason.getByLabel('理由').fill('核对登记信息');
  await inspect(page, 'reveal');
  await reason.getByRole('button', { name: '确定' }).click();
  await expect(drawer.getByText(/^138\d{8}$/)).toBeVisible();
});

test('D-9.2.3 the audit administrator recomputes the chain', async ({ page }) => {
  await logIn(page, 'auditor', '/console/audit');
  await page.getByRole('button', { name: '复算审计链' }).click();
  await expect(page.getByText('审计记录完整')).toBeVisible();
  await inspect(page, 'audit-verified');
});

test('S-13 what is done to an administrator waits for an administrator of another kind', async ({ page, browser }) => {
  const waits = /已提交，待另一类管理员确认/;
  await logIn(page, 'sysadmin', '/console/register/account');
  await page.getByRole('link', { name: '示例省审计管理员' }).click();
  await page.getByRole('dialog', { name: '示例省审计管理员' }).getByRole('button', { name: '停用' }).click();
  await page.getByRole('dialog', { name: '停用用户' }).getByRole('button', { name: '确定' }).click();
  await expect(page.getByText(waits)).toBeVisible();
  // Whoever holds rights in the business is let in anew by two, too: the user of the first journey.
  const reset = async (): Promise<void> => {
    await page.getByRole('link', { name: '示例科员' }).click();
    await page.getByRole('dialog', { name: '示例科员' }).getByRole('button', { name: '重置口令' }).click();
  };
  await page.goto(url('/console/register/account'));
  await reset();
  await expect(page.getByText(waits)).toBeVisible();
  await page.goto(url('/console/confirmations'));
  await expect(page.getByRole('row', { name: /停用.*示例省审计管理员/ })).toBeVisible();
  await expect(page.getByRole('button', { name: '确认', exact: true })).toHaveCount(0);

  const security = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
  await logIn(security, 'secadmin');
  await security.getByRole('link', { name: /待确认的管理员操作/ }).click();
  await inspect(security, 'confirmations-waiting');
  const decide = async (row: RegExp, button: string, title: string): Promise<void> => {
    await security.getByRole('row', { name: row }).getByRole('button', { name: button, exact: true }).click();
    const dialog = security.getByRole('dialog', { name: title });
    await dialog.getByLabel('理由').fill('已与申请人核对');
    await dialog.getByRole('button', { name: '确定' }).click();
    await expect(dialog).toBeHidden();
  };
  await decide(/停用.*示例省审计管理员/, '不同意', '不同意操作');
  await expect(security.getByRole('row', { name: /停用.*未获确认.*示例省审计管理员/ })).toBeVisible();
  await decide(/重置口令.*示例科员/, '确认', '确认操作');
  await expect(security.getByRole('row', { name: /重置口令.*已确认.*示例科员/ })).toBeVisible();
  await security.close();

  await page.goto(url('/console/register/account'));
  await reset();
  await expect(page.getByRole('dialog', { name: '一次性链接' })).toBeVisible();
});

test('G-10.1 the security administrator checks the controls and prints what was found', async ({ page }) => {
  await logIn(page, 'secadmin', '/console/self-check');
  await expect(page.getByText(/演示模式，仅限本机/)).toBeVisible();
  await page.getByRole('button', { name: '立即自查' }).click();
  await expect(page.getByText(/自查完成/)).toBeVisible();
  await expect(page.getByRole('row', { name: /S-16.*完整性校验 通过/ })).toBeVisible();
  await expect(page.getByText(/自查完成/)).toBeHidden();
  await page.getByRole('link', { name: /HMAC-SM3 完整性校验/ }).click();
  const drawer = page.getByRole('dialog', { name: /S-16/ });
  await expect(drawer.getByRole('region', { name: '历次自查' }).getByText('通过').first()).toBeVisible();
  await inspect(page, 'control');
  await page.keyboard.press('Escape');
  await page.emulateMedia({ media: 'print' });
  await expect(page.getByText('运营机构', { exact: true })).toBeVisible();
  await expect(page.locator('#menu')).toBeHidden();
  await expect(page.getByRole('button', { name: '打印' })).toBeHidden();
});

test('S-05 a second factor is bound and then asked for', async ({ page }) => {
  await logIn(page, 'farm', '/console/me');
  await page.getByRole('button', { name: '绑定第二因素' }).click();
  const dialog = page.getByRole('dialog', { name: '绑定第二因素' });
  await dialog.getByRole('button', { name: '绑定动态口令' }).click();
  const secret = (await dialog.locator('.secret').innerText()).replaceAll(' ', '');
  await inspect(page, 'bind');
  await dialog.getByLabel('验证器显示的六位数字').fill('000000');
  await dialog.getByRole('button', { name: '确认' }).click();
  await expect(dialog.getByText(/动态口令不正确/)).toBeVisible();
  await dialog.getByLabel('验证器显示的六位数字').fill(await totp(secret));
  await dialog.getByRole('button', { name: '确认' }).click();
  await expect(dialog.getByText('请保存恢复码。')).toBeVisible();
  const recovery = await dialog.locator('.codes li').first().innerText();
  await dialog.getByRole('button', { name: '已保存，继续' }).click();
  await expect(page.getByRole('cell', { name: '手机验证器' })).toBeVisible();
  await page.getByRole('button', { name: '退出' }).click();
  await page.getByLabel('用户名').fill('farm');
  await page.getByLabel('口令').fill((await import('./base')).password('farm'));
  await page.getByRole('button', { name: '登录' }).click();
  await expect(page.getByRole('heading', { name: '第二因素验证' })).toBeVisible();
  await inspect(page, 'second-factor');
  await page.getByRole('button', { name: '使用恢复码' }).click();
  await page.getByLabel('恢复码').fill(recovery);
  await page.getByRole('button', { name: '继续' }).click();
  await expect(page.locator('#menu')).toBeAttached();
  // Others log in with the password alone again.
  await page.goto(url('/console/me'));
  await page.getByRole('button', { name: '解除' }).click();
  await expect(page.getByText('已解除')).toBeVisible();
});

test('S-05 a security key is bound and opens the door', async ({ page }) => {
  // Keys belong to names, not to numbers.
  const local = (path: string): string => url(path).replace('127.0.0.1', 'localhost');
  const device = await page.context().newCDPSession(page);
  await device.send('WebAuthn.enable');
  await device.send('WebAuthn.addVirtualAuthenticator', {
    options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true },
  });
  const { password } = await import('./base');
  const enter = async (): Promise<void> => {
    await page.getByLabel('用户名').fill('enterprise');
    await page.getByLabel('口令').fill(password('enterprise'));
    await page.getByRole('button', { name: '登录' }).click();
  };
  await page.goto(local('/console/me'));
  await enter();
  await page.getByRole('button', { name: '绑定第二因素' }).click();
  const dialog = page.getByRole('dialog', { name: '绑定第二因素' });
  await dialog.getByLabel('名称').fill('示例密钥');
  await dialog.getByRole('button', { name: '绑定安全密钥' }).click();
  await dialog.getByRole('button', { name: '已保存，继续' }).click();
  await expect(page.getByRole('cell', { name: '示例密钥' })).toBeVisible();
  await page.getByRole('button', { name: '退出' }).click();
  await enter();
  await page.getByRole('button', { name: '使用安全密钥' }).click();
  await expect(page.locator('#menu')).toBeAttached();
  await page.goto(local('/console/me'));
  await page.getByRole('button', { name: '解除' }).click();
  await expect(page.getByText('已解除')).toBeVisible();
});

/** RFC 6238, as an authenticator app computes it. */
async function totp(secret: string): Promise<string> {
  const bits = [...secret].map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Uint8Array.from(bits.match(/.{8}/g) ?? [], (byte) => parseInt(byte, 2));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const { createHmac } = await import('node:crypto');
  const digest = createHmac('sha1', key).update(counter).digest();
  const at = digest[19]! & 15;
  return String((digest.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}
