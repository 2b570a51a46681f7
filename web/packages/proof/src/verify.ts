/** Checks a `.yjproof` file against nothing but its bytes and what the reader trusts. */

import { equal, toHex, Unreadable } from './bytes';
import { readBundle, type Bundle } from './bundle';
import * as chain from './chain';
import { isConsistent, leaf, rootFromPath, type Tree } from './merkle';
import { isBy, noteKeyText, originOf, sameKey, type NoteKey } from './note';
import { verifySm2 } from './sm2';
import { sm3 } from './sm3';
import { sentence, STEPS, type Facts, type Step, type StepId, type Verdict } from './verdict';

export { STEPS, type Facts, type Step, type StepId, type Verdict };

/** What the reader trusts without proof, from a source other than the file. */
export interface Trust {
  /** Fingerprint of the chain, 64 hexadecimal digits. */
  chain?: string;
  /** Witnesses, one of which at least must have countersigned; none for no such demand. */
  witnesses?: NoteKey[];
}

/** A step: what it found, or why it fails. */
type Check = (bundle: Bundle, trust: Trust) => string;

function refuse(reason: string): never {
  throw new Unreadable(reason);
}

const short = (bytes: Uint8Array): string => toHex(bytes.slice(0, 8));

/** Who signs at the bundle's block: the genesis set, changed by blocks that each set signed. */
function validatorsAt({ genesis, changes, header: last }: Bundle): chain.ValidatorSet {
  let [set, height] = [genesis.validators, 0n];
  for (const { header, certificate, validators } of changes) {
    const inOrder = header.height > height && header.height < last.height && equal(header.chain, last.chain);
    const named = equal(header.validators, set.hash) && equal(header.nextValidators, validators.hash);
    if (!inOrder || !named || equal(header.validators, header.nextValidators)) refuse('验证人集合的变更不相衔接');
    if (!chain.commits(certificate, header, set)) refuse(`区块 ${header.height} 的验证人变更没有原验证人的签名`);
    [set, height] = [validators, header.height];
  }
  return set;
}

/** Whether a state of the log that is spoken of elsewhere is the block's log or its continuation. */
function continues({ header }: Bundle, later: Tree & { height: bigint; block: Uint8Array }, path: Uint8Array[]): boolean {
  const sameBlock = later.height === header.height && equal(later.block, header.id);
  if (later.size < header.treeSize || (later.height <= header.height && !sameBlock)) return false;
  return isConsistent({ size: header.treeSize, root: header.treeRoot }, later, path);
}

function checkWitness(bundle: Bundle, { witnesses = [] }: Trust): string {
  const missing = '证明文件中没有您所信任的见证方的签名';
  const { witness, header, validators } = bundle;
  if (!witness) return witnesses.length === 0 ? '证明文件中无见证' : refuse(missing);
  const {
    note: { checkpoint, lines },
    keys,
    path,
  } = witness;
  if (checkpoint.origin !== originOf(header.chain) || !continues(bundle, checkpoint, path)) refuse('检查点不是本区块日志的延续');
  if (lines.length !== keys.length || lines.length < 2) refuse('检查点的签名与所附公钥不相对应');
  const [log, ...others] = keys as [NoteKey, ...NoteKey[]];
  const ofLog = log.byLog && log.name === checkpoint.origin && validators.members.some(({ key }) => equal(key, log.key));
  if (!ofLog || !isBy(lines[0]!, checkpoint, log)) refuse(`检查点上 ${log.name} 的签名不成立`);
  for (const [at, key] of others.entries()) {
    const again = others.slice(0, at).some((one) => sameKey(one, key));
    if (key.byLog || again || !isBy(lines[at + 1]!, checkpoint, key)) refuse(`检查点上 ${key.name} 的签名不成立`);
  }
  const known = others.filter((key) => witnesses.some((one) => sameKey(one, key))).length;
  if (known === 0 && witnesses.length > 0) refuse(missing);
  const trusted = witnesses.length === 0 ? '，见证方公钥由证明文件自带，请与见证方公布的核对' : `，其中 ${known} 个是您所信任的`;
  return `检查点共 ${checkpoint.size} 项，由 ${others.map(({ name }) => name).join('、')} 见证${trusted}`;
}

function checkAnchors(bundle: Bundle): string {
  for (const { statement, path } of bundle.anchors) {
    const ours = equal(statement.chain, bundle.header.chain) && continues(bundle, statement, path);
    if (!ours) refuse('外部锚定的日志不是本区块日志的延续');
    const validator = chain.memberAt(bundle.validators, statement.validator);
    const signed = validator && verifySm2(validator.key, statement.signed, statement.signature);
    if (!signed) refuse('外部锚定声明没有验证人的有效签名');
  }
  const places = bundle.anchors.map(({ statement }) => `${statement.network} 的交易 ${statement.transaction}`);
  return places.length === 0 ? '证明文件中无外部锚定' : `平台声明已锚定于 ${places.join('、')}，请在该链上核对`;
}

function checkTrust({ genesis }: Bundle, { chain: fingerprint }: Trust): string {
  const found = toHex(genesis.chain);
  if (fingerprint === undefined) return `信任锚由证明文件自带：链 ${genesis.name}，指纹 ${found}，请与平台公布的指纹核对`;
  if (found !== fingerprint) refuse('证明来自另一条链，与您信任的指纹不一致');
  return `链 ${genesis.name}，指纹与您给出的一致`;
}

const CHECKS: [StepId, Check][] = [
  [
    'envelope',
    ({ record }) => {
      const hidden = record.partial ? `，公开 ${record.shown.length} 项，${record.hidden} 项仅有摘要` : '';
      return `记录 ${String(record.head.id)}，摘要 ${short(record.entry)}…${hidden}`;
    },
  ],
  [
    'record_path',
    ({ record, place, submission }) => {
      const root = rootFromPath(leaf(record.entry), place.index, BigInt(submission.count), place.path);
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
      const root = rootFromPath(leaf(keyBytes), registry.index, registry.size, registry.path);
      if (!root || !equal(chain.bindRegistry(registry.size, root), header.registry)) refuse('密钥不在该区块的密钥登记中');
      if (header.height < key.from || header.height >= key.until) refuse(`密钥在区块 ${header.height} 时无效（未启用或已吊销）`);
      return `密钥 ${key.org}/${key.kid} 自区块 ${key.from} 起有效`;
    },
  ],
  [
    'log_path',
    ({ submissionBytes, log, header }) => {
      const root = rootFromPath(leaf(submissionBytes), log.index, header.treeSize, log.path);
      if (!root || !equal(root, header.treeRoot)) refuse('提交不在该区块的存证日志中');
      return `日志共 ${header.treeSize} 项，本提交为第 ${log.index + 1n} 项`;
    },
  ],
  [
    'header',
    (bundle) => {
      const { header, submission, validators, genesis } = bundle;
      if (!equal(header.chain, genesis.chain) || !equal(submission.chain, genesis.chain)) refuse('区块或提交不属于所附创世文件的链');
      if (!equal(header.validators, validators.hash)) refuse('验证人集合与区块头不符');
      if (!equal(validators.bytes, validatorsAt(bundle).bytes)) refuse('验证人集合变更缺少变更证明');
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
  ['witness', checkWitness],
  ['anchor', checkAnchors],
  ['trust', checkTrust],
];

function factsOf({ genesis, header, submission, submissionBytes, record, witness, anchors }: Bundle): Facts {
  const facts: Facts = {
    chainName: genesis.name,
    chain: toHex(genesis.chain),
    height: header.height,
    blockId: toHex(header.id),
    timeMs: header.timeMs,
    org: submission.org,
    kid: submission.kid,
    byPlatform: submission.byPlatform,
    treeSize: header.treeSize,
    witnesses: [],
    digests: [
      ['存证项', toHex(record.entry)],
      ['记录树根', toHex(submission.root)],
      ['提交摘要', toHex(sm3(submissionBytes))],
      ['日志根', toHex(header.treeRoot)],
      ['区块标识', toHex(header.id)],
      ['链指纹', toHex(genesis.chain)],
    ],
    anchors: anchors.map(({ statement: { network, contract, transaction, blockNumber } }) => ({
      network,
      contract,
      transaction,
      blockNumber,
    })),
  };
  if (!witness) return facts;
  const { checkpoint, lines } = witness.note;
  const countersigned = witness.keys.slice(1).map((key, at) => ({
    name: key.name,
    timeMs: (lines[at + 1]!.time ?? 0n) * 1_000n,
    key: noteKeyText(key),
  }));
  return {
    ...facts,
    checkpoint: { size: checkpoint.size, height: checkpoint.height, root: toHex(checkpoint.root) },
    witnesses: countersigned,
    digests: [...facts.digests, ['检查点的日志根', toHex(checkpoint.root)]],
  };
}

/** Verifies a proof file: its bytes, or the text that they are. */
export function verify(source: string | Uint8Array, trust: Trust = {}): Verdict {
  const steps: Step[] = [];
  const taken = (id: StepId, take: () => string): boolean => {
    try {
      steps.push({ id, title: STEPS[id], ok: true, detail: take() });
      return true;
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      steps.push({ id, title: STEPS[id], ok: false, detail: error.message || '字节格式不符，可能被改动过' });
      return false;
    }
  };
  let bundle: Bundle | undefined;
  const read = taken('format', () => {
    bundle = readBundle(source);
    return '格式 yjproof/1';
  });
  const ok = read && CHECKS.every(([id, check]) => taken(id, () => check(bundle!, trust)));
  if (!ok || !bundle) return { ok: false, conclusion: `验证未通过：${steps[steps.length - 1]!.detail}`, steps };
  const facts = factsOf(bundle);
  return { ok: true, conclusion: sentence(facts), steps, facts, record: bundle.record };
}
