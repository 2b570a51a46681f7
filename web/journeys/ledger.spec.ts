/** 存证 in the console: the health of the chain, its batches, its keys, and proofs to take away. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { verify } from '../packages/proof/src/verify';
import { ask, expect, inspect, logIn, test, url } from './base';

const SIGNER = process.env.YJ_SIGNER ?? fileURLToPath(new URL('../../target/debug/yj-sign', import.meta.url));

test.use({ viewport: { width: 1440, height: 900 } });

test('D-7.3.1 the state of the chain is told in one page, and its batches in another', async ({ page }) => {
  await logIn(page, 'supervisor', '/console/ledger');
  const chain = page.locator('.part', { hasText: '上链用时（中位）' });
  await expect(chain.getByText('正常', { exact: true })).toBeVisible();
  for (const label of ['链高度', '最新区块', '待上链', '已打包', '已确认', '失败', '待企业签名'])
    await expect(chain.getByText(label, { exact: true })).toBeVisible();
  await inspect(page, 'ledger');
  await page.getByRole('link', { name: '上链：详情' }).click();
  await expect(page.getByRole('heading', { level: 1, name: '存证批次' })).toBeVisible();
  await page.getByLabel('区块高度').fill('1');
  await page.getByRole('button', { name: '查看' }).click();
  await expect(page.getByRole('dialog', { name: '区块 1' }).getByText(/有效，1 个验证人签名/)).toBeVisible();
});

/** The files of an archive whose files are not packed. */
function unzip(bytes: Buffer): { name: string; text: string }[] {
  const files: { name: string; text: string }[] = [];
  for (let at = 0; bytes.readUInt32LE(at) === 0x04034b50;) {
    const [size, name] = [bytes.readUInt32LE(at + 18), bytes.readUInt16LE(at + 26)];
    const start = at + 30 + name + bytes.readUInt16LE(at + 28);
    files.push({ name: bytes.toString('utf8', at + 30, at + 30 + name), text: bytes.toString('utf8', start, start + size) });
    at = start + size;
  }
  return files;
}

test('D-6.3 proofs are taken away one by one and many at once, by those who may read the records', async ({ page }) => {
  await logIn(page, 'farm', '/console/ledger/proofs');
  await expect(page.getByRole('heading', { level: 1, name: '证明下载' })).toBeVisible();
  await page.getByRole('button', { name: '全选本页' }).click();
  const button = page.getByRole('button', { name: /下载所选 \d+ 份/ });
  const count = Number(/\d+/.exec((await button.textContent()) ?? '')![0]);
  expect(count).toBeGreaterThan(1);
  await inspect(page, 'proofs');
  const [taken] = await Promise.all([page.waitForEvent('download'), button.click()]);
  expect(taken.suggestedFilename()).toBe(`存证证明-${count}份.zip`);
  const files = unzip(readFileSync(await taken.path())).filter(({ name }) => name.endsWith('.yjproof'));
  expect(files).toHaveLength(count);
  for (const { text } of files) {
    const verdict = (await (await page.request.post(url('/api/v1/ledger/verify'), { data: text })).json()) as { ok: boolean };
    expect(verdict.ok).toBe(true);
  }
  await page
    .getByRole('link', { name: /^查验记录/ })
    .first()
    .click();
  await expect(page.getByText('1 份证明，验证通过')).toBeVisible();
});

test('D-6.3.1 a key is registered by its holder, approved by another, on the chain, and revoked', async ({ page, browser }) => {
  test.setTimeout(120_000);
  await logIn(page, 'farm', '/console/register/evidence_key');
  const { items } = await ask<{ items: { code: string }[] }>(page, 'GET', '/api/v1/trace_subject?per_page=1');
  const folder = mkdtempSync(join(tmpdir(), 'yuanjian-key-'));
  const sign = (...given: string[]): string => execFileSync(SIGNER, given, { encoding: 'utf8' });
  const file = join(folder, 'key.pem');
  sign('new', '--key', file);
  const proved = sign('prove', '--key', file, '--org', items[0]!.code, '--kid', 'k-2026');
  rmSync(folder, { recursive: true });
  const told = (label: string): string => new RegExp(`^${label} (\\S+)$`, 'm').exec(proved)![1]!;

  await page.getByRole('button', { name: '登记', exact: true }).click();
  const form = page.getByRole('dialog', { name: '登记存证密钥' });
  await form.locator('#field-subject_code').fill(items[0]!.code);
  await form.locator('#field-kid').fill('k-2027');
  await form.locator('#field-public_key').fill(told('公钥'));
  await form.locator('#field-proof').fill(told('持有证明'));
  await form.getByRole('button', { name: '提交审核' }).click();
  await expect(form.getByText(/持有证明与主体代码、密钥名称、公钥不符/)).toBeVisible();
  await form.locator('#field-kid').fill('k-2026');
  await inspect(page, 'key-form');
  await form.getByRole('button', { name: '提交审核' }).click();
  await expect(page.getByText('已提交审核')).toBeVisible();

  const other = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
  await logIn(other, 'reviewer', '/console/review?kind=evidence_key');
  await other.getByRole('button', { name: '通过', exact: true }).click();
  await expect(other.getByText('没有待审事项。')).toBeVisible();
  await other.goto(url('/console/ledger/keys'));
  const row = other.getByRole('row', { name: /k-2026/ });
  await expect(async () => {
    await other.reload();
    await expect(row.getByText('有效')).toBeVisible({ timeout: 2_000 });
  }).toPass({ timeout: 30_000 });
  await inspect(other, 'keys');
  await other.getByRole('link', { name: 'k-2026' }).click();
  await expect(other.getByRole('dialog', { name: '密钥 k-2026' }).getByText(told('公钥'))).toBeVisible();
  await other.close();

  await page.reload();
  await page.getByRole('row', { name: /k-2026/ }).click();
  await page.getByRole('button', { name: '吊销', exact: true }).click();
  await page.getByLabel('吊销理由').fill('示例：介质遗失');
  await page.getByRole('button', { name: '确定' }).click();
  await expect(page.getByText('已吊销，自下一区块起生效')).toBeVisible();
  await page.goto(url('/console/ledger/keys'));
  await expect(async () => {
    await page.reload();
    await expect(page.getByRole('row', { name: /k-2026/ }).getByText('已吊销')).toBeVisible({ timeout: 2_000 });
  }).toPass({ timeout: 30_000 });
});

test('D-6.3 a digest, or any file, tells which record, submission or block it belongs to', async ({ page }) => {
  await logIn(page, 'farm', '/console/verify');
  const { items } = await ask<{ items: { id: string; anchor: string }[] }>(page, 'GET', '/api/v1/trace/events?per_page=50');
  const { id } = items.find(({ anchor }) => anchor === 'confirmed')!;
  const proof = await (await page.request.get(url(`/api/v1/trace/events/${id}/proof`))).text();
  const digests = new Map(verify(proof).facts!.digests);
  const type = async (text: string): Promise<void> => {
    await page.getByLabel(/^追溯码、记录编号/).fill(text);
    await page.getByRole('button', { name: '查验', exact: true }).click();
  };
  const table = page.getByRole('region', { name: '此摘要是' });
  for (const [name, what] of [
    ['区块标识', '区块标识'],
    ['提交摘要', '提交摘要'],
    ['日志根', '检查点的日志根'],
    ['链指纹', '链指纹'],
    ['存证项', '存证项'],
  ] as const) {
    await type(digests.get(name)!);
    await expect(table.getByRole('cell', { name: what, exact: true }).first()).toBeVisible();
  }
  await expect(table.getByText(/^追溯事件 /)).toBeVisible();
  await inspect(page, 'digest');
  await table.getByRole('link', { name: '查验证明' }).click();
  await expect(page.getByText('1 份证明，验证通过')).toBeVisible();
  await type('f'.repeat(64));
  await expect(page.getByText(/^平台上没有此摘要/)).toBeVisible();
  await inspect(page, 'digest-unknown');
  await type('f'.repeat(63));
  await expect(page.getByText(/摘要应为 64 位十六进制.*现为 63 位/)).toBeVisible();
  // A file that is no proof never leaves this machine; its digest is what the platform is asked about.
  await page.locator('input[type=file]').setInputFiles([
    { name: '检测报告.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.7 示例') },
    { name: 'one.yjproof', mimeType: 'application/json', buffer: Buffer.from(proof) },
  ]);
  await expect(page.getByText('检测报告.pdf', { exact: true })).toBeVisible();
  await expect(page.getByText(/^平台上没有此摘要/)).toBeVisible();
  await expect(page.getByText('1 份证明，验证通过')).toBeVisible();
});
