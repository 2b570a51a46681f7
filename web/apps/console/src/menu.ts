/** The menu, which is also the list of pages: titles, paths, rights. */
import type { components } from '@api/schema.generated';

/** The permissions of the list of routes: a menu entry cannot name another. */
export type Permission = components['schemas']['Permission'];

export interface MenuPage {
  path: string;
  title: string;
  permission?: Permission;
}
export interface MenuGroup {
  title: string;
  pages: MenuPage[];
}

export const MENU: MenuGroup[] = [
  { title: '', pages: [{ path: '/', title: '工作台' }] },
  {
    title: '登记管理',
    pages: [
      { path: '/register/trace_subject', title: '追溯主体', permission: 'trace_subject:read' },
      { path: '/register/licence', title: '许可证照', permission: 'licence:read' },
      { path: '/register/site', title: '经营场所', permission: 'site:read' },
      { path: '/register/subject_alias', title: '旧代码', permission: 'subject_alias:read' },
      { path: '/register/subject_merger', title: '主体合并', permission: 'subject_merger:read' },
      { path: '/conflicts', title: '主体冲突', permission: 'subject_conflict:read' },
      { path: '/applications', title: '注册申请', permission: 'subject_application:read' },
      { path: '/register/node', title: '节点', permission: 'node:read' },
      { path: '/register/merchant', title: '商户', permission: 'merchant:read' },
      { path: '/register/merchant_place', title: '商户驻场', permission: 'merchant_place:read' },
      { path: '/register/product', title: '重要产品', permission: 'product:read' },
      { path: '/catalogue', title: '产品目录', permission: 'catalogue:read' },
      { path: '/register/device', title: '设备', permission: 'device:read' },
      { path: '/map', title: '分布地图', permission: 'trace_subject:read' },
      { path: '/registration', title: '注册信息分析', permission: 'trace_subject:read' },
    ],
  },
  {
    title: '追溯数据',
    pages: [
      { path: '/events', title: '数据台账', permission: 'trace:read' },
      { path: '/capture', title: '数据采集', permission: 'trace:capture' },
      { path: '/trace/scan', title: '扫码出入库', permission: 'trace:capture' },
      { path: '/register/source_policy', title: '采集来源策略', permission: 'source_policy:read' },
      { path: '/device-data', title: '设备数据', permission: 'device:read' },
      { path: '/register/device_binding', title: '设备绑定', permission: 'device_binding:read' },
      { path: '/matches', title: '双方核对', permission: 'trace:read' },
      { path: '/reporting', title: '上报情况', permission: 'trace:read' },
      { path: '/chain', title: '追溯链条', permission: 'trace:read' },
      { path: '/register/trace_order', title: '批次管控', permission: 'trace_order:read' },
      { path: '/register/batch_document', title: '批次凭证', permission: 'batch_document:read' },
    ],
  },
  {
    title: '赋码与解析',
    pages: [
      { path: '/register/code_batch', title: '赋码', permission: 'code_batch:read' },
      { path: '/register/code_rule', title: '编码规则', permission: 'code_rule:read' },
      { path: '/register/label_template', title: '标签模板', permission: 'label_template:read' },
      { path: '/register/resolver_link', title: '解析链接', permission: 'resolver_link:read' },
      { path: '/register/resolver_upstream', title: '上级解析', permission: 'resolver_upstream:read' },
      { path: '/codes', title: '编码查验', permission: 'code_batch:read' },
    ],
  },
  {
    title: '交换',
    pages: [{ path: '/epcis', title: 'EPCIS 交换', permission: 'epcis:read' }],
  },
  {
    title: '审核',
    pages: [
      { path: '/review', title: '审核台', permission: 'trace:review' },
      { path: '/exports', title: '导出审批', permission: 'export:approve' },
    ],
  },
  {
    title: '区块链存证',
    pages: [
      { path: '/ledger', title: '存证总览', permission: 'ledger:read' },
      { path: '/ledger/blocks', title: '存证批次', permission: 'ledger:read' },
      { path: '/verify', title: '存证查验' },
      { path: '/ledger/proofs', title: '证明下载', permission: 'trace:read' },
      { path: '/ledger/keys', title: '密钥登记', permission: 'ledger:read' },
      { path: '/register/evidence_key', title: '存证密钥', permission: 'evidence_key:read' },
      { path: '/witnesses', title: '见证', permission: 'ledger:read' },
      { path: '/anchors', title: '外部锚定', permission: 'ledger:read' },
      { path: '/ledger/tamper', title: '防篡改检查', permission: 'ledger:check' },
    ],
  },
  {
    title: '用户与机构',
    pages: [
      { path: '/register/organization', title: '机构', permission: 'organization:read' },
      { path: '/register/account', title: '用户', permission: 'account:read' },
      { path: '/openings', title: '企业开户', permission: 'account:write' },
      { path: '/register/client', title: '接口客户端', permission: 'client:read' },
      { path: '/register/application', title: '接入应用', permission: 'application:read' },
    ],
  },
  {
    title: '权限',
    pages: [
      { path: '/roles', title: '角色', permission: 'role:read' },
      { path: '/register/assignment', title: '授权', permission: 'assignment:read' },
      { path: '/register/delegation', title: '授权委托', permission: 'delegation:read' },
      { path: '/change-rules', title: '变更权限', permission: 'change_rule:write' },
    ],
  },
  {
    title: '安全',
    pages: [
      { path: '/audit', title: '行为审计', permission: 'audit:read' },
      { path: '/alarms', title: '告警', permission: 'alarm:read' },
      { path: '/confirmations', title: '操作确认', permission: 'account:confirm' },
      { path: '/sessions', title: '在线会话', permission: 'session:read' },
      { path: '/keys', title: '密钥', permission: 'key:read' },
      { path: '/self-check', title: '等保自查', permission: 'self_check:read' },
    ],
  },
  {
    title: '系统',
    pages: [
      { path: '/dictionary', title: '数据字典', permission: 'dictionary:read' },
      { path: '/interface', title: '接口规范' },
      { path: '/libraries', title: '信息库', permission: 'library:read' },
      { path: '/domains', title: '领域包', permission: 'domain:read' },
      { path: '/base-maps', title: '地图底图', permission: 'map_pack:read' },
      { path: '/tasks', title: '任务中心' },
    ],
  },
];

export const titleOf = (path: string): string => MENU.flatMap((group) => group.pages).find((page) => page.path === path)?.title ?? '';

/** The registers of 登记管理: what is analysed and drawn on the map. */
export const REGISTERS: string[] = MENU.filter((group) => group.title === '登记管理')
  .flatMap((group) => group.pages)
  .flatMap(({ path }) => (path.startsWith('/register/') ? [path.slice('/register/'.length)] : []));
