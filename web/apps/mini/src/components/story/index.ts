/**
 * 追溯信息: what the public page of a code shows, for any mini-program (D-6.6.2). Its built folder
 * stands alone. `loaded` tells the host of every answer that was understood.
 */
import { fontSize } from '../../size';
import { addressOf, ask } from './ask';
import type { Outcome, Told } from './told';

/** What `loaded` tells. */
export interface Loaded {
  /** Whether there is anything public behind the code. */
  found: boolean;
  /** Whose proofs may be checked, and how many records there are to it. */
  unit: string;
  records: number;
}

/** A question on its way: where it went, and how it is called off. */
interface Running {
  url: string;
  stop: () => void;
}
const running = new WeakMap<object, Running>();

Component({
  properties: {
    /** Origin of the platform, such as `https://平台域名`. */
    platform: { type: String, value: '' },
    code: { type: String, value: '' },
    /** Of a code that names a product alone. */
    lot: { type: String, value: '' },
  },
  data: {
    size: '',
    isAttached: false,
    isBusy: false,
    /** What went wrong; whether asking again may help. */
    problem: '',
    mayRetry: false,
    told: null as Told | null,
    /** The lot that is looked for: the host's, or the reader's own. */
    sought: '',
    typed: '',
  },
  observers: {
    'platform, code, lot': function (): void {
      if (this.data.isAttached) this.start();
    },
  },
  lifetimes: {
    attached(): void {
      this.setData({ size: fontSize(), isAttached: true });
      this.start();
    },
    detached(): void {
      running.get(this)?.stop();
      running.delete(this);
    },
  },
  methods: {
    start(): void {
      this.setData({ sought: this.data.lot, typed: this.data.lot });
      this.ask();
    },
    /** Asks anew, whatever was asked before. */
    retry(): void {
      running.get(this)?.stop();
      running.delete(this);
      this.ask();
    },
    ask(): void {
      const { platform, code, sought: lot } = this.data;
      const address = code === '' ? undefined : addressOf({ platform, code, lot });
      const url = address && 'url' in address ? address.url : '';
      // Told once of several properties, a host's question is still one: each one counts as a scan.
      if (url !== '' && running.get(this)?.url === url) return;
      running.get(this)?.stop();
      running.delete(this);
      const problem = address && 'problem' in address ? address.problem : '';
      this.setData({ told: null, problem, mayRetry: false, isBusy: url !== '' });
      if (url === '') return;
      const started: Running = { url, stop: () => undefined };
      running.set(this, started);
      started.stop = ask(url, lot, (outcome) => {
        if (running.get(this) === started) this.answered(outcome);
      });
    },
    answered(outcome: Outcome): void {
      if ('problem' in outcome) {
        this.setData({ problem: outcome.problem, mayRetry: true, isBusy: false });
        return;
      }
      const { told } = outcome;
      this.setData({ told, isBusy: false });
      const loaded: Loaded = { found: told.found, unit: told.unit, records: told.records };
      this.triggerEvent('loaded', loaded);
    },
    typedLot(event: WechatMiniprogram.Input): void {
      this.setData({ typed: event.detail.value });
    },
    seekLot(): void {
      if (this.data.typed === '') return;
      this.setData({ sought: this.data.typed });
      this.retry();
    },
  },
});
