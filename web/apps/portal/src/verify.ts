/** Checks, on the reader's own device, every proof behind a story. */

import { verify, type Verdict } from '../../../packages/proof/src/verify';
import { checkStory } from './story-check';

interface Proofs {
  code: string;
  chain_fingerprint: string;
  proofs: { id: string; proof: string | null }[];
}

function line(parent: HTMLElement, ok: boolean, text: string): void {
  const item = document.createElement('li');
  item.className = ok ? 'good' : 'bad';
  item.textContent = `${ok ? '通过' : '未通过'}　${text}`;
  parent.append(item);
}

export async function check(code: string, fingerprint: string, place: HTMLElement): Promise<void> {
  const answer = await fetch(`/api/v1/public/proof/${encodeURIComponent(code)}`, { headers: { accept: 'application/json' } });
  if (!answer.ok) throw new Error('no proofs');
  const { proofs } = (await answer.json()) as Proofs;
  const anchored = proofs.filter(({ proof }) => proof !== null);
  const verdicts: Verdict[] = anchored.map(({ proof }) => verify(proof!, fingerprint === '' ? {} : { chain: fingerprint }));
  const list = document.createElement('ul');
  const failed = verdicts.find((verdict) => !verdict.ok);
  line(list, !failed, failed ? failed.conclusion : `${verdicts.length} 条记录的签名、路径与区块证书均由本机复算，自存证以来未被改动`);
  const story = checkStory(code, verdicts, readPage());
  line(list, story.linked, story.linked ? `各条记录首尾相接，通向追溯码 ${code}` : '有记录与此追溯码没有联系');
  line(list, story.matches, story.matches ? '页面所示日期与环节和存证内容一致' : '页面所示内容与存证内容不一致');
  const rest = proofs.length - anchored.length;
  if (rest > 0) line(list, true, `另有 ${rest} 条正在写入存证链，稍后可校验`);
  place.replaceChildren(list);
  place.setAttribute('data-ok', String(!failed && story.linked && story.matches));
}

function readPage(): { date: string; stage: string }[] {
  return Array.from(document.querySelectorAll<HTMLElement>('.steps li[data-anchored]'), (item) => ({
    date: item.dataset.date ?? '',
    stage: item.dataset.stage ?? '',
  }));
}
