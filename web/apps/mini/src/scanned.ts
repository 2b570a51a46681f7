/** What a scanned code leads to on the platform. */

export interface Asked {
  /** For people. */
  name: string;
  url: string;
  /** Whether the answer is one proof, or the list of a code's proofs. */
  one: boolean;
  /** Whether it is the code of a label, which has a story to be told. */
  label: boolean;
}

const decoded = (part: string): string | undefined => {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
};

/** The address that a page was opened with; whether it is still escaped depends on who opened it. */
export function addressed({ q = '' }: { q?: string }): string {
  return q.includes('://') ? q : (decoded(q) ?? '');
}

/**
 * Addresses of labels (`/t/<code>`), of certificates (`/c/<number>`) and of the page of 存证校验
 * (`/verify?code=<code>`), of this platform alone: whatever else a code says is not asked for.
 */
export function asked(text: string, platform: string): Asked | undefined {
  if (!text.startsWith(`${platform}/`)) return undefined;
  const found = /^\/(?:(t|c)\/([^/?#]+)|verify\?(?:[^#]*&)?code=([^&#]+))/.exec(text.slice(platform.length));
  const code = decoded(found?.[2] ?? found?.[3] ?? '');
  if (!code || code.length > 200) return undefined;
  const part = encodeURIComponent(code);
  if (found![1] === 'c') return { name: `承诺达标合格证 ${code}`, url: `${platform}/c/${part}/proof`, one: true, label: false };
  return { name: code, url: `${platform}/api/v1/public/proof/${part}`, one: false, label: found![1] === 't' };
}
