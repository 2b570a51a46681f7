/** Answers of the public page, as the platform gives them. */

export const step = (more: object = {}): object => ({
  anchor: 'confirmed',
  corrects: false,
  date: '2026-11-02',
  id: '01a22016-3483-7fe5-9ed6-41a91ec5b073',
  item: null,
  observes: false,
  region_name: '陕西省渭南市澄城县',
  stage: 'primary_production',
  stage_name: '初级生产',
  subject: '示例韭菜合作社一社',
  type_name: '采收',
  verdict: null,
  ...more,
});

export const FINGERPRINT = 'c9'.repeat(32);

const common = { chain_fingerprint: FINGERPRINT, code: 'R1-sold', first_scanned_at: '2026-11-28T11:44:05.463+08:00', scans: 3 };
const product = { brand: '示例牌', code: 'YJ-JC-01', name: '示例韭菜', spec: null, standard_no: 'NY/T 744' };

export const found = (more: object = {}): object => ({
  ...common,
  lot: 'R1-sold',
  orders: [],
  product,
  recall: null,
  state: 'found',
  steps: [step(), step({ stage_name: '产品流通', type_name: '零售', anchor: 'pending', corrects: true, date: '2026-11-14' })],
  ...more,
});

export const recalled = (): object =>
  found({ state: 'recalled', recall: { reason: '示例检测不合格', advice: '请停止食用，退回购买处', date: '2026-11-11' } });

export const ofClass = (more: object = {}): object => ({
  ...found({ state: 'class', lot: null, steps: [], produced_on: null, expires_on: null }),
  code: '06901234567892',
  gtin: '06901234567892',
  scans: 0,
  first_scanned_at: '',
  maker: { name: '示例蔬菜加工厂', region_name: '陕西省西安市长安区' },
  warned_lots: [],
  warned_lots_total: 0,
  ...more,
});

const nothing = { chain_fingerprint: FINGERPRINT, code: 'NOTHING', first_scanned_at: '', scans: 0 };
export const unknown = { ...nothing, state: 'not_found' };
export const madeVoid = { ...nothing, code: 'VOID', state: 'void', state_name: '此码已由赋码主体作废' };
