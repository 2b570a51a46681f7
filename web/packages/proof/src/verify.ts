/** Checks a `.yjproof` file against nothing but its bytes and what the reader trusts. */

import { equal, fromHex, toHex, Unreadable } from './bytes';
import { canonical, type Json } from './canonical';
import * as chain from './chain';
import { isObject, partial, whole, type JsonObject, type RecordPart } from './record';
import { verifySm2 } from './sm2';

export const STEPS = {
  format: '证明文件完整且格式规范',
  envelope: '记录内容可复算摘要',
  record_path: '记录属于该次提交',
  submission_signature: '提交由所示密钥签名',
  key_registry: '密钥在当时已登记且有效',
  log_path: '提交已收入存证日志',
  header: '区块头与链、日志、验证人一致',
  certificate: '验证人已签名确认区块',
  trust: '属于所信任的链',
} as const;

export type StepId = keyof typeof STEPS;
export interface Step {
  id: StepId;
  title: string;
  ok: boolean;
  detail: string;
}
export interface Verdict {
  ok: boolean;
  conclusion: string;
  steps: Step[];
  record?: RecordPart;
  height?: bigint;
}

const MEMBERS = 'certificate,format,genesis,header,key,log,record,registry,salt,submission,validators';
const SIZE_MAX = 1 << 20;

interface Path {
  index: bigint;
  path: Uint8Array[];
}
interface Bundle {
  record: RecordPart;
  place: Path;
  submission: chain.Submission;
  submissionBytes: Uint8Array;
  key: chain.Key;
  keyBytes: Uint8Array;
  registry: Path & { size: bigint };
  log: Path;
  header: chain.Header;
  certificate: chain.Certificate;
  validators: chain.ValidatorSet;
  genesis: chain.Genesis;
}

function whole64(value: Json | undefined): bigint {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw new Unreadable();
  return BigInt(value);
}

function readPath(value: Json | undefined, members: string): JsonObject & { path: Json[] } {
  if (!isObject(value) || Object.keys(value).sort().join() !== members || !Array.isArray(value.path)) throw new Unreadable();
  return value as JsonObject & { path: Json[] };
}

function path(value: Json | undefined): Path {
  const read = readPath(value, 'index,path');
  return { index: whole64(read.index), path: read.path.map((hash) => fromHex(hash, 32)) };
}

function readBundle(text: string): Bundle {
  if (new Blob([text]).size > SIZE_MAX) throw new Unreadable('文件超过 1 MiB，不是存证证明');
  let file: Json;
  try {
    file = JSON.parse(text) as Json;
  } catch {
    throw new Unreadable('不是存证证明文件，或内容残缺');
  }
  if (!isObject(file) || file.format !== 'yjproof/1') throw new Unreadable('不是存证证明文件，或内容残缺');
  if (canonical(file) !== text) throw new Unreadable('文件不是规范形式，可能被改动过');
  const { envelope, disclosure, ...rest } = file;
  if (Object.keys(rest).sort().join() !== MEMBERS || (envelope === undefined) === (disclosure === undefined)) {
    throw new Unreadable('证明文件应恰含记录原文或部分披露之一');
  }
  const salt = fromHex(file.salt, 16);
  const registry = readPath(file.registry, 'index,path,size');
  const [submissionBytes, keyBytes] = [fromHex(file.submission), fromHex(file.key)];
  return {
    record: envelope === undefined ? partial(disclosure!, salt) : whole(envelope, salt),
    place: path(file.record),
    submission: chain.readSubmission(submissionBytes),
    submissionBytes,
    key: chain.readKey(keyBytes),
    keyBytes,
    registry: { index: whole64(registry.index), size: whole64(registry.size), path: registry.path.map((hash) => fromHex(hash, 32)) },
    log: path(file.log),
    header: chain.readHeader(fromHex(file.header)),
    certificate: chain.readCertificate(fromHex(file.certificate)),
    validators: chain.readValidators(fromHex(file.validators)),
    genesis: chain.readGenesis(fromHex(file.genesis)),
  };
}

/** A step: what it found, or why it fails. */
type Check = (bundle: Bundle) => string;

function refuse(reason: string): never {
  throw new Unreadable(reason);
}

const short = (bytes: Uint8Array): string => toHex(bytes.slice(0, 8));

const CHECKS: [StepId, Check][] = [
  [
    'envelope',
    ({ record }) => {
      const hidden = record.hidden === 0 ? '' : `，公开 ${record.shown.length} 项，${record.hidden} 项仅有摘要`;
      return `记录 ${String(record.head.id)}，摘要 ${short(record.entry)}…${hidden}`;
    },
  ],
  [
    'record_path',
    ({ record, place, submission }) => {
      const root = chain.rootFromPath(chain.leaf(record.entry), place.index, BigInt(submission.count), place.path);
      if (!root || !equal(root, submission.root)) refuse('记录内容与提交的摘要不符：记录、盐或路径被改动过');
      return `提交含 ${submission.count} 条记录，本条为第 ${place.index + 1n} 条`;
    },
  ],
  [
    'submission_signature',
    ({ record, submission, key }) => {
      if (submission.org !== record.head.org) refuse('记录的主体与提交的主体不同');
      const owner = submission.byPlatform ? 'platform' : submission.org;
      if (submission.kid !== key.kid || key.forPlatform !== submission.byPlatform || key.org !== owner) {
        refuse('提交所示密钥与所附密钥不同，或用途不符');
      }
      if (!verifySm2(key.key, submission.signed, submission.signature)) refuse('提交的 SM2 签名与内容不符');
      return submission.byPlatform
        ? `由平台密钥 ${submission.kid} 代主体 ${submission.org} 签名`
        : `由主体 ${submission.org} 的密钥 ${submission.kid} 签名`;
    },
  ],
  [
    'key_registry',
    ({ key, keyBytes, registry, header }) => {
      const root = chain.rootFromPath(chain.leaf(keyBytes), registry.index, registry.size, registry.path);
      if (!root || !equal(chain.bindRegistry(registry.size, root), header.registry)) refuse('密钥不在该区块的密钥登记中');
      if (header.height < key.from || header.height >= key.until) refuse(`密钥在区块 ${header.height} 时无效（未启用或已吊销）`);
      return `密钥 ${key.org}/${key.kid} 自区块 ${key.from} 起有效`;
    },
  ],
  [
    'log_path',
    ({ submissionBytes, log, header }) => {
      const root = chain.rootFromPath(chain.leaf(submissionBytes), log.index, header.treeSize, log.path);
      if (!root || !equal(root, header.treeRoot)) refuse('提交不在该区块的存证日志中');
      return `日志共 ${header.treeSize} 项，本提交为第 ${log.index + 1n} 项`;
    },
  ],
  [
    'header',
    ({ header, submission, validators, genesis }) => {
      if (!equal(header.chain, genesis.chain) || !equal(submission.chain, genesis.chain)) refuse('区块或提交不属于所附创世文件的链');
      if (!equal(header.validators, validators.hash)) refuse('验证人集合与区块头不符');
      if (!equal(validators.bytes, genesis.validators.bytes)) refuse('验证人集合变更缺少变更证明');
      return `区块 ${header.height}，标识 ${short(header.id)}…`;
    },
  ],
  [
    'certificate',
    ({ certificate, header, validators }) => {
      if (!chain.commits(certificate, header, validators)) refuse('验证人签名无效，或不足三分之二');
      return `${certificate.votes.length} 个验证人签名确认`;
    },
  ],
];

function trust(bundle: Bundle, fingerprint: string | undefined): string {
  const found = toHex(bundle.genesis.chain);
  if (fingerprint === undefined) return `信任锚由证明文件自带：链 ${bundle.genesis.name}，指纹 ${found}，请与平台公布的指纹核对`;
  if (found !== fingerprint) refuse('证明来自另一条链，与您信任的指纹不一致');
  return `链 ${bundle.genesis.name}，指纹与您给出的一致`;
}

/** Verifies a proof file; `fingerprint` is the chain that the reader trusts, from another source. */
export function verify(text: string, fingerprint?: string): Verdict {
  const steps: Step[] = [];
  let bundle: Bundle | undefined;
  const all: [StepId, () => string][] = [
    [
      'format',
      () => {
        bundle = readBundle(text);
        return '格式 yjproof/1';
      },
    ],
    ...CHECKS.map(([id, check]): [StepId, () => string] => [id, () => check(bundle!)]),
    ['trust', () => trust(bundle!, fingerprint)],
  ];
  for (const [id, check] of all) {
    try {
      steps.push({ id, title: STEPS[id], ok: true, detail: check() });
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      const detail = error.message || '字节格式不符，可能被改动过';
      steps.push({ id, title: STEPS[id], ok: false, detail });
      return { ok: false, conclusion: `验证未通过：${detail}`, steps };
    }
  }
  const { record, header, submission } = bundle!;
  const conclusion = `该记录自存证以来未被改动（区块 ${header.height}，提交主体 ${submission.org}）`;
  return { ok: true, conclusion, steps, record, height: header.height };
}
