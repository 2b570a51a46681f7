/** The mini-program, built, in WeChat's own component engine; what WeChat itself does is played. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Rendered {
  data: Record<string, never> & {
    results: { ok: boolean; conclusion: string; steps: { id: string; ok: boolean }[] }[];
    words: string;
    total: string;
    problem: string;
  };
  instance: Record<string, (...given: unknown[]) => Promise<void>> & { setData: (data: object) => void };
  dom: HTMLElement;
  querySelector: (selector: string) => Rendered;
  dispatchEvent: (name: string) => void;
  addEventListener: (name: string, listener: (event: { detail: unknown }) => void) => void;
  attach: (parent: Node) => void;
  detach: () => void;
}
const simulate = createRequire(import.meta.url)('miniprogram-simulate') as {
  load: (path: string, options?: object) => string;
  render: (id: string, properties?: object) => Rendered;
};

export const ROOT = process.cwd();
export const PLATFORM = 'https://yuanjian.example';
const folder = mkdtempSync(join(tmpdir(), 'yuanjian-mini-'));
export const target = join(folder, 'dist');

/** By itself: the bundler refuses to run in a played browser. */
export function build(publisher: { YJ_PLATFORM?: string; YJ_FINGERPRINT?: string }): string {
  return execFileSync(process.execPath, [join(ROOT, 'tools/mini.mjs'), target], {
    env: { ...process.env, ...publisher },
    encoding: 'utf8',
    stdio: 'pipe',
  });
}

interface Answer {
  statusCode: number;
  data: unknown;
  header?: Record<string, unknown>;
}
/** What the played WeChat holds and was asked for. */
const FRESH = {
  files: {} as Record<string, string>,
  answers: {} as Record<string, Answer>,
  /** Why a request without an answer fails. */
  failure: 'request:fail',
  /** Whether answers are kept back, to be given by those functions. */
  isSlow: false,
  waiting: [] as (() => void)[],
  aborted: 0,
  scans: '',
  asked: [] as string[],
  went: '',
  kept: {} as Record<string, unknown>,
  scale: 1,
};
export const phone = structuredClone(FRESH);
export const shared: { globalData: Record<string, unknown> } = { globalData: {} };
type Done<T> = { success: (result: T) => void; fail: (reason: object) => void };
type Listener = (result: { header: Record<string, unknown> }) => void;

function request({ url, success, fail }: Done<object> & { url: string }): object {
  phone.asked.push(url);
  const answer = phone.answers[url];
  let listener: Listener = () => undefined;
  let isAborted = false;
  const end = (): void => {
    if (answer) listener({ header: answer.header ?? {} });
    if (isAborted) fail({ errMsg: 'request:fail abort' });
    else if (answer) success(answer);
    else fail({ errMsg: phone.failure });
  };
  if (phone.isSlow) phone.waiting.push(end);
  else setTimeout(end);
  return {
    onHeadersReceived: (given: Listener) => (listener = given),
    abort: () => {
      isAborted = true;
      phone.aborted += 1;
    },
  };
}

/** Puts the played WeChat into the world. */
export function start(publisher: Parameters<typeof build>[0]): void {
  build(publisher);
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
    request,
    navigateTo: ({ url }: { url: string }) => (phone.went = url),
  };
  const world = globalThis as unknown as Record<string, unknown>;
  world.wx = Object.assign((world.wx as object | undefined) ?? {}, wx);
  world.getApp = () => shared;
}

/** Once WeChat has handed on every tap, and given every answer that it does not keep back. */
export const settled = (): Promise<void> => new Promise((resolve) => setTimeout(() => setTimeout(resolve)));

export function reset(): void {
  Object.assign(phone, structuredClone(FRESH));
  shared.globalData = {};
}

export const stop = (): void => rmSync(folder, { recursive: true, force: true });

function render(path: string, properties?: object): Rendered {
  return simulate.render(simulate.load(join(target, path), { rootPath: target, compiler: 'official' }), properties);
}

export function open(page: string): Rendered {
  const made = render(`pages/${page}/index`);
  made.attach(document.createElement('div'));
  return made;
}

/** A component by itself, not yet in a page. */
export const component = (name: string, properties: object): Rendered => render(`components/${name}/index`, properties);

/** What WeChat hands to a page that was opened by an address of this mini-program. */
export function queryOf(url: string): { q?: string } {
  const q = url.split('?q=')[1];
  return q === undefined ? {} : { q };
}
