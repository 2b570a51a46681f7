/** Asks a platform for the public page of a code; nothing but the code leaves the phone. */
import { ANSWER_CHARS_MAX } from './answer';
import { heard, TOO_LONG, unheard, type Outcome } from './told';

const TIMEOUT_MS = 15_000;
const CODE_CHARS_MAX = 200;
/** As many as the longest answer has where every character takes the most. */
const ANSWER_BYTES_MAX = 3 * ANSWER_CHARS_MAX;

export interface Question {
  /** Origin of the platform. */
  platform: string;
  code: string;
  lot: string;
}

/** Where the answer is, or why there is nowhere to ask. */
export function addressOf({ platform, code, lot }: Question): { url: string } | { problem: string } {
  const origin = platform.replace(/\/$/, '');
  if (!/^https?:\/\/[^/?#@\s]+$/.test(origin)) return { problem: '没有查询：平台地址应形如 https://平台域名' };
  if (code.length > CODE_CHARS_MAX) return { problem: `没有查询：追溯码不超过 ${CODE_CHARS_MAX} 个字` };
  try {
    const query = lot === '' ? '' : `?lot=${encodeURIComponent(lot)}`;
    return { url: `${origin}/t/${encodeURIComponent(code)}${query}` };
  } catch {
    return { problem: '没有查询：追溯码或批次号含有不成字的编码' };
  }
}

function announcedBytes(header: Record<string, unknown>): number {
  const name = Object.keys(header).find((one) => one.toLowerCase() === 'content-length');
  return Number(name === undefined ? 0 : header[name]);
}

/** Ends once, by an outcome or by calling what is given back. */
export function ask(url: string, lot: string, done: (outcome: Outcome) => void): () => void {
  let isOver = false;
  const end = (outcome: Outcome): void => {
    if (isOver) return;
    isOver = true;
    done(outcome);
  };
  const task = wx.request<string>({
    url,
    // As text: how long it is must be known before it is read.
    dataType: '其他' as 'json',
    timeout: TIMEOUT_MS,
    header: { Accept: 'application/json' },
    success: ({ statusCode, data }) => end(heard(statusCode, data, lot)),
    fail: ({ errMsg }) => end(unheard(errMsg)),
  });
  task.onHeadersReceived(({ header }) => {
    if (announcedBytes(header) <= ANSWER_BYTES_MAX) return;
    end({ problem: TOO_LONG });
    task.abort();
  });
  return () => {
    if (isOver) return;
    isOver = true;
    task.abort();
  };
}
