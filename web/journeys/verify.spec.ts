/** 存证校验 (D-6.3): on the public page and in the console, with and without a network. */
import type { Page } from '@playwright/test';
import { verify } from '../packages/proof/src/verify';
import { ask, expect, inspect, logIn, test, url } from './base';

interface Proofs {
  chain_fingerprint: string;
  proofs: { id: string; proof: string | null }[];
}
type Steps = { ok: boolean; conclusion: string; steps: { id: string; ok: boolean; title: string; detail: string }[] };

/** The public proofs of a lot of the golden chain. */
async function proofs(page: Page): Promise<{ fingerprint: string; files: { name: string; text: string }[] }> {
  const answer = (await (await page.request.get(url('/api/v1/public/proof/F1-A'))).json()) as Proofs;
  const files = answer.proofs.flatMap(({ id, proof }) => (proof === null ? [] : [{ name: `${id}.yjproof`, text: proof }]));
  expect(files.length).toBeGreaterThan(1);
  return { fingerprint: answer.chain_fingerprint, files };
}
const upload = (page: Page, ...files: { name: string; text: string }[]) =>
  page.locator('#files').setInputFiles(files.map(({ name, text }) => ({ name, mimeType: 'application/json', buffer: Buffer.from(text) })));
const results = (page: Page) => page.locator('#results .result');

for (const width of [390, 1440]) {
  test.describe(`${width} px`, () => {
    test.use({ viewport: { width, height: width === 390 ? 844 : 900 } });

    test('D-6.3 whoever has a proof file learns what it proves, and no file leaves the device', async ({ page }) => {
      const { fingerprint, files } = await proofs(page);
      const sent: string[] = [];
      page.on('request', (request) => request.method() !== 'GET' && sent.push(request.url()));
      await page.goto(url('/verify'));
      await expect(page.getByText('文件不会上传')).toBeVisible();
      await expect(page.getByLabel('链指纹', { exact: true })).toHaveValue(fingerprint);
      await inspect(page, 'verify-empty');

      await upload(page, files[0]!);
      await expect(results(page)).toHaveAttribute('data-ok', 'true');
      await expect(results(page).locator('.verdict')).toContainText('存证以来未被改动');
      await expect(results(page).locator('li[data-step]')).toHaveCount(11);
      await expect(results(page)).toContainText('无外部锚定');
      await expect(results(page)).toContainText('不说明产品真伪');
      await inspect(page, 'verify-good');
      // The platform's own verifier, in Rust, says the same, word by word.
      const said = (await (await page.request.post(url('/api/v1/ledger/verify'), { data: files[0]!.text })).json()) as Steps;
      await expect(results(page).locator('.verdict')).toContainText(said.conclusion);
      for (const { id, title, detail } of said.steps) {
        await expect(results(page).locator(`li[data-step="${id}"] .what`)).toHaveText(title);
        await expect(results(page).locator(`li[data-step="${id}"] .detail`)).toHaveText(detail);
      }

      // One of several was changed: it is named, the others stand.
      const changed = files[1]!.text.replace(/"event_time","salt"|"\/event_time"/, '"/event_tima"');
      expect(changed).not.toBe(files[1]!.text);
      await upload(page, files[0]!, { name: '改过的.yjproof', text: changed }, { name: '照片.yjproof', text: 'not a proof' });
      await expect(page.locator('.total')).toContainText('3 份证明，2 份未通过');
      await expect(results(page).nth(0)).toHaveAttribute('data-ok', 'true');
      await expect(results(page).nth(1).locator('li.bad')).toHaveAttribute('data-step', 'record_path');
      await expect(results(page).nth(2).locator('.verdict')).toContainText('不是存证证明文件');
      await inspect(page, 'verify-mixed');
      expect(sent).toEqual([]);
    });

    test('D-6.3 what the reader trusts decides, not the page', async ({ page }) => {
      const { files } = await proofs(page);
      await page.goto(url('/verify'));
      await upload(page, files[0]!);
      await expect(results(page)).toHaveAttribute('data-ok', 'true');
      const chain = page.getByLabel('链指纹', { exact: true });
      await chain.fill('ab'.repeat(32));
      await chain.blur();
      await expect(results(page).locator('li.bad')).toHaveAttribute('data-step', 'trust');
      await expect(results(page).locator('.verdict')).toContainText('另一条链');
      await expect(page.getByText('以您填写的指纹为准')).toBeVisible();
      await chain.fill('abc');
      await chain.blur();
      await expect(page.getByRole('alert')).toHaveText('链指纹应为 64 位十六进制，现为 3 位');
      await expect(results(page)).toHaveCount(0);
      await chain.fill('');
      await chain.blur();
      await expect(results(page).locator('li[data-step="trust"]')).toContainText('请与平台公布的指纹核对');
      // A witness that did not sign is missed.
      await page.getByText('只认我信任的见证方').click();
      const witnesses = page.getByLabel('见证方公钥（每行一个）');
      await witnesses.fill('不是公钥');
      await witnesses.blur();
      await expect(page.getByRole('alert')).toContainText('第 1 行不是见证方公钥');
      await inspect(page, 'verify-trust');
    });

    test('nothing moves under the hand of a reader who is quicker than the page', async ({ page }) => {
      // What the browser drew at one height and then at another, from its first picture on.
      const moved: string[] = [];
      await page.exposeFunction('tellMoved', (what: string) => moved.push(what));
      await page.addInitScript(() => {
        type Shift = PerformanceEntry & { sources: { node: Node | null; previousRect: DOMRect; currentRect: DOMRect }[] };
        new PerformanceObserver((list) => {
          for (const { node, previousRect, currentRect } of (list.getEntries() as Shift[]).flatMap(({ sources }) => sources)) {
            const inside = node?.parentElement?.closest('main');
            if (inside && previousRect.y !== currentRect.y)
              (window as unknown as { tellMoved(what: string): void }).tellMoved(node!.textContent ?? '');
          }
        }).observe({ type: 'layout-shift', buffered: true });
      });
      await page.goto(url('/verify'));
      await expect(page.getByText('没有网络、平台停用时也能打开')).toBeVisible();
      // Two pictures later, so the observer has told of the last change.
      await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
      expect(moved).toEqual([]);
    });

    test('D-6.3 once visited the page checks without a network and without the platform', async ({ page, context }) => {
      const { files } = await proofs(page);
      await page.goto(url('/verify'));
      await expect(page.getByText('没有网络、平台停用时也能打开')).toBeVisible();
      await context.setOffline(true);
      await page.reload();
      await expect(page.getByRole('heading', { level: 1, name: '存证校验' })).toBeVisible();
      // Pasted, with the line end that copying adds.
      await page.getByText('粘贴证明内容').click();
      await page.getByLabel('证明全文').fill(`${files[0]!.text}\n`);
      await page.getByRole('button', { name: '校验', exact: true }).click();
      await expect(results(page)).toHaveAttribute('data-ok', 'true');
      // What needs the platform says so.
      await page.getByText('没有证明文件').click();
      await page.getByLabel('追溯码、承诺达标合格证编号或摘要').fill('F1-A');
      await page.getByRole('button', { name: '查找' }).click();
      await expect(page.getByText('网络不通或平台暂不可用')).toBeVisible();
      await context.setOffline(false);
      // Nothing but the page, its style and its script is kept.
      const kept = await page.evaluate(async () => {
        const names = (await caches.keys()).filter((name) => name.startsWith('yj-verify-'));
        const all = await Promise.all(
          names.map(async (name) => (await (await caches.open(name)).keys()).map(({ url }) => new URL(url).pathname)),
        );
        return all.flat().sort();
      });
      expect(kept).toEqual(['/portal.css', '/portal/check.js', '/verify']);
    });
  });
}

test('whatever is changed in a file, both verifiers stop at the same step', async ({ page }) => {
  const { fingerprint, files } = await proofs(page);
  const whole = Buffer.from(files[0]!.text);
  const changes: Buffer[] = [];
  for (let at = 0; at < whole.length; at += Math.ceil(whole.length / 120)) {
    for (const bit of [1, 0x20, 0x80]) {
      const changed = Buffer.from(whole);
      changed[at]! ^= bit;
      changes.push(changed);
    }
    changes.push(Buffer.concat([whole.subarray(0, at), whole.subarray(at + 1)]));
  }
  for (const changed of changes) {
    const ours = verify(new Uint8Array(changed), { chain: fingerprint });
    const theirs = (await (await page.request.post(url('/api/v1/ledger/verify'), { data: changed })).json()) as Steps;
    expect(ours.steps.map(({ id, ok }) => `${id} ${ok}`)).toEqual(theirs.steps.map(({ id, ok }) => `${id} ${ok}`));
    expect(ours.ok).toBe(false);
  }
});

test('a code is looked up, and what is found is checked here', async ({ page }) => {
  await page.goto(url('/verify?code=F1-A'));
  await expect(page.locator('.total')).toContainText(/\d+ 份证明，全部通过/);
  await page.getByLabel('追溯码、承诺达标合格证编号或摘要').fill('NO-SUCH-CODE');
  await page.getByRole('button', { name: '查找' }).click();
  await expect(page.getByText('没有与此对应的公开存证')).toBeVisible();
});

test('a digest noted down elsewhere is found in the proofs, without asking anybody', async ({ page }) => {
  const { fingerprint, files } = await proofs(page);
  await page.goto(url('/verify'));
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.getByText('没有证明文件').click();
  const digest = page.getByLabel('追溯码、承诺达标合格证编号或摘要');
  await digest.fill(fingerprint);
  await page.getByRole('button', { name: '查找' }).click();
  await expect(page.locator('#where')).toContainText('请先选择证明文件');
  await upload(page, files[0]!);
  await expect(results(page)).toHaveAttribute('data-ok', 'true');
  await page.getByRole('button', { name: '查找' }).click();
  await expect(page.locator('#where')).toHaveText(`此摘要是“${files[0]!.name}”的链指纹`);
  await digest.fill('ef'.repeat(32));
  await page.getByRole('button', { name: '查找' }).click();
  await expect(page.locator('#where')).toHaveText('此摘要不在所选的证明之中');
  expect(asked.filter((address) => address.includes('/api/'))).toEqual([]);
});

test('a file dropped on the page is checked', async ({ page }) => {
  const { files } = await proofs(page);
  await page.goto(url('/verify'));
  await expect(page.locator('#drop')).toBeVisible();
  const transfer = await page.evaluateHandle(({ name, text }) => {
    const data = new DataTransfer();
    data.items.add(new File([text], name));
    return data;
  }, files[0]!);
  await page.dispatchEvent('#drop', 'drop', { dataTransfer: transfer });
  await expect(results(page)).toHaveAttribute('data-ok', 'true');
});

test('large type and high contrast stay until switched off', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  const { files } = await proofs(page);
  await page.goto(url('/verify'));
  await page.getByRole('button', { name: '大字' }).click();
  await page.getByRole('button', { name: '高对比' }).click();
  await page.reload();
  await expect(page.getByRole('button', { name: '大字' })).toHaveAttribute('aria-pressed', 'true');
  await upload(page, files[0]!);
  await expect(results(page)).toHaveAttribute('data-ok', 'true');
  expect(await page.evaluate(() => parseFloat(getComputedStyle(document.querySelector('.checks .what')!).fontSize))).toBeGreaterThanOrEqual(
    18,
  );
  await inspect(page, 'verify-large');
});

test('without scripts the page says how else to check', async ({ browser }) => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(url('/verify'));
  await expect(page.locator('noscript p')).toBeVisible();
  await expect(page.locator('#give')).toBeHidden();
  await expect(page.locator('#own').getByText(/[0-9a-f]{64}/)).toBeVisible();
  await context.close();
});

test('the sheet that is printed holds every step', async ({ page }) => {
  const { files } = await proofs(page);
  await page.goto(url('/verify'));
  await upload(page, files[0]!, files[1]!);
  await expect(results(page)).toHaveCount(2);
  await page.evaluate(() => window.dispatchEvent(new Event('beforeprint')));
  await page.emulateMedia({ media: 'print' });
  await expect(page.locator('#give')).toBeHidden();
  await expect(results(page).locator('li[data-step]').last()).toBeVisible();
  await expect(page.getByText('所信任的链指纹')).toBeVisible();
  if (process.env.YJ_SCREENSHOTS) await page.pdf({ path: `${process.env.YJ_SCREENSHOTS}/verify.pdf`, format: 'A4' });
});

test('the console says of a record what the public page says', async ({ page }) => {
  await logIn(page, 'farm', '/console/verify');
  const { items } = await ask<{ items: { id: string; anchor: string }[] }>(page, 'GET', '/api/v1/trace/events?per_page=20');
  const id = items.find(({ anchor }) => anchor === 'confirmed')!.id;
  await page.getByLabel('追溯码、记录编号、承诺达标合格证编号或摘要').fill(id);
  await page.getByRole('button', { name: '查验' }).click();
  await expect(page.getByText('1 份证明，验证通过')).toBeVisible();
  await expect(page.locator('li[data-step]')).toHaveCount(11);
  await page.getByLabel('链指纹').fill('cd'.repeat(32));
  await page.getByLabel('链指纹').blur();
  await expect(page.locator('li.bad')).toHaveAttribute('data-step', 'trust');
  await inspect(page, 'console-verify');
});
