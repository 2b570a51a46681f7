/** What a file of trace events can be: a template of the chosen domain, or a message of its systems. */
import type { Pack, PackEvent } from '../../domain/types';
import { STAGES } from '../../domain/words';
import type { Door } from '../desk/FileImport.vue';

const SHEET = { accept: '.xlsx,.csv', hint: 'XLSX（至多 64 MiB）或 CSV（UTF-8、GB 18030），至多 1,000,000 行' };
const MESSAGE = { accept: '.xml,.json', hint: 'XML（UTF-8、GBK）或 JSON，至多 10,000 条记录', templates: [] };
const MESSAGES: Record<string, [string, string]> = {
  agri: ['meat-vegetable', '肉菜流通追溯报文'],
  drug: ['drug-bill', '药品追溯单据'],
  dangerous: ['waybill', '危险货物电子运单'],
};

export function doors(pack: Pack, spec?: PackEvent): Door[] {
  const templates = `/api/v1/trace/templates/${pack.code}`;
  const one = (event: PackEvent): Door => ({
    ...SHEET,
    label: `${event.name}（一个事件类型）`,
    query: { domain: pack.code, type: event.code },
    templates: ['xlsx', 'csv'].map((ending) => ({
      label: `${ending.toUpperCase()} 模板`,
      path: `${templates}/${event.code}.${ending}`,
      name: `${event.name}导入模板.${ending}`,
    })),
  });
  const stage = ({ stage }: { stage: string }): Door => ({
    ...SHEET,
    label: `${STAGES[stage] ?? stage}（环节模板）`,
    query: { domain: pack.code, stage },
    templates: [{ label: '环节模板', path: `${templates}/stages/${stage}.xlsx`, name: `${STAGES[stage] ?? stage}导入模板.xlsx` }],
  });
  const message = MESSAGES[pack.code];
  return [
    ...(spec ? [one(spec)] : []),
    ...pack.stages.map(stage),
    ...(message ? [{ ...MESSAGE, label: message[1], query: { message: message[0] } }] : []),
  ];
}
