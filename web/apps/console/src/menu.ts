/** The menu, which is also the list of pages: titles, paths, rights. */

export interface MenuPage {
  path: string;
  title: string;
  permission?: string;
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
      { path: '/register/product', title: '重要产品', permission: 'product:read' },
    ],
  },
  {
    title: '追溯数据',
    pages: [
      { path: '/events', title: '数据台账', permission: 'trace:read' },
      { path: '/capture', title: '数据采集', permission: 'trace:capture' },
      { path: '/register/source_policy', title: '采集来源策略', permission: 'source_policy:read' },
      { path: '/chain', title: '追溯链条', permission: 'trace:read' },
    ],
  },
  {
    title: '审核',
    pages: [{ path: '/review', title: '审核台', permission: 'trace:review' }],
  },
  {
    title: '区块链存证',
    pages: [
      { path: '/ledger', title: '存证总览', permission: 'ledger:read' },
      { path: '/verify', title: '存证查验' },
    ],
  },
  {
    title: '系统',
    pages: [
      { path: '/tasks', title: '任务中心' },
      { path: '/audit', title: '行为审计', permission: 'audit:read' },
    ],
  },
];

export const titleOf = (path: string): string => MENU.flatMap((group) => group.pages).find((page) => page.path === path)?.title ?? '';
