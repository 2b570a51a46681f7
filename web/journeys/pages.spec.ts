/** Every page, wide and narrow: no fault, no barrier, nothing wider than the screen. */
import { expect, inspect, logIn, test, url } from './base';

const PAGES: [string, string, string][] = [
  ['supervisor', '/', '工作台'],
  ['supervisor', '/register/trace_subject', '追溯主体'],
  ['supervisor', '/register/licence', '许可证照'],
  ['supervisor', '/register/site', '经营场所'],
  ['supervisor', '/register/subject_alias', '旧代码'],
  ['supervisor', '/register/subject_merger', '主体合并'],
  ['supervisor', '/conflicts', '主体冲突'],
  ['reviewer', '/applications', '注册申请'],
  ['supervisor', '/register/node', '节点'],
  ['supervisor', '/register/merchant', '商户'],
  ['supervisor', '/register/merchant_place', '商户驻场'],
  ['supervisor', '/register/product', '重要产品'],
  ['supervisor', '/catalogue', '产品目录'],
  ['supervisor', '/register/device', '设备'],
  ['supervisor', '/map', '主体分布地图'],
  ['supervisor', '/registration', '注册信息分析'],
  ['supervisor', '/register/source_policy', '采集来源策略'],
  ['supervisor', '/events', '数据台账'],
  ['supervisor', '/device-data', '设备数据'],
  ['supervisor', '/register/device_binding', '设备绑定'],
  ['supervisor', '/matches', '双方核对'],
  ['supervisor', '/reporting', '上报情况'],
  ['supervisor', '/capture', '数据采集'],
  ['farm', '/trace/scan', '扫码出入库'],
  ['supervisor', '/chain?code=F1-A&direction=downstream', '追溯链条'],
  ['supervisor', '/register/code_batch', '赋码批次'],
  ['supervisor', '/register/code_rule', '编码规则'],
  ['supervisor', '/register/label_template', '标签模板'],
  ['supervisor', '/register/resolver_link', '解析链接'],
  ['sysadmin', '/register/resolver_upstream', '上级解析'],
  ['supervisor', '/codes', '编码查验'],
  ['supervisor', '/register/trace_order', '批次管控'],
  ['supervisor', '/register/batch_document', '批次凭证'],
  ['farm', '/epcis', 'EPCIS 交换'],
  ['supervisor', '/ledger', '存证总览'],
  ['supervisor', '/ledger/blocks', '存证批次'],
  ['supervisor', '/ledger/proofs', '证明下载'],
  ['supervisor', '/ledger/keys', '密钥登记'],
  ['supervisor', '/register/evidence_key', '存证密钥'],
  ['supervisor', '/anchors', '外部锚定'],
  ['sysadmin', '/witnesses', '见证'],
  ['supervisor', '/verify', '存证查验'],
  ['supervisor', '/dictionary', '数据字典'],
  ['supervisor', '/interface', '接口规范'],
  ['supervisor', '/libraries', '信息库'],
  ['supervisor', '/domains', '领域包'],
  ['supervisor', '/tasks', '任务中心'],
  ['reviewer', '/review', '审核台'],
  ['supervisor', '/me', '个人安全'],
  ['sysadmin', '/base-maps', '地图底图'],
  ['auditor', '/audit', '行为审计'],
  ['auditor', '/ledger/tamper', '防篡改检查'],
  ['sysadmin', '/register/organization', '机构'],
  ['sysadmin', '/register/account', '用户'],
  ['sysadmin', '/openings', '企业开户'],
  ['sysadmin', '/register/client', '接口客户端'],
  ['sysadmin', '/register/application', '接入应用'],
  ['secadmin', '/roles', '角色'],
  ['secadmin', '/register/assignment', '授权'],
  ['secadmin', '/register/delegation', '授权委托'],
  ['secadmin', '/change-rules', '变更权限'],
  ['secadmin', '/sessions', '在线会话'],
  ['secadmin', '/alarms', '告警'],
  ['secadmin', '/confirmations', '操作确认'],
  ['secadmin', '/keys', '密钥'],
  ['secadmin', '/self-check', '等保自查'],
];

for (const width of [1440, 390]) {
  test.describe(`${width} px`, () => {
    test.use({ viewport: { width, height: 900 } });

    test('an address that leads nowhere says what would', async ({ page }) => {
      for (const path of ['/t/', '/nowhere/示例']) {
        const answer = await page.goto(url(path));
        expect(answer!.status()).toBe(404);
        await expect(page.getByRole('heading', { name: '没有这个页面' })).toBeVisible();
        await inspect(page, 'nowhere');
      }
      // A program is told so as a program.
      const told = await page.request.get(url('/t/'), { headers: { accept: 'application/json' } });
      expect(((await told.json()) as { code: string }).code).toBe('not-found');
    });

    test('log-in', async ({ page }) => {
      await page.goto(url('/console/'));
      await expect(page.getByRole('button', { name: '登录' })).toBeVisible();
      await inspect(page, 'login');
    });

    for (const [user, path, title] of PAGES) {
      test(title, async ({ page }) => {
        await logIn(page, user, `/console${path}`);
        await expect(page.getByRole('heading', { level: 1, name: title })).toBeVisible();
        await page.waitForLoadState('networkidle');
        await expect(page.locator('[aria-busy="true"]')).toHaveCount(0);
        // What is read side by side is seen side by side.
        if (path === '/libraries' && width === 1440) await expect(page.locator('.edge.more')).toHaveCount(0);
        await inspect(page, path.split('?')[0]!.replaceAll('/', '_').replace(/^_$/, '_work'));
      });
    }

    test('field page', async ({ page }) => {
      await page.goto(url('/field/'));
      await expect(page.getByRole('heading', { level: 1, name: '现场登记' })).toBeVisible();
      await inspect(page, 'field');
    });

    test('public story', async ({ page }) => {
      await page.goto(url('/t/R1-sold'));
      await page.getByRole('button', { name: '在本机校验存证' }).click();
      await expect(page.locator('#verdict[data-ok="true"]')).toBeVisible();
      await inspect(page, 'story');
      await page.goto(url('/t/R3-sold'));
      await page.getByRole('button', { name: '在本机校验存证' }).click();
      await expect(page.locator('#verdict[data-ok="true"]')).toBeVisible();
      await page.goto(url('/t/NOTHING'));
      await expect(page.getByRole('heading', { name: '未查到追溯信息' })).toBeVisible();
      await inspect(page, 'story-missing');
    });
  });
}
