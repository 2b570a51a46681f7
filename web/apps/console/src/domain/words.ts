/** The Chinese words of codes that the interface uses. */

export const STAGES: Record<string, string> = {
  primary_production: '初级生产',
  processing: '加工',
  inspection: '检测',
  transport: '运输',
  distribution: '流通',
  supervision: '监管',
  consumption: '消费/使用',
};

export type Tone = 'good' | 'warn' | 'bad' | 'info' | 'brand';

export const CHANGE_STATES: Record<string, [string, Tone]> = {
  submitted: ['待审核', 'warn'],
  returned: ['退回补正', 'bad'],
  approved: ['已通过', 'good'],
  rejected: ['已驳回', 'bad'],
  withdrawn: ['已撤回', 'info'],
};
export const EVENT_STATES: Record<string, [string, Tone]> = {
  held: ['待审', 'warn'],
  rejected: ['已驳回', 'bad'],
  accepted: ['已接收', 'good'],
  superseded: ['已被更正', 'info'],
};
export const ANCHOR_STATES: Record<string, [string, Tone]> = {
  none: ['未上链', 'info'],
  pending: ['待上链', 'warn'],
  packed: ['已打包', 'brand'],
  confirmed: ['已确认', 'good'],
};
export const JOB_STATES: Record<string, [string, Tone]> = {
  queued: ['排队', 'info'],
  running: ['进行中', 'brand'],
  done: ['完成', 'good'],
  failed: ['失败', 'bad'],
  cancelled: ['已取消', 'info'],
};
export const OBJECT_STATES: Record<string, [string, Tone]> = {
  held: ['在库', 'good'],
  sold: ['已售出', 'info'],
  used: ['已使用', 'info'],
  external: ['平台外', 'warn'],
};
export const SOURCES: Record<string, string> = { form: '手工录入', import: '文件导入', api: '接口', device: '设备' };
export const DOMAINS: Record<string, string> = {
  agri: '食用农产品',
  food: '食品',
  drug: '药品',
  input: '农业生产资料',
  equipment: '特种设备',
  hazmat: '危险品',
  rare_earth: '稀土产品',
  industrial: '工业产品',
};
export const UNITS: Record<string, string> = {
  KGM: '千克',
  GRM: '克',
  TNE: '吨',
  H87: '个',
  SET: '套',
  LTR: '升',
  MTR: '米',
  C62: '件',
  EA: '个',
};
export const ACTIONS: Record<string, string> = {
  created: '新建',
  updated: '修改',
  deleted: '删除',
  submitted: '提交',
  returned: '退回',
  resubmitted: '补正',
  approved: '通过',
  rejected: '驳回',
  withdrawn: '撤回',
  captured: '采集',
  exported: '导出',
  uploaded: '上传',
  logged_in: '登录',
  logged_out: '退出',
  login_refused: '登录被拒',
  password_changed: '修改口令',
};
export const ENTITIES: Record<string, string> = {
  trace_subject: '追溯主体',
  product: '重要产品',
  source_policy: '采集来源策略',
  trace_event: '追溯事件',
  change_request: '变更申请',
  account: '账号',
  attachment: '文件',
};

export const unit = (code: string | null | undefined): string => (code ? (UNITS[code] ?? code) : '');
