/** A verdict as plain data: pages of a mini-program hold texts, no whole numbers of any size. */
import { CAUTION, factRows, MARK, recordRows } from '../../../packages/proof/src/report';
import { verify, type Trust } from '../../../packages/proof/src/verify';

export interface Row {
  label: string;
  value: string;
}
export interface Shown {
  name: string;
  ok: boolean;
  conclusion: string;
  facts: Row[];
  steps: { id: string; title: string; ok: boolean; detail: string; mark: string }[];
  content: Row[];
  hidden: number;
  caution: string;
}

const row = ([label, value]: [string, string]): Row => ({ label, value });

export function shown(name: string, source: string | Uint8Array, trust: Trust): Shown {
  const verdict = verify(source, trust);
  return {
    name,
    ok: verdict.ok,
    conclusion: verdict.conclusion,
    facts: verdict.facts ? factRows(verdict.facts).map(row) : [],
    steps: verdict.steps.map((step) => ({ ...step, mark: MARK[`${step.ok}`] })),
    content: recordRows(verdict).map(row),
    hidden: verdict.record?.hidden ?? 0,
    caution: CAUTION,
  };
}
