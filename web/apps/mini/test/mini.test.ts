// @vitest-environment jsdom
/** The pages of 存证校验, and the package as a whole. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { asked } from '../src/scanned';
import { build, open, phone, PLATFORM, queryOf, reset, ROOT, start, stop, target } from './harness';

interface Vector {
  name: string;
  bundle: string;
  fingerprint: string | null;
  failed: string | null;
  witnesses?: string[];
}
const vectors = JSON.parse(readFileSync(join(ROOT, '../crates/proof/vectors/proofs.json'), 'utf8')) as Vector[];
const good = vectors.find(({ name }) => name === 'witnessed and anchored, log of 7')!;

beforeAll(() => start({ YJ_PLATFORM: PLATFORM, YJ_FINGERPRINT: good.fingerprint! }), 60_000);
beforeEach(reset);
afterAll(stop);

describe('the page of 存证校验', () => {
  it('checks files from a chat and leads to their results', async () => {
    const page = open('verify');
    phone.files = { '好.yjproof': good.bundle, '坏.yjproof': good.bundle.replace(/"index":\d+/, '"index":9') };
    await page.instance.choose!();
    expect(page.data.results.map(({ ok }) => ok)).toEqual([true, false]);
    expect(page.data.total).toBe('2 份证明，1 份未通过');
    expect(page.data.results[0]!.conclusion).toMatch(/存证以来未被改动/);
    expect(page.dom.textContent).toContain(page.data.results[0]!.conclusion);
    expect(phone.asked).toEqual([]);
    page.instance.show!({ currentTarget: { dataset: { at: 0 } } });
    expect(phone.went).toBe('/pages/record/index');
    const record = open('record');
    const text = record.dom.textContent ?? '';
    for (const words of ['通过', '见证', '示例检测中心', '外部锚定', '不说明产品真伪']) expect(text).toContain(words);
  });

  it('says the same as the shared vectors', async () => {
    const page = open('verify');
    for (const { name, bundle, fingerprint, failed, witnesses } of vectors) {
      // Witnesses of one's own are not asked for here.
      if (witnesses) continue;
      phone.files = { proof: bundle };
      page.instance.typedFingerprint!({ detail: { value: fingerprint ?? '' } });
      await page.instance.choose!();
      const result = page.data.results[0]!;
      expect(result.steps.find(({ ok }) => !ok)?.id ?? null, name).toBe(failed);
    }
  });

  it('a fingerprint of somebody else refuses, and a wrong one is explained', async () => {
    const page = open('verify');
    phone.files = { proof: good.bundle };
    page.instance.typedFingerprint!({ detail: { value: 'AB '.repeat(32) } });
    expect(phone.kept.fingerprint).toBe('ab'.repeat(32));
    await page.instance.choose!();
    expect(page.data.results[0]!.steps.find(({ ok }) => !ok)?.id).toBe('trust');
    page.instance.typedFingerprint!({ detail: { value: 'abc' } });
    expect(page.data.problem).toBe('链指纹应为 64 位十六进制，现为 3 位');
    await page.instance.choose!();
    expect(page.data.results).toEqual([]);
  });

  it('a scanned label leads to its story, and from there back to its proofs', async () => {
    const page = open('verify');
    phone.scans = `${PLATFORM}/t/F1%2FA`;
    await page.instance.scan!();
    expect(phone.went).toBe(`/pages/story/index?q=${encodeURIComponent(phone.scans)}`);
    expect(phone.asked).toEqual([]);
    phone.went = '';
    await page.instance.onLoad!({ q: encodeURIComponent(phone.scans) });
    expect(phone.went).toContain('/pages/story/index');
    const proofs = `${PLATFORM}/api/v1/public/proof/F1%2FA`;
    phone.answers[proofs] = { statusCode: 200, data: { proofs: [{ id: 'r1', proof: good.bundle }] } };
    const back = open('verify');
    await back.instance.onLoad!(queryOf(`/pages/verify/index?q=${encodeURIComponent(`${PLATFORM}/verify?code=F1%2FA`)}`));
    await expect.poll(() => back.data.total).toBe('1 份证明，验证通过');
    expect(phone.asked).toEqual([proofs]);
  });

  it('proofs are asked for on the platform, and nowhere else', async () => {
    const page = open('verify');
    phone.scans = `${PLATFORM}/verify?code=F1-A`;
    phone.answers[`${PLATFORM}/api/v1/public/proof/F1-A`] = {
      statusCode: 200,
      data: {
        proofs: [
          { id: 'r1', proof: good.bundle },
          { id: 'r2', proof: null },
        ],
      },
    };
    await page.instance.scan!();
    expect(page.data.results).toHaveLength(1);
    expect(page.data.total).toBe('1 份证明，验证通过');
    phone.scans = 'https://elsewhere.example/t/F1-A';
    await page.instance.scan!();
    expect(page.data.results).toEqual([]);
    expect(page.data.words).toContain('没有向任何地方查询');
    expect(phone.asked).toEqual([`${PLATFORM}/api/v1/public/proof/F1-A`]);
    phone.scans = `${PLATFORM}/c/HGZ-1`;
    await page.instance.scan!();
    expect(page.data.words).toContain('网络不通');
    phone.answers[`${PLATFORM}/c/HGZ-1/proof`] = { statusCode: 404, data: '' };
    await page.instance.onLoad!({ q: encodeURIComponent(`${PLATFORM}/c/HGZ-1`) });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(page.data.words).toContain('没有与此对应的公开存证');
  });

  it('nothing chosen changes nothing; large type is the reader’s', async () => {
    phone.scale = 1.5;
    const page = open('verify');
    await page.instance.choose!();
    expect(page.data.results).toEqual([]);
    expect((page.data as unknown as { size: string }).size).toBe('font-size: 24px');
    expect(open('record').dom.textContent).toContain('没有可看的核验结果');
  });
});

it('a code leads to this platform or nowhere', () => {
  expect(asked(`${PLATFORM}/verify?x=1&code=A%2FB`, PLATFORM)).toMatchObject({ url: `${PLATFORM}/api/v1/public/proof/A%2FB`, one: false });
  expect(asked(`${PLATFORM}/c/1`, PLATFORM)).toMatchObject({ url: `${PLATFORM}/c/1/proof`, one: true });
  for (const other of [
    '',
    'F1-A',
    `${PLATFORM}.evil.example/t/A`,
    `${PLATFORM}/x/A`,
    `${PLATFORM}/t/`,
    `${PLATFORM}/t/%`,
    `${PLATFORM}@evil.example/t/A`,
  ]) {
    expect(asked(other, PLATFORM), other).toBeUndefined();
  }
});

describe('the package', () => {
  const files = (): string[] =>
    readdirSync(target, { recursive: true })
      .map(String)
      .filter((name) => statSync(join(target, name)).isFile());

  it('is within 2 MB, and far from it', () => {
    const bytes = files().reduce((sum, name) => sum + statSync(join(target, name)).size, 0);
    expect(bytes).toBeLessThan(2 * 1024 * 1024);
    expect(bytes).toBeLessThan(100 * 1024);
  });

  it('has every page that it names, whole', () => {
    const app = JSON.parse(readFileSync(join(target, 'app.json'), 'utf8')) as { pages: string[]; sitemapLocation: string };
    const own = files();
    const parts = [...app.pages, 'components/story/index'];
    for (const part of parts) for (const kind of ['js', 'json', 'wxml', 'wxss']) expect(own).toContain(`${part}.${kind}`);
    const kept = own.filter((name) => /^(?:pages|components)\//.test(name)).map((name) => name.replace(/\.\w+$/, ''));
    expect(new Set(kept)).toEqual(new Set(parts));
    expect(own).toEqual(expect.arrayContaining(['app.js', 'app.json', 'app.wxss', app.sitemapLocation, 'project.config.json']));
    expect(own.filter((name) => name.endsWith('.ts'))).toEqual([]);
  });

  it('holds a component that others can copy: it names no file but its own', () => {
    const folder = join(target, 'components/story');
    const text = (kind: string): string => readFileSync(join(folder, `index.${kind}`), 'utf8');
    expect(text('js')).not.toMatch(/\brequire\(|getApp\(/);
    expect(text('wxml')).not.toMatch(/<(?:import|include|wxs)\b/);
    expect(text('wxss')).not.toContain('@import');
    expect(JSON.parse(text('json'))).toEqual({ component: true, usingComponents: {} });
    const named = [...text('wxss').matchAll(/var\((--[\w-]+)/g)].map(([, name]) => name!);
    for (const name of named) expect(text('wxss'), name).toContain(`${name}:`);
  });

  it('uses nothing that only browsers have', () => {
    for (const name of files().filter((name) => name.endsWith('.js'))) {
      const text = readFileSync(join(target, name), 'utf8');
      expect(text, name).not.toMatch(
        /\b(?:document|window|localStorage|fetch\(|TextEncoder|TextDecoder|Blob|atob|btoa|crypto\.|eval\(|new Function)\b/,
      );
    }
  });

  it('a publisher must say addresses and fingerprints as they are', () => {
    expect(() => build({ YJ_PLATFORM: 'https://a.example/' })).toThrow('YJ_PLATFORM');
    expect(() => build({ YJ_FINGERPRINT: 'AB' })).toThrow('YJ_FINGERPRINT');
  });
});
