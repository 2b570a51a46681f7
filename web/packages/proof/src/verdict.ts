/** What a verification found, step by step, in words for people. */

import type { RecordPart } from './record';

/** The steps in their order; the identifiers are part of the format. */
export const STEPS = {
  format: '证明文件完整且格式规范',
  envelope: '记录内容可复算摘要',
  record_path: '记录属于该次提交',
  submission_signature: '提交由所示密钥签名',
  key_registry: '密钥在当时已登记且有效',
  log_path: '提交已收入存证日志',
  header: '区块头与链、日志、验证人一致',
  certificate: '验证人已签名确认区块',
  witness: '见证与本区块的日志一致',
  anchor: '外部锚定与本区块的日志一致',
  trust: '属于所信任的链',
} as const;

export type StepId = keyof typeof STEPS;
export interface Step {
  id: StepId;
  title: string;
  ok: boolean;
  detail: string;
}

/** What a proof that holds establishes. */
export interface Facts {
  chainName: string;
  /** Fingerprint of the chain. */
  chain: string;
  height: bigint;
  blockId: string;
  timeMs: bigint;
  org: string;
  kid: string;
  byPlatform: boolean;
  treeSize: bigint;
  /** Of the log at the checkpoint that was countersigned. */
  checkpoint?: { size: bigint; height: bigint; root: string };
  witnesses: { name: string; timeMs: bigint; key: string }[];
  anchors: { network: string; contract: string; transaction: string; blockNumber: bigint }[];
  /** The digests along the way, each with its name: what somebody may have noted down elsewhere. */
  digests: [name: string, hex: string][];
}

export interface Verdict {
  ok: boolean;
  /** One sentence. It never says that a product is genuine: only that the record is unchanged. */
  conclusion: string;
  steps: Step[];
  facts?: Facts;
  record?: RecordPart;
}

/** A moment as people in China write it. */
export function beijing(timeMs: bigint): string {
  const moment = new Date(Number(timeMs) + 8 * 3_600_000);
  if (!(moment.getTime() < Date.UTC(10_000, 0))) return `第 ${timeMs} 毫秒`;
  return `${moment.toISOString().slice(0, 19).replace('T', ' ')}（北京时间）`;
}

export function signedBy({ byPlatform, org, kid }: Facts): string {
  return byPlatform ? `平台密钥 ${kid} 代主体 ${org} 签名` : `主体 ${org} 的密钥 ${kid} 签名`;
}

/** The conclusion where every step holds. */
export function sentence(facts: Facts): string {
  const names = facts.witnesses.map(({ name }) => name).join('、');
  const witnessed = facts.checkpoint ? `，${facts.checkpoint.size} 项的检查点由 ${names} 见证` : '';
  return `该记录自 ${beijing(facts.timeMs)} 存证以来未被改动（区块 ${facts.height}，${signedBy(facts)}${witnessed}）`;
}
