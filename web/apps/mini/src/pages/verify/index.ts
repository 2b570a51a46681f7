/** 校验: proof files from a chat, or the code on a label; checked in the phone. */
import { summary } from '../../../../../packages/proof/src/report';
import { cleanFingerprint, readTrust } from '../../../../../packages/proof/src/trust';
import type { Trust } from '../../../../../packages/proof/src/verify';
import type { Shared } from '../../app';
import { FINGERPRINT, PLATFORM } from '../../config';
import { go } from '../../go';
import { addressed, asked, type Asked } from '../../scanned';
import { shown, type Shown } from '../../shown';
import { fontSize } from '../../size';

/** Files of one go. */
const FILES_MAX = 100;
/** Where the reader's own fingerprint is kept. */
const KEPT = 'fingerprint';

interface Given {
  name: string;
  source: string | Uint8Array;
}
type Answer = WechatMiniprogram.RequestSuccessCallbackResult<string | ArrayBuffer | { proofs?: { id: string; proof: string | null }[] }>;

/** How a call of WeChat's ended; nothing where the reader changed their mind. */
function ended<T>(start: (done: { success: (result: T) => void; fail: () => void }) => void): Promise<T | undefined> {
  return new Promise((resolve) => start({ success: resolve, fail: () => resolve(undefined) }));
}

const read = (path: string): Promise<ArrayBuffer | string | undefined> =>
  ended<WechatMiniprogram.ReadFileSuccessCallbackResult>((done) => wx.getFileSystemManager().readFile({ filePath: path, ...done })).then(
    (result) => result?.data,
  );

async function fetched({ name, url, one }: Asked): Promise<{ given: Given[]; words: string }> {
  const dataType = one ? '其他' : 'json';
  const answer = await ended<Answer>((done) => wx.request({ url, dataType: dataType as 'json', ...done }));
  const none = (words: string): { given: Given[]; words: string } => ({ given: [], words });
  if (!answer) return none('没有查到：网络不通或平台暂不可用');
  if (answer.statusCode === 404) return none('本平台没有与此对应的公开存证');
  if (answer.statusCode !== 200) return none(`平台没有正常应答（${answer.statusCode}）`);
  if (one) return { given: [{ name, source: String(answer.data) }], words: '' };
  const proofs = (typeof answer.data === 'object' && 'proofs' in answer.data && answer.data.proofs) || [];
  const given: Given[] = [];
  for (const { id, proof } of proofs) if (proof !== null) given.push({ name: `记录 ${id}`, source: proof });
  return { given, words: proofs.length === 0 ? '此码没有公开的记录' : '此码的记录正在写入存证链，请稍后再查' };
}

Component({
  data: {
    size: '',
    busy: '',
    words: '',
    problem: '',
    total: '',
    fingerprint: '',
    from: '',
    scans: PLATFORM !== '',
    results: [] as Shown[],
  },
  lifetimes: {
    attached(): void {
      const kept = wx.getStorageSync<string>(KEPT);
      this.setData({ size: fontSize(), fingerprint: typeof kept === 'string' && kept !== '' ? kept : FINGERPRINT });
      this.trusted();
    },
  },
  methods: {
    /** A label opened with WeChat's own camera, and a story to be checked, come as addresses. */
    onLoad(query: Record<string, string | undefined>): void {
      const text = addressed(query);
      if (text !== '') void this.open(text);
    },
    trusted(): Trust | undefined {
      const typed = cleanFingerprint(this.data.fingerprint);
      const { trust, problem = '' } = readTrust(typed, '');
      const own = '此指纹随本小程序发布；从别处得到的指纹可填在这里。';
      const none = '未填链指纹：只核对证明自身，证明属于哪条链请自行核对。';
      this.setData({ problem, from: typed === '' ? none : typed === FINGERPRINT ? own : '以您填写的指纹为准。' });
      return trust;
    },
    typedFingerprint(event: WechatMiniprogram.Input): void {
      const text = event.detail.value;
      this.setData({ fingerprint: text, results: [], total: '' });
      if (this.trusted()) wx.setStorageSync(KEPT, cleanFingerprint(text));
    },
    async choose(): Promise<void> {
      const chosen = await ended<WechatMiniprogram.ChooseMessageFileSuccessCallbackResult>((done) =>
        wx.chooseMessageFile({ count: FILES_MAX, type: 'file', ...done }),
      );
      if (!chosen) return;
      const given: Given[] = [];
      for (const { name, path } of chosen.tempFiles) {
        const content = await read(path);
        given.push({ name, source: typeof content === 'object' ? new Uint8Array(content) : (content ?? '') });
      }
      await this.check(given);
    },
    async scan(): Promise<void> {
      const found = await ended<WechatMiniprogram.ScanCodeSuccessCallbackResult>((done) => wx.scanCode({ ...done }));
      if (found) await this.open(found.result);
    },
    async open(text: string): Promise<void> {
      const wanted = asked(text, PLATFORM);
      if (!wanted) {
        this.setData({ results: [], total: '', words: '这不是本平台的追溯码或合格证，没有向任何地方查询' });
        return;
      }
      // A label tells its story first; that page leads back here.
      if (wanted.label) {
        this.setData({ results: [], total: '', words: '' });
        go('story', text);
        return;
      }
      this.setData({ busy: `正在查找 ${wanted.name}`, words: '', results: [], total: '' });
      const { given, words } = await fetched(wanted);
      this.setData({ busy: '' });
      if (given.length === 0) this.setData({ words });
      else await this.check(given);
    },
    async check(given: Given[]): Promise<void> {
      const trust = this.trusted();
      if (!trust) return;
      const results: Shown[] = [];
      for (const { name, source } of given) {
        this.setData({ busy: `正在校验第 ${results.length + 1} 份，共 ${given.length} 份`, words: '' });
        await new Promise((resolve) => setTimeout(resolve));
        results.push(shown(name, source, trust));
      }
      this.setData({ busy: '', results, total: summary(results) });
    },
    show(event: WechatMiniprogram.TouchEvent): void {
      const at = Number((event.currentTarget.dataset as { at: number }).at);
      getApp<{ globalData: Shared }>().globalData.shown = this.data.results[at];
      go('record');
    },
  },
});
