/** 按摘要查验: what the platform knows of a digest, and how people read it. */
import { toHex } from '@proof/bytes';
import { sm3 } from '@proof/sm3';
import { amount } from '../../domain/format';
import { ENTITIES } from '../../domain/words';

/** A file is read whole to be hashed. */
export const FILE_MAX = 64 << 20;

export interface DigestItem {
  what: string;
  title: string;
  height?: number;
  time?: string;
  tree_size?: number;
  submission?: { index: number; org: string; seq: number; count: number };
  record?: string | null;
  kind?: string | null;
  name?: string | null;
  file?: string;
}
export interface DigestAnswer {
  digest: string;
  items: DigestItem[];
  more: boolean;
  height: number;
  searched: number;
}

/** Kinds of records that have no register of their own. */
const KINDS: Record<string, string> = {
  batch_document_void: '凭证作废',
  trace_order_lift: '解除管控',
  audit_head: '审计链尾',
  tombstone: '墓碑',
  device_batch: '设备数据批次',
};
const kindName = (kind: string): string => KINDS[kind] ?? ENTITIES[kind] ?? kind;

/** Whose it is: the record, or what of the log. */
export function whose(item: DigestItem): string {
  if (item.kind) return [kindName(item.kind), item.name].filter(Boolean).join(' ');
  if (item.file) return item.name ?? '';
  if (item.submission) return `${item.submission.org} 的第 ${amount(item.submission.seq)} 次提交，${amount(item.submission.count)} 条记录`;
  return item.tree_size === undefined ? '本平台的存证链' : `日志共 ${amount(item.tree_size)} 项`;
}

/** How much was looked at, where that is not everything. */
export const unfinished = (found: DigestAnswer): string =>
  found.searched < found.height
    ? `摘要索引正在建立，已查到区块 ${amount(found.searched)}，共 ${amount(found.height)}；没有查到不等于没有，请稍后再查`
    : '';

/** Whether a file says of itself that it is a proof; any other is looked up by its digest. */
export function saysProof(name: string, bytes: Uint8Array): boolean {
  if (name.toLowerCase().endsWith('.yjproof')) return true;
  const head = new TextDecoder().decode(bytes.subarray(0, 4096)).trimStart();
  return head.startsWith('{') && head.includes('yjproof');
}

/** Whether a text can only be a digest of which something is missing, or to which something was added. */
export const nearDigest = (text: string): boolean => /^[0-9a-f]{50,100}$/i.test(text);

export const digestOfFile = (bytes: Uint8Array): string => toHex(sm3(bytes));
