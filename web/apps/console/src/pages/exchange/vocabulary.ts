/** The Chinese words of EPCIS and its core vocabulary (ISO/IEC 19987, 19988). */
import { wall } from './epcis';

export const EVENT_TYPES: Record<string, string> = {
  ObjectEvent: '对象事件',
  AggregationEvent: '聚合事件',
  AssociationEvent: '关联事件',
  TransactionEvent: '交易事件',
  TransformationEvent: '转化事件',
};
export const ACTIONS: Record<string, string> = { ADD: '新增', OBSERVE: '观察', DELETE: '移除' };
export const STEPS: Record<string, string> = {
  accepting: '接受',
  arriving: '到达',
  assembling: '组装',
  collecting: '收集',
  commissioning: '赋码启用',
  consigning: '托运',
  creating_class_instance: '产出批次',
  cycle_counting: '循环盘点',
  decommissioning: '停用标识',
  departing: '出发',
  destroying: '销毁',
  disassembling: '拆解',
  dispensing: '分发',
  encoding: '写码',
  entering_exiting: '进出',
  holding: '扣留',
  inspecting: '检验',
  installing: '安装',
  killing: '灭活标签',
  loading: '装载',
  other: '其他',
  packing: '包装',
  picking: '拣选',
  receiving: '收货',
  removing: '拆除',
  repackaging: '重新包装',
  repairing: '维修',
  replacing: '更换',
  reserving: '预留标识',
  retail_selling: '零售',
  sampling: '取样',
  sensor_reporting: '传感器上报',
  shipping: '发货',
  staging_outbound: '待发',
  stock_taking: '盘点',
  stocking: '上架',
  storing: '入库存放',
  transporting: '运输',
  unloading: '卸载',
  unpacking: '拆包',
  void_shipping: '取消发货',
};
/** What an event or a query may be asked by; the same word is used in both. */
const PARAMETERS: Record<string, string> = {
  eventType: '事件类型',
  EQ_action: '动作',
  EQ_bizStep: '业务步骤',
  EQ_disposition: '处置状态',
  EQ_readPoint: '读取点',
  WD_readPoint: '读取点及其下级',
  EQ_bizLocation: '业务地点',
  WD_bizLocation: '业务地点及其下级',
  EQ_eventID: '事件标识',
  MATCH_epc: '物品标识',
  MATCH_anyEPC: '物品标识',
  MATCH_parentID: '上级物品标识',
  MATCH_epcClass: '物品类别',
  MATCH_anyEPCClass: '物品类别',
  GE_eventTime: '发生时间不早于',
  LT_eventTime: '发生时间早于',
  GE_recordTime: '记录时间不早于',
  LT_recordTime: '记录时间早于',
};

/** The bare word of a vocabulary that may be given in full, as a URN or a web address. */
const bare = (text: string): string => text.replace(/^(?:urn:epcglobal:cbv:\w+:|https?:\/\/(?:ref\.)?gs1\.org\/(?:cbv|voc)\/\w+-)/i, '');
const of = (words: Record<string, string>, text: string): string => words[bare(text)] ?? text;
export const typeText = (text: string): string => of(EVENT_TYPES, text);
export const actionText = (text: string | undefined): string => (text ? of(ACTIONS, text) : '');
export const stepText = (text: string | undefined): string => (text ? of(STEPS, text) : '');

/** A moment as the clock on the wall shows it; what is none is shown as it was given. */
const moment = (text: string): string => (Number.isNaN(Date.parse(text)) ? text : wall(text));

/** What a kept query asks for, as people say it; what has no word is shown as it was given. */
export function conditionsText(query: Record<string, unknown>): string {
  const word: Record<string, (text: string) => string> = { eventType: typeText, EQ_action: actionText, EQ_bizStep: stepText };
  const said = Object.entries(query)
    .filter(([name]) => name !== '@context')
    .map(([name, value]) => {
      const time = name.endsWith('Time') && name !== 'eventTime';
      const values = [value].flat().map((one) => (time ? moment(String(one)) : (word[name] ?? String)(String(one))));
      return `${PARAMETERS[name] ?? name}：${values.join(' 或 ')}`;
    });
  return said.join('；') || '全部事件';
}

/** From Monday, as the schedules of the standard count. */
const WEEK = ['一', '二', '三', '四', '五', '六', '日'];
const CLOCK: [string, string][] = [
  ['month', '月'],
  ['dayOfMonth', '日'],
  ['dayOfWeek', '周'],
  ['hour', '时'],
  ['minute', '分'],
  ['second', '秒'],
];
/** How often a schedule comes round, where its greatest part says it at a glance. */
function everyOf({ month, dayOfMonth, dayOfWeek, hour, minute }: Record<string, string>): string {
  if (month !== undefined) return '每年 ';
  if (dayOfMonth !== undefined) return '每月 ';
  if (dayOfWeek !== undefined) return '每';
  if (hour !== undefined) return '每天 ';
  return minute === undefined ? '每分钟 ' : '每小时 ';
}
/** A list of numbers, ranges (`[1-5]`) and steps (`0/15`). */
function numbersText(at: string, word: string, say = (number: string): string => number): string {
  const one = (text: string): string => {
    const [from = '', step] = text.split('/');
    const range = from.replace(/\d+/g, say).replace('-', ' 至 ');
    if (step === undefined) return range;
    return from === '*' ? `每隔 ${step}` : `${range} ${word}起每隔 ${step}`;
  };
  return at
    .replace(/[[\]\s]/g, '')
    .split(',')
    .map(one)
    .join('、');
}
/** When a subscription is answered: the parts of its schedule from the greatest to the least. */
export function scheduleText(told: Record<string, string>): string {
  const schedule = Object.fromEntries(Object.entries(told).filter(([, at]) => at !== '*'));
  const parts = CLOCK.flatMap(([name, word]) => {
    const at = schedule[name];
    if (at === undefined) return [];
    if (name === 'dayOfWeek') return [`周${numbersText(at, '日', (day) => WEEK[Number(day) - 1] ?? day).replaceAll(' ', '')}`];
    return [`${numbersText(at, word)} ${word}`];
  });
  return `${everyOf(schedule)}${parts.join(' ')}`;
}
