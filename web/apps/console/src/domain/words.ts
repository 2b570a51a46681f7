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
/** Whether an event corrects another or takes it back, before its name; nothing where it stands by itself. */
export const correctionMark = (event: { correction_of: string | null; withdraws: boolean }): string =>
  event.correction_of ? (event.withdraws ? '撤销：' : '更正：') : '';
export const MATCH_STATES: Record<string, [string, Tone]> = {
  given: ['待收货方登记', 'warn'],
  received: ['待发货方登记', 'warn'],
  matched: ['相符', 'good'],
  quantity: ['数量不符', 'bad'],
  day: ['日期不符', 'bad'],
};
export const QUIET_STATES: Record<string, [string, Tone]> = {
  silent: ['停报', 'bad'],
  idle: ['停业', 'warn'],
};
export const REPORT_STATES: Record<string, [string, Tone]> = {
  burst: ['突击报送', 'bad'],
  late: ['有逾期', 'warn'],
  prompt: ['按期', 'good'],
};
/** How the states of registered records are felt; their words come with each register. */
export const STATE_TONES: Record<string, Tone> = {
  active: 'good',
  valid: 'good',
  online: 'good',
  '40': 'good',
  offline: 'warn',
  invited: 'warn',
  suspended: 'warn',
  '60': 'warn',
  void: 'bad',
  revoked: 'bad',
  locked: 'bad',
  in_force: 'bad',
  recalling: 'bad',
};
export const PRODUCT_STATES: Record<string, [string, Tone]> = {
  active: ['正常', 'good'],
  suspended: ['暂停', 'warn'],
  recalling: ['召回中', 'bad'],
};
export const CODE_STATES: Record<string, [string, Tone]> = {
  planned: ['未激活', 'info'],
  active: ['已激活', 'good'],
  void: ['已作废', 'bad'],
};
export const CODE_ACTS: Record<string, string> = { activate: '激活', void: '作废', loss: '损耗', pack: '关联包装' };
export const PACK_LEVELS: Record<string, string> = {
  item: '单品',
  inner: '小包装',
  middle: '中包装',
  case: '箱',
  pallet: '托盘',
  container: '集装单元',
};
export const ANCHOR_STATES: Record<string, [string, Tone]> = {
  none: ['未上链', 'info'],
  pending: ['待上链', 'warn'],
  packed: ['已打包', 'brand'],
  confirmed: ['已确认', 'good'],
};
export const JOB_STATES: Record<string, [string, Tone]> = {
  waiting: ['待批准', 'warn'],
  refused: ['未获批准', 'bad'],
  queued: ['排队', 'info'],
  running: ['进行中', 'brand'],
  done: ['完成', 'good'],
  failed: ['失败', 'bad'],
  cancelled: ['已取消', 'info'],
};
export const REQUEST_STATES: Record<string, [string, Tone]> = {
  waiting: ['待确认', 'warn'],
  confirmed: ['已确认，待执行', 'brand'],
  refused: ['未获确认', 'bad'],
  done: ['已执行', 'good'],
  expired: ['已过期', 'info'],
};
export const CHECK_STATES: Record<string, [string, Tone]> = {
  passed: ['通过', 'good'],
  failed: ['未通过', 'bad'],
  tested: ['由产品测试覆盖', 'info'],
  never: ['尚未自查', 'warn'],
};
export const PACK_STATES: Record<string, [string, Tone]> = {
  draft: ['待启用', 'warn'],
  active: ['已启用', 'good'],
  retired: ['已停用', 'info'],
  discarded: ['已作废', 'info'],
};
export const BASE_MAP_STATES: Record<string, [string, Tone]> = {
  draft: ['待启用', 'warn'],
  active: ['已启用', 'good'],
  lapsed: ['已过有效期', 'bad'],
  withdrawn: ['已撤下', 'info'],
  discarded: ['已作废', 'info'],
};
export const OBJECT_STATES: Record<string, [string, Tone]> = {
  held: ['在库', 'good'],
  sold: ['已售出', 'info'],
  used: ['已使用', 'info'],
  external: ['平台外', 'warn'],
};
/** 质量状态 by the orders in force over a trace object. */
export const QUALITIES: Record<string, [string, Tone]> = {
  '02': ['待检', 'warn'],
  '03': ['不合格', 'bad'],
  '04': ['冻结', 'bad'],
  '05': ['召回', 'bad'],
  '06': ['销毁', 'bad'],
};
export const ORDER_KINDS: Record<string, string> = {
  await: '待检',
  fail: '检测不合格',
  freeze: '冻结',
  stop: '停止交易',
  recall: '召回',
  destroy: '销毁',
};
/** What the lifting of an order is called; 销毁 has none. */
export const ORDER_LIFTINGS: Record<string, string> = {
  await: '解除待检',
  fail: '复检解除',
  freeze: '解除冻结',
  stop: '恢复交易',
  recall: '撤销召回',
};
export const ORDER_STATES: Record<string, [string, Tone]> = {
  in_force: ['执行中', 'bad'],
  lifted: ['已解除', 'info'],
};
export const SOURCES: Record<string, string> = { form: '手工录入', import: '文件导入', api: '接口', device: '设备' };
export const OUTSIDE_STATES: Record<string, [string, Tone]> = {
  waiting: ['等待提交', 'warn'],
  sent: ['已提交，待确认', 'info'],
  confirmed: ['已确认', 'good'],
  failed: ['失败', 'bad'],
};
export const CONFLICT_STATES: Record<string, [string, Tone]> = {
  open: ['待裁定', 'warn'],
  kept: ['保留本平台', 'good'],
  taken: ['采用对方', 'info'],
  corrected: ['更正代码', 'info'],
};
export const APPLICATION_STATES: Record<string, [string, Tone]> = {
  waiting: ['待审核', 'warn'],
  returned: ['已退回', 'info'],
  rejected: ['已驳回', 'bad'],
  approved: ['已通过', 'good'],
};
export const CLASSES: Record<string, string> = { public: '公开', internal: '内部', sensitive: '敏感', personal: '个人信息' };
export const LIBRARY_STATES: Record<string, [string, Tone]> = {
  ready: ['已启用', 'good'],
  partial: ['部分启用', 'warn'],
  absent: ['未启用', 'info'],
};
export const OBLIGATIONS: Record<string, string> = { M: '必选', C: '条件必选', O: '可选', D: '平台生成' };
export const DOMAINS: Record<string, string> = {
  agri: '食用农产品',
  food: '食品',
  drug: '药品',
  agri_input: '农业生产资料',
  special_equipment: '特种设备',
  dangerous: '危险品',
  rare_earth: '稀土产品',
  industrial: '工业产品',
};
/** Every unit that the platform knows. */
export const UNITS: Record<string, string> = {
  KGM: '千克',
  GRM: '克',
  MGM: '毫克',
  TNE: '吨',
  LTR: '升',
  MLT: '毫升',
  MTQ: '立方米',
  MTR: '米',
  CMT: '厘米',
  MMT: '毫米',
  KMT: '千米',
  MTK: '平方米',
  HAR: '公顷',
  MU: '亩',
  H87: '个',
  EA: '件',
  NIU: '计件单位',
  HEA: '头',
  DZN: '打',
  PR: '双',
  SET: '台套',
  BX: '箱',
  BG: '袋',
  BO: '瓶',
  CA: '罐',
  CT: '纸箱',
  PX: '托盘',
  RO: '卷',
  CY: '气瓶',
  PK: '包',
  BE: '捆',
};
export const ACCOUNT_ACTS: Record<string, string> = {
  reset: '重置口令',
  invite: '发放激活链接',
  disable: '停用',
  enable: '启用',
  lock: '锁定',
  unlock: '解锁',
  transfer: '调动',
};
export const ACTIONS: Record<string, string> = {
  sealed: '封签',
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
  removed: '删除',
  refused: '被拒绝',
  set_up: '初始化',
  invited: '发放激活链接',
  activated: '激活',
  factor_bound: '绑定第二因素',
  factor_removed: '解除第二因素',
  factor_shown: '出示第二因素',
  proved: '再次验证',
  recovery_codes_made: '重新生成恢复码',
  name_locked: '锁定登录',
  locked: '锁定',
  unlocked: '解锁',
  disabled: '停用',
  enabled: '启用',
  transferred: '调动',
  reset: '重置',
  appointed: '指定管理员',
  session_revoked: '结束会话',
  signed_on: '单点登录',
  revealed: '揭示个人信息',
  erased: '删除个人信息',
  labelled: '标记密级',
  analysed: '分析',
  queried: '接口查询',
  token_granted: '换取令牌',
  secret_made: '生成密钥',
  revoked: '吊销',
  rotated: '轮换密钥',
  verified: '复算审计链',
  alarmed: '告警',
  settled: '处置',
  reopened: '再次告警',
  checked: '检查',
  found: '发现篡改',
  asked: '要求检查',
  acknowledged: '确认知悉',
  resolved: '办结',
  confirmation_asked: '申请操作确认',
  confirmation_given: '确认操作',
  confirmation_refused: '不同意操作',
  bound: '绑定',
  linked: '关联单点登录',
  factor_refused: '第二因素不符',
  sessions_displaced: '会话被新登录取代',
  grant_shown_twice: '授权凭据重复出示',
  published: '发布',
  included: '纳入范围',
  excluded: '移出范围',
  suspended: '暂停',
  resumed: '恢复',
  recalled: '召回',
  recall_closed: '结束召回',
  queued: '提交任务',
  repaired: '修正导入的行',
  cancelled: '取消',
  downloaded: '下载',
  online: '上线',
  offline: '离线',
  certificate_bound: '绑定证书',
  certificate_revoked: '吊销证书',
  discarded: '作废',
  loaded: '成批装入',
  voided: '作废编码',
  lost: '登记损耗',
  packed: '关联包装',
  took_codes: '导出编码',
  printed: '打印标签',
  closed: '注销或关闭',
  opened: '打开',
  signed: '企业签名',
  merged: '并入其他主体',
  absorbed: '并入一个主体',
  split: '拆分出主体',
  split_asked: '申请拆分',
  conflict_opened: '出现冲突',
  conflict_kept: '保留本平台登记',
  conflict_taken: '采用对方信息',
  conflict_corrected: '更正对方代码',
  application_filed: '提交注册申请',
  application_approved: '通过注册申请',
  application_returned: '退回注册申请',
  application_rejected: '驳回注册申请',
  application_opened: '注册申请开通账号',
  enterprise_opened: '企业开户',
  requested: '申请',
  changed: '状态变化',
  silent: '停报',
  idle: '停业',
  heard: '恢复上报',
};
export const ENTITIES: Record<string, string> = {
  ledger_anchor: '外部锚定',
  change_rule: '变更权限',
  saved_view: '保存的查询',
  access_seal: '权限封签',
  dictionary: '数据字典',
  dictionary_name: '数据元对照',
  domain_pack: '领域包',
  map_pack: '地图底图',
  trace_subject: '追溯主体',
  licence: '许可证照',
  site: '经营场所',
  subject_alias: '旧代码',
  subject_merger: '主体合并',
  subject_conflict: '主体冲突',
  subject_application: '注册申请',
  node: '节点',
  merchant: '商户',
  merchant_place: '商户驻场',
  device: '设备',
  device_binding: '设备绑定',
  product: '重要产品',
  code_rule: '编码规则',
  code_batch: '赋码批次',
  label_template: '标签模板',
  resolver_link: '解析链接',
  resolver_upstream: '上级解析',
  ledger_witness: '见证方',
  ledger_witness_alarm: '见证告警',
  catalogue: '产品目录',
  source_policy: '采集来源策略',
  trace_order: '批次管控',
  batch_document: '批次凭证',
  evidence_key: '存证密钥',
  ledger: '存证',
  trace_event: '追溯事件',
  change_request: '变更申请',
  account: '用户',
  organization: '机构',
  role: '角色',
  assignment: '授权',
  delegation: '授权委托',
  client: '接口客户端',
  application: '接入应用',
  alarm: '告警',
  protection_key: '密钥',
  audit_log: '审计记录',
  ledger_pass: '防篡改检查',
  ledger_finding: '检查发现',
  anchor_entry: '存证原文',
  trace_object: '追溯单元',
  route: '接口',
  platform: '平台',
  attachment: '文件',
  export: '导出',
  self_check: '等保自查',
  job: '任务',
  data_key: '数据密钥',
  signing_key: '签名密钥',
  epcis_event: 'EPCIS 事件',
  epcis_master: 'EPCIS 主数据',
  library: '信息库',
  epcis_query: 'EPCIS 查询',
  epcis_subscription: 'EPCIS 订阅',
  epcis_socket: 'EPCIS 长连接',
  scim_user: '外部系统的用户',
  trace_match: '双方核对',
  trace_reporter: '停报与停业',
  trace_report: '按月报送',
  trace_price: '异常单价',
};

export const ACTOR_KINDS: Record<string, string> = {
  stranger: '未登录者',
  person: '人员',
  machine: '程序',
  platform: '平台',
  system: '系统管理员',
  security: '安全管理员',
  audit: '审计管理员',
};
export const RESULTS: Record<string, [string, Tone]> = { done: ['完成', 'good'], refused: ['拒绝', 'bad'] };
export const WITNESS_STATES: Record<string, [string, Tone]> = {
  current: ['及时', 'good'],
  lagging: ['滞后', 'warn'],
  never: ['尚未见证', 'info'],
  ahead: ['本平台日志短于其见证', 'bad'],
  inactive: ['停用', 'info'],
};
export const ALARM_STATES: Record<string, [string, Tone]> = { open: ['未处置', 'bad'], settled: ['已处置', 'good'] };
export const WITNESS_ALARMS: Record<string, string> = {
  rollback: '日志回退',
  rewritten: '日志改写',
  other_chain: '换成另一条链',
  bad_signature: '检查点签名无效',
  split_view: '分叉视图',
};
export const ALARMS: Record<string, string> = {
  rights_tampered: '权限记录被改动',
  brute_force: '口令被反复试探',
  probing: '反复访问无权记录',
  audit_broken: '审计链不完整',
  bad_signatures: '签名反复不符',
  clock_drift: '时钟偏差',
  control_failed: '等保自查未通过',
  mass_export: '短时间大量导出',
  new_place: '陌生网络登录',
  forward_stalled: '审计转发中断',
  device_distrusted: '设备数据不可信',
  ledger_contradicted: '见证方拒签',
  ledger_tampered: '存证被篡改',
  anchor_failed: '外部锚定失败',
};
export const FACTORS: Record<string, string> = { totp: '动态口令', webauthn: '安全密钥', sm2: '国密证书', recovery: '恢复码' };
export const CLEARANCES: [string, string][] = [
  ['1', '公开'],
  ['2', '内部'],
  ['3', '敏感'],
  ['4', '个人信息'],
];

export const unit = (code: string | null | undefined): string => (code ? (UNITS[code] ?? code) : '');

/** 删除个人信息的依据. */
export const ERASURE_GROUNDS: Record<string, string> = {
  consent_withdrawn: '个人撤回同意',
  purpose_ended: '处理目的已实现、无法实现或不再必要',
  period_ended: '不再提供服务，或保存期限已届满',
  unlawful: '违反法律、行政法规或约定处理',
  other: '法律、行政法规规定的其他情形',
};
