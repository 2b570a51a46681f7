/** 凭证: the papers that an event names, and those that its type demands. */
import type { DocumentDemand } from './types';

export const DOCUMENT_KINDS: Record<string, string> = {
  commitment: '承诺达标合格证',
  quarantine: '动物检疫证明',
  meat_inspection: '肉品品质检验证',
  origin: '产地证明',
  test_report: '检测报告',
  waybill: '运单',
  purchase: '进货凭证',
  licence: '许可证',
  lot_release: '批签发证明',
  certificate: '产品合格证明',
};
const LACKING: Record<DocumentDemand['lacking'], string> = {
  refuse: '缺少的不予登记',
  review: '缺少的由他人审核',
  note: '缺少的计数',
};
/** A paper of no kind that the platform checks. */
export const OTHER = 'voucher';

/** What somebody chooses from, the kinds that are demanded first. `own`: a kind as it was recorded, which stays as it is. */
export function paperKinds(demands: DocumentDemand[] | undefined, own: string = OTHER): [string, string][] {
  const wanted = (demands ?? []).flatMap((demand) => demand.any_of);
  const order = [...new Set([...wanted, ...Object.keys(DOCUMENT_KINDS), OTHER])];
  const kinds = order.map((code): [string, string] => [code, code === OTHER ? '其他凭证' : (DOCUMENT_KINDS[code] ?? code)]);
  if (order.includes(own)) return kinds;
  const named = kinds.filter(([, label]) => label !== own);
  return [[own, own], ...named];
}

/** What is demanded, in one sentence. */
export function demandText(demand: DocumentDemand): string {
  const kinds = demand.any_of.map((code) => DOCUMENT_KINDS[code] ?? code).join('、');
  const one = demand.any_of.length > 1 ? '之一' : '';
  const registered = demand.registered ? '（须已在平台登记）' : '';
  return `${demand.name}：${kinds}${one}${registered}，${LACKING[demand.lacking]}`;
}

/** The kind that a stored paper was named by: its code, or its name. */
export const kindOfPaper = (type: string | undefined): string =>
  Object.entries(DOCUMENT_KINDS).find(([code, label]) => code === type || label === type)?.[0] ?? OTHER;

/** What a stored paper is called. */
export const paperName = (type: string | undefined): string => DOCUMENT_KINDS[kindOfPaper(type)] ?? '凭证';
