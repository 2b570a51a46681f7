/** A verdict in the words of the pages that show it: the public page, the console, the mini-program. */

import { canonical } from './canonical';
import { beijing, signedBy, type Facts, type Verdict } from './verdict';

/** What stands under every result. */
export const CAUTION = '以上说明这条记录自存证以来是否被改动、由谁签名，不说明产品真伪，也不说明记录当初填写得是否属实。';

/** What a proof that holds says, each with its name. */
export function factRows(facts: Facts): [label: string, value: string][] {
  const { checkpoint, witnesses, anchors } = facts;
  return [
    ['存证时间', beijing(facts.timeMs)],
    ['签名', signedBy(facts)],
    ['区块', `${facts.height}（标识 ${facts.blockId}）`],
    [
      '检查点',
      checkpoint
        ? `共 ${checkpoint.size} 项，区块 ${checkpoint.height}，日志根 ${checkpoint.root}`
        : `区块 ${facts.height} 的日志，共 ${facts.treeSize} 项`,
    ],
    ...(witnesses.length === 0
      ? [['见证', '无见证'] as [string, string]]
      : witnesses.map(({ name, timeMs }): [string, string] => ['见证', `${name}，${beijing(timeMs)}`])),
    ...(anchors.length === 0
      ? [['外部锚定', '无外部锚定'] as [string, string]]
      : anchors.map(({ network, contract, transaction, blockNumber }): [string, string] => [
          '外部锚定',
          `${network} 第 ${blockNumber} 块，合约 ${contract}，交易 ${transaction}`,
        ])),
    ['链', `${facts.chainName}（指纹 ${facts.chain}）`],
  ];
}

const HEAD: [string, string][] = [
  ['type', '记录类型'],
  ['id', '记录编号'],
  ['org', '主体代码'],
  ['time', '记录时间'],
];

/** What the record says, as far as the proof shows it: its head, then its fields by JSON pointer. */
export function recordRows({ record }: Verdict): [name: string, value: string][] {
  if (!record) return [];
  const head = HEAD.map(([name, label]): [string, string] => [label, String(record.head[name] ?? '')]);
  const value = (one: unknown): string => (typeof one === 'string' ? one : canonical(one as never));
  return [...head, ...record.shown.map((one): [string, string] => [one.name, value(one.value)])];
}

/** In how few words a step can be told apart at a glance. */
export const MARK = { true: '通过', false: '未通过' } as const;

/** What several verdicts say together. */
export function summary(verdicts: { ok: boolean }[]): string {
  const failed = verdicts.filter(({ ok }) => !ok).length;
  if (verdicts.length === 1) return failed === 0 ? '1 份证明，验证通过' : '1 份证明，验证未通过';
  return failed === 0 ? `${verdicts.length} 份证明，全部通过` : `${verdicts.length} 份证明，${failed} 份未通过`;
}

/** A digest as people copy it; nothing where the text is none. */
export function digestOf(text: string): string | undefined {
  const clean = text.replace(/[\s:：]/g, '').toLowerCase();
  return /^[0-9a-f]{64}$/.test(clean) ? clean : undefined;
}

/** What a digest that was noted down elsewhere is in these proofs. */
export function whereDigest(digest: string, results: { name: string; verdict: Verdict }[]): string {
  const found = results.flatMap(({ name, verdict }) =>
    (verdict.facts?.digests ?? []).filter(([, hex]) => hex === digest).map(([what]) => `“${name}”的${what}`),
  );
  if (results.length === 0) return '这是一个摘要。请先选择证明文件，再填摘要，即可核对它是不是证明所含的存证项、提交、区块或日志根';
  return found.length > 0 ? `此摘要是${found.join('、')}` : '此摘要不在所选的证明之中';
}
