/** Says of what is wrong with an event which field of the form it is about. */
import type { FieldError } from '../../api';
import type { PackEvent } from '../../domain/types';

const FIELDS: Record<string, string> = {
  domain: '领域',
  type: '事件类型',
  subject: '主体',
  event_time: '发生时间',
  place: '地点',
  'place.region': '地点',
  'place.address': '详细地址',
  counterparty: '交易对方',
  documents: '凭证',
  correction_reason: '更正原因',
  inputs: '投入',
  outputs: '产出',
};
/** Fields of one line. */
export const LINE: Record<string, string> = { code: '追溯码', quantity: '数量', unit: '单位', product: '产品', lot: '批次号' };

function labelOf(path: string, spec: Pick<PackEvent, 'fields'> | undefined): string | undefined {
  const line = /^(inputs|outputs)\[(\d+)\](?:\.(\w+))?$/.exec(path);
  if (line) return `${FIELDS[line[1]!]}第 ${Number(line[2]) + 1} 行${LINE[line[3] ?? ''] ?? ''}`;
  if (path.startsWith('documents[')) return '凭证编号';
  const name = path.replace(/^attributes\./, '');
  return FIELDS[path] ?? spec?.fields.find((field) => field.name === name)?.label;
}

/** Errors with their fields named; what nobody filled in is said to be missing. */
export function blamed(
  errors: FieldError[],
  spec: Pick<PackEvent, 'fields'> | undefined,
  isEmpty: (path: string) => boolean,
): FieldError[] {
  return errors.map(({ field, detail }) => {
    const label = labelOf(field, spec);
    if (!label || detail.startsWith(label)) return { field, detail };
    return { field, detail: `${label}：${isEmpty(field) ? '必填' : detail}` };
  });
}
