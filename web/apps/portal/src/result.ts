/** What a verdict looks like on the page: conclusion, facts, steps, and what the record says. */

import { CAUTION, factRows, MARK, recordRows } from '../../../packages/proof/src/report';
import type { Verdict } from '../../../packages/proof/src/verify';
import { element } from './element';

/** Names as machines write them break anywhere. */
const CODE = /[0-9a-f]{16}|^[/\w:.-]{12,}$/;

function rows(all: [string, string][]): HTMLElement {
  const row = ([label, value]: [string, string]): HTMLElement =>
    element('div', {}, element('dt', {}, label), element('dd', CODE.test(value) ? { class: 'long' } : {}, value));
  return element('dl', {}, ...all.map(row));
}

function steps({ steps }: Verdict): HTMLElement {
  const item = ({ id, ok, title, detail }: Verdict['steps'][number]): HTMLElement =>
    element(
      'li',
      { class: ok ? 'good' : 'bad', 'data-step': id },
      element('strong', {}, MARK[`${ok}`]),
      element('span', { class: 'what' }, title),
      element('span', { class: 'detail' }, detail),
    );
  return element('ol', { class: 'checks' }, ...steps.map(item));
}

function folded(title: string, open: boolean, content: HTMLElement): HTMLElement {
  return element('details', open ? { open: '' } : {}, element('summary', {}, title), content);
}

/** `alone`: whether it is the only one, and is shown at length. */
export function result(name: string, verdict: Verdict, alone: boolean): HTMLElement {
  const { ok, facts, record } = verdict;
  const failed = verdict.steps.findIndex((step) => !step.ok) + 1;
  const head = [
    element('h2', { class: 'name' }, name),
    element(
      'p',
      { class: `verdict ${ok ? 'good' : 'bad'}` },
      element('b', { 'aria-hidden': 'true' }, ok ? '鉴' : '否'),
      verdict.conclusion,
    ),
  ];
  const shown = facts ? [rows(factRows(facts))] : [];
  const taken = ok ? `核验步骤（${verdict.steps.length} 步，全部通过）` : `核验步骤（第 ${failed} 步未通过）`;
  const content = recordRows(verdict);
  const hidden = record && record.hidden > 0 ? `，另有 ${record.hidden} 项未公开，仅以摘要参与校验` : '';
  return element(
    'section',
    { class: 'card result', 'data-ok': String(ok) },
    ...head,
    ...shown,
    folded(taken, alone || !ok, steps(verdict)),
    ...(content.length > 0 ? [folded(`记录内容（${content.length} 项${hidden}）`, false, rows(content))] : []),
    element('p', { class: 'muted' }, CAUTION),
  );
}
