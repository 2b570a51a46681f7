/** What a scanner read, whatever kind of label it was (handbook §2.5, §2.9). */

/** What a scanned text means. */
export type Scanned =
  /** A trace code as it is printed. */
  | { kind: 'code'; key: string; hint?: string }
  /** A GS1 key, as the path of its Digital Link: the server finds the code behind it. */
  | { kind: 'link'; key: string }
  /** Nothing that could be looked up; `detail` says what would be right. */
  | { kind: 'wrong'; key: string; detail: string };

/** FNC1, which separates GS1 elements of variable length. */
export const GS = '\u001d';
/** Ways in which scanners write FNC1 where they cannot type it. */
const WRITTEN_GS = /\{GS\}|<GS>|\[GS\]|\u241d|\\x1d/gi;
/** Symbology identifiers (ISO/IEC 15424) that some scanners send first. */
const IDENTIFIER = /^\][A-Za-z][0-9A-Za-z]/;
/** Those of symbols that hold GS1 elements: GS1-128, DataBar, GS1 DataMatrix, GS1 QR. */
const OF_GS1 = /^\](?:C1|e0|d2|Q3)/;
const CODE_MAX = 64;

/** Digits after the application identifiers of fixed length. */
const FIXED: Record<string, number> = {
  '00': 18,
  '01': 14,
  '02': 14,
  '03': 14,
  '04': 16,
  '11': 6,
  '12': 6,
  '13': 6,
  '14': 6,
  '15': 6,
  '16': 6,
  '17': 6,
  '18': 6,
  '19': 6,
  '20': 2,
};
for (const tens of ['31', '32', '33', '34', '35', '36']) for (let digit = 0; digit < 10; digit += 1) FIXED[`${tens}${digit}`] = 7;
for (let digit = 0; digit < 10; digit += 1) FIXED[`41${digit}`] = 13;
/** Longest values of the identifiers of variable length; others are taken up to the next FNC1. */
const VARIABLE = ['10', '21', '22', '30', '37', '90', '91', '92', '93', '94', '95', '96', '97', '98', '99'];

type Elements = Map<string, string>;

/** The digit that GS1 puts behind these. */
function checkDigit(body: string): string {
  const sum = [...body].reverse().reduce((total, digit, at) => total + Number(digit) * (at % 2 === 0 ? 3 : 1), 0);
  return String((10 - (sum % 10)) % 10);
}

const isRight = (digits: string): boolean => checkDigit(digits.slice(0, -1)) === digits.slice(-1);

/** Elements from `(01)…(10)…`, as people read them. */
function bracketed(text: string): Elements | undefined {
  const found: Elements = new Map();
  const parts = text.matchAll(/\((\d{2,4})\)([^(]*)/g);
  let length = 0;
  for (const [whole, identifier, value] of parts) {
    found.set(identifier!, value!.trim());
    length += whole.length;
  }
  return length === text.length && found.size > 0 ? found : undefined;
}

/** Elements one behind the other, as they are in the symbol. */
function concatenated(text: string): Elements | undefined {
  const found: Elements = new Map();
  let rest = text;
  while (rest.length > 0) {
    if (rest.startsWith(GS)) {
      rest = rest.slice(1);
      continue;
    }
    const fixed = [2, 3].map((length) => rest.slice(0, length)).find((start) => FIXED[start] !== undefined);
    if (fixed) {
      const end = fixed.length + FIXED[fixed]!;
      const value = rest.slice(fixed.length, end);
      if (value.length < FIXED[fixed]! || !/^\d+$/.test(value)) return undefined;
      found.set(fixed, value);
      rest = rest.slice(end);
      continue;
    }
    const identifier = VARIABLE.find((one) => rest.startsWith(one)) ?? /^\d{3,4}/.exec(rest)?.[0];
    if (!identifier) return undefined;
    const stop = rest.indexOf(GS);
    const end = stop < 0 ? rest.length : stop;
    found.set(identifier, rest.slice(identifier.length, end));
    rest = rest.slice(end);
  }
  return found.size > 0 ? found : undefined;
}

const wrong = (key: string, detail: string): Scanned => ({ kind: 'wrong', key, detail });

/** What GS1 elements name; `undefined` where they name nothing that is traced. */
function ofElements(text: string, found: Elements): Scanned {
  const unit = found.get('00');
  if (unit !== undefined) {
    if (!isRight(unit)) return wrong(text, `物流单元代码校验位应为 ${checkDigit(unit.slice(0, -1))}，现为 ${unit.slice(-1)}`);
    return { kind: 'link', key: `/00/${unit}` };
  }
  const item = (found.get('01') ?? found.get('02'))?.padStart(14, '0');
  if (item === undefined) return wrong(text, '标签中没有商品条码（01）或物流单元代码（00），不能追溯');
  if (!isRight(item)) return wrong(text, `商品条码校验位应为 ${checkDigit(item.slice(0, -1))}，现为 ${item.slice(-1)}`);
  const qualifiers = ['22', '10', '21'].flatMap((name) => (found.get(name) ? [`/${name}/${encodeURIComponent(found.get(name)!)}`] : []));
  if (!found.get('10') && !found.get('21')) return wrong(text, '只有商品条码，不能确定是哪一批；请扫带批次号或序列号的追溯码');
  return { kind: 'link', key: `/01/${item}${qualifiers.join('')}` };
}

/** The address of a page behind a printed code. */
function ofAddress(text: string): Scanned {
  let path: string;
  try {
    path = new URL(text.replace(/^https?:/i, 'https:')).pathname;
  } catch {
    return wrong(text, '网址不完整，请重新扫描');
  }
  const parts = path.split('/').filter((part) => part !== '');
  const decoded = (part: string | undefined): string => {
    try {
      return decodeURIComponent(part ?? '');
    } catch {
      return '';
    }
  };
  const own = parts.findIndex((part) => part.toLowerCase() === 't');
  if (own >= 0 && parts.length === own + 2) return ofCode(decoded(parts[own + 1]));
  const names: Record<string, string> = { gtin: '01', sscc: '00', cpv: '22', lot: '10', ser: '21' };
  const named = parts.map((part) => names[part] ?? part);
  const start = named.findIndex((part, at) => (part === '01' || part === '00') && at + 1 < named.length);
  if (start < 0) return wrong(text, '不是追溯码的网址：应含 /t/追溯码，或 GS1 数字链接的 /01/商品条码');
  const found: Elements = new Map();
  for (let at = start; at + 1 < named.length; at += 2) found.set(named[at]!, decoded(parts[at + 1]));
  return ofElements(text, found);
}

function ofCode(text: string): Scanned {
  if (text === '') return wrong(text, '没有扫到内容，请重新扫描');
  if (text.length > CODE_MAX) return wrong(text, `追溯码应为 1 至 ${CODE_MAX} 位，现为 ${text.length} 位`);
  const odd = [...text].find((letter) => !/[A-Za-z0-9._#/:()+*-]/.test(letter));
  if (odd !== undefined) return wrong(text, `追溯码不能含有“${odd}”，可用字母、数字和 . _ # / : ( ) + * -`);
  if (!/^[A-Za-z0-9(]/.test(text) || text.includes('..')) return wrong(text, '追溯码应以字母或数字开头，且不含连续的点');
  const item = /^\d{8}$|^\d{12,14}$/.test(text) && isRight(text);
  return item ? { kind: 'code', key: text, hint: '像是商品条码：同一商品的各批都印这个码，请扫追溯码' } : { kind: 'code', key: text };
}

/** Says what a scanned text means. Full-width letters, as an input method makes them, count as plain. */
export function parseScan(read: string): Scanned {
  const plain = read.replace(WRITTEN_GS, GS).normalize('NFKC').replace(/、/g, '/').replace(/。/g, '.');
  const trimmed = plain.replace(/^[\s\u0000-\u001c]+|[\s\u0000-\u001f]+$/g, '');
  const [ofGs1, text] = [OF_GS1.test(trimmed), trimmed.replace(IDENTIFIER, '')];
  if (/^https?:/i.test(text)) return ofAddress(text);
  if (/^\(\d{2}/.test(text)) {
    const found = bracketed(text);
    if (found) return ofElements(text, found);
  }
  // Without its identifier a symbol still shows itself by a separator or a sound key in front.
  const key = /^(?:01(\d{14})|00(\d{18})$)/.exec(text);
  const sound = key !== null && isRight((key[1] ?? key[2])!) && (key[2] !== undefined || text.length > 16);
  if (ofGs1 || text.includes(GS) || sound) {
    const found = concatenated(text);
    if (found) return ofElements(text, found);
    if (ofGs1 || text.includes(GS)) return wrong(text.split(GS).join(' '), '不完整的 GS1 标签，请重新扫描');
  }
  return ofCode(text);
}
