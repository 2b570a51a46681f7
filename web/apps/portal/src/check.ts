/** 存证校验: proof files, checked on the reader's own device; no file is sent anywhere. */

import { digestOf, summary, whereDigest } from '../../../packages/proof/src/report';
import { cleanFingerprint, readTrust } from '../../../packages/proof/src/trust';
import { verify, type Trust, type Verdict } from '../../../packages/proof/src/verify';
import { element } from './element';
import { look } from './look';
import { result } from './result';
import { offerViews } from './view';

/** Files of one go. */
const FILES_MAX = 500;

interface Given {
  name: string;
  source: string | Uint8Array;
}

const find = <E extends HTMLElement>(id: string): E => document.querySelector<E>(`#${id}`)!;
const results = find('results');
const [chain, witnesses] = [find<HTMLInputElement>('chain'), find<HTMLTextAreaElement>('witnesses')];
const own = results.dataset.fingerprint ?? '';
let given: Given[] = [];
/** What the page shows now. */
let shown: { name: string; verdict: Verdict }[] = [];
/** Each go ends the one before it. */
let go = 0;

const rest = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

/** What the reader trusts; nothing, and a word on the page, where that cannot be read. */
function trusted(): Trust | undefined {
  const { trust, problem = '' } = readTrust(chain.value, witnesses.value);
  find('problem').textContent = problem;
  const from = {
    own: '此指纹由本页所在的平台给出；从别处得到的指纹请填在这里，例如公报、合同或监管部门公布的。',
    none: '未填链指纹：只核对证明自身，证明属于哪条链请自行核对。',
    other: '以您填写的指纹为准。',
  };
  const typed = cleanFingerprint(chain.value);
  find('chain-from').textContent = typed === '' ? from.none : typed === own ? from.own : from.other;
  return trust;
}

function report(verdicts: [Given, Verdict][], trust: Trust): void {
  const all = verdicts.map(([, verdict]) => verdict);
  const print = element('button', { type: 'button', class: 'quiet screen' }, '打印结果');
  print.addEventListener('click', () => window.print());
  const basis = [
    trust.chain === undefined ? '未指定链指纹' : `所信任的链指纹 ${trust.chain}`,
    ...(trust.witnesses?.length ? [`所信任的见证方 ${trust.witnesses.map(({ name }) => name).join('、')}`] : []),
    `核验于 ${new Date().toLocaleString('zh-CN', { timeZone: 'Asia/Shanghai', hour12: false })}（本机时钟，北京时间）`,
  ];
  const head = element(
    'section',
    { class: 'card total', tabindex: '-1' },
    element('p', { class: all.every(({ ok }) => ok) ? 'state good' : 'state bad' }, element('i', { 'aria-hidden': 'true' }), summary(all)),
    element('p', { class: 'muted long' }, basis.join('；')),
    print,
  );
  results.replaceChildren(head, ...verdicts.map(([{ name }, verdict]) => result(name, verdict, verdicts.length === 1)));
}

async function check(): Promise<void> {
  const trust = trusted();
  if (given.length === 0) return;
  go += 1;
  const mine = go;
  shown = [];
  if (!trust) {
    results.replaceChildren();
    return;
  }
  const progress = element('p', { class: 'card', role: 'status' });
  results.replaceChildren(progress);
  const verdicts: [Given, Verdict][] = [];
  for (const one of given) {
    progress.textContent = `正在校验第 ${verdicts.length + 1} 份，共 ${given.length} 份`;
    await rest();
    if (mine !== go) return;
    verdicts.push([one, verify(one.source, trust)]);
  }
  shown = verdicts.map(([{ name }, verdict]) => ({ name, verdict }));
  report(verdicts, trust);
  const head = results.querySelector<HTMLElement>('.total');
  head?.focus({ preventScroll: true });
  head?.scrollIntoView({ block: 'start' });
}

function take(sources: Given[]): void {
  given = sources;
  void check();
}

async function read(list: FileList | null | undefined): Promise<void> {
  const files = Array.from(list ?? []);
  if (files.length > FILES_MAX) {
    say(`一次至多 ${FILES_MAX} 份，现为 ${files.length} 份，请分次校验`);
    return;
  }
  const bytes = async (file: File): Promise<Given> => {
    try {
      return { name: file.name, source: new Uint8Array(await new Response(file).arrayBuffer()) };
    } catch {
      // A folder, or a file that went away: no proof.
      return { name: file.name, source: '' };
    }
  };
  if (files.length > 0) take(await Promise.all(files.map(bytes)));
}

function say(text: string): void {
  results.replaceChildren(element('p', { class: 'card state none', role: 'status' }, element('i', { 'aria-hidden': 'true' }), text));
}

function receive(): void {
  const [files, drop, text] = [find<HTMLInputElement>('files'), find('drop'), find<HTMLTextAreaElement>('text')];
  files.addEventListener('change', () => void read(files.files).then(() => (files.value = '')));
  for (const [kind, over] of [
    ['dragenter', true],
    ['dragover', true],
    ['dragleave', false],
    ['drop', false],
  ] as const) {
    document.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.toggleAttribute('data-over', over);
      if (kind === 'drop') void read(event.dataTransfer?.files);
    });
  }
  find('check-text').addEventListener('click', () => {
    // Copying adds blanks around; within them the text is as it is.
    const pasted = text.value.trim();
    if (pasted !== '') take([{ name: '粘贴的证明', source: pasted }]);
  });
  for (const field of [chain, witnesses]) field.addEventListener('change', () => void check());
  find<HTMLFormElement>('look').addEventListener('submit', (event) => {
    event.preventDefault();
    void search(find<HTMLInputElement>('code').value.trim());
  });
}

async function search(code: string): Promise<void> {
  if (code === '') return;
  const digest = digestOf(code);
  find('where').textContent = digest ? whereDigest(digest, shown) : '';
  if (digest) return;
  go += 1;
  const mine = go;
  say(`正在查找 ${code}`);
  const found = await look(code);
  if (mine !== go) return;
  if (found.given.length === 0) say(found.words);
  else take(found.given);
}

/** Folded parts are printed too. */
function unfoldToPrint(): void {
  let folded: HTMLDetailsElement[] = [];
  window.addEventListener('beforeprint', () => {
    folded = Array.from(results.querySelectorAll<HTMLDetailsElement>('details:not([open])'));
    folded.forEach((one) => (one.open = true));
  });
  window.addEventListener('afterprint', () => folded.forEach((one) => (one.open = false)));
}

async function keepForLater(): Promise<void> {
  if (!('serviceWorker' in navigator)) return;
  try {
    await navigator.serviceWorker.register('/portal/verify-sw.js', { scope: '/verify' });
    await navigator.serviceWorker.ready;
    find('offline').textContent = '本页已存于本机，没有网络、平台停用时也能打开。';
  } catch {
    // The page works as long as it is open.
  }
}

offerViews(find('switches'));
find('give').hidden = false;
find('trust').hidden = false;
find('own').hidden = true;
trusted();
receive();
unfoldToPrint();
void keepForLater();
const asked = new URLSearchParams(location.search).get('code');
if (asked) {
  find<HTMLInputElement>('code').value = asked;
  find('look').closest('details')!.open = true;
  void search(asked.trim());
}
