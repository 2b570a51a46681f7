// @vitest-environment jsdom
/** The pages of the mini-program in WeChat's own component engine; what WeChat itself does is played. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { asked } from '../src/scanned';

interface Vector {
  name: string;
  bundle: string;
  fingerprint: string | null;
  failed: string | null;
  witnesses?: string[];
}
interface Rendered {
  data: Record<string, never> & {
    results: { ok: boolean; conclusion: string; steps: { id: string; ok: boolean }[] }[];
    words: string;
    total: string;
    problem: string;
  };
  instance: Record<string, (...given: unknown[]) => Promise<void>>;
  dom: HTMLElement;
  querySelector: (selector: string) => { dispatchEvent: (name: string, options?: object) => void };
}
const simulate = createRequire(import.meta.url)('miniprogram-simulate') as {
  load: (path: string, options?: object) => string;
  render: (id: string) => Rendered & { attach: (parent: Node) => void };
};

const ROOT = process.cwd();
const vectors = JSON.parse(readFileSync(join(ROOT, '../crates/proof/vectors/proofs.json'), 'utf8')) as Vector[];
const good = vectors.find(({ name }) => name === 'witnessed and anchored, log of 7')!;
const PLATFORM = 'https://yuanjian.example';
const folder = mkdtempSync(join(tmpdir(), 'yuanjian-mini-'));
const target = join(folder, 'dist');

/** By itself: the bundler refuses to run in a played browser. */
function build(publisher: { YJ_PLATFORM?: string; YJ_FINGERPRINT?: string }): string {
  return execFileSync(process.execPath, [join(ROOT, 'tools/mini.mjs'), target], {
    env: { ...process.env, ...publisher },
    encoding: 'utf8',
    stdio: 'pipe',
  });
}

/** What the played WeChat holds and was asked for. */
const phone = {
  files: {} as Record<string, string>,
  answers: {} as Record<string, { statusCode: number; data: unknown }>,
  scans: '',
  asked: [] as string[],
  went: '',
  kept: {} as Record<string, unknown>,
  scale: 1,
};
const shared: { globalData: Record<string, unknown> } = { globalData: {} };
type Done<T> = { success: (result: T) => void; fail: (reason: object) => void };

beforeAll(() => {
  build({ YJ_PLATFORM: PLATFORM, YJ_FINGERPRINT: good.fingerprint! });
  const wx = {
    getAppBaseInfo: () => ({ fontSizeScaleFactor: phone.scale }),
    getStorageSync: (name: string) => phone.kept[name] ?? '',
    setStorageSync: (name: string, value: unknown) => (phone.kept[name] = value),
    chooseMessageFile: ({ success, fail }: Done<object>) => {
      const names = Object.keys(phone.files);
      if (names.length === 0) fail({ errMsg: 'chooseMessageFile:fail cancel' });
      else success({ tempFiles: names.map((name) => ({ name, path: `wxfile://${name}`, size: phone.files[name]!.length })) });
    },
    getFileSystemManager: () => ({
      readFile: ({ filePath, success }: Done<object> & { filePath: string }) => {
        const bytes = Uint8Array.from(Buffer.from(phone.files[filePath.slice('wxfile://'.length)]!));
        success({ data: bytes.buffer });
      },
    }),
    scanCode: ({ success }: Done<object>) => success({ result: phone.scans }),
    request: ({ url, success, fail }: Done<object> & { url: string }) => {
      phone.asked.push(url);
      const answer = phone.answers[url];
      if (answer) success(answer);
      else fail({ errMsg: 'request:fail' });
    },
    navigateTo: ({ url }: { url: string }) => (phone.went = url),
  };
  const world = globalThis as unknown as Record<string, unknown>;
  world.wx = Object.assign((world.wx as object | undefined) ?? {}, wx);
  world.getApp = () => shared;
}, 60_000);
beforeEach(() => {
  Object.assign(phone, { files: {}, answers: {}, scans: '', asked: [], went: '', kept: {}, scale: 1 });
  shared.globalData = {};
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function open(page: string): Rendered {
  const made = simulate.render(simulate.load(join(target, 'pages', page, 'index'), { rootPath: target, compiler: 'official' }));
  made.attach(document.createElement('div'));
  return made;
}

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

  it('a scanned label is asked for on the platform, and nothing else is', async () => {
    const page = open('verify');
    phone.scans = `${PLATFORM}/t/F1-A`;
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
    for (const page of app.pages) for (const kind of ['js', 'json', 'wxml', 'wxss']) expect(own).toContain(`${page}.${kind}`);
    expect(own).toEqual(expect.arrayContaining(['app.js', 'app.json', 'app.wxss', app.sitemapLocation, 'project.config.json']));
    expect(own.filter((name) => name.endsWith('.ts'))).toEqual([]);
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
