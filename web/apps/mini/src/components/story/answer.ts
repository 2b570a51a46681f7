/**
 * What the public page of a code answers to programs (`GET /t/<code>`, D-6.6.2), read strictly and
 * within bounds: an answer that is not understood whole is not shown in part, for what would be
 * left out may be the warning.
 */

/** Of one answer; the platform's own are far shorter. */
export const ANSWER_CHARS_MAX = 256 * 1024;
/** Of one text. */
export const TEXT_CHARS_MAX = 1000;

const STATES = ['found', 'warning', 'recalled', 'class', 'not_found', 'void'] as const;

export interface Order {
  kind: string;
  authority: string;
  date: string;
}
export interface Step {
  id: string;
  stage: string;
  kind: string;
  subject: string;
  region: string;
  date: string;
  verdict: string;
  /** Whether it stands in the place of what was recorded wrongly. */
  corrects: boolean;
  confirmed: boolean;
}
export interface Lot {
  number: string;
  quality: string;
}
/** A product and the lots of it to be warned of. */
export interface Wares {
  gtin: string;
  maker: string;
  region: string;
  lots: Lot[];
  lotsTotal: number;
}
export interface Answer {
  state: (typeof STATES)[number];
  code: string;
  /** The unit whose proofs stand behind the story: of the code itself, or of its lot. */
  unit: string;
  product: { name: string; brand: string; spec: string; standard: string };
  lot: string;
  producedOn: string;
  expiresOn: string;
  orders: Order[];
  /** Why it was called back, and what to do. */
  recall?: { reason: string; advice: string };
  steps: Step[];
  /** Of a product whose barcode names no lot. */
  wares?: Wares;
  fingerprint: string;
  scans: number;
  firstScan: string;
}

type Fields = Record<string, unknown>;

function fields(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError('no object');
  return value as Fields;
}

/** Whole characters: half of one is shown as rubbish. */
function cut(value: string): string {
  if (value.length <= TEXT_CHARS_MAX) return value;
  const characters = Array.from(value);
  return characters.length <= TEXT_CHARS_MAX ? value : `${characters.slice(0, TEXT_CHARS_MAX).join('')}…`;
}

/** A text that is not cut: it leads somewhere. */
function name(of: Fields, key: string): string {
  const value = of[key] ?? '';
  if (typeof value !== 'string') throw new TypeError(`${key}: no text`);
  return value;
}

const text = (of: Fields, key: string): string => cut(name(of, key));

function count(of: Fields, key: string): number {
  const value = of[key] ?? 0;
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw new TypeError(`${key}: no count`);
  return value as number;
}

function list<T>(of: Fields, key: string, item: (one: Fields) => T): T[] {
  const value = of[key] ?? [];
  if (!Array.isArray(value)) throw new TypeError(`${key}: no list`);
  return value.map((one) => item(fields(one)));
}

const order = (of: Fields): Order => ({ kind: text(of, 'kind_name'), authority: text(of, 'authority'), date: text(of, 'date') });

const step = (of: Fields): Step => ({
  id: text(of, 'id'),
  stage: text(of, 'stage_name'),
  kind: text(of, 'type_name'),
  subject: text(of, 'subject'),
  region: text(of, 'region_name'),
  date: text(of, 'date'),
  verdict: text(of, 'verdict'),
  corrects: of.corrects === true,
  confirmed: of.anchor === 'confirmed',
});

const lot = (of: Fields): Lot => ({ number: text(of, 'lot'), quality: text(of, 'quality_name') });

function recall(of: Fields): Answer['recall'] {
  const told = fields(of.recall ?? {});
  return typeof told.reason === 'string' ? { reason: text(told, 'reason'), advice: text(told, 'advice') } : undefined;
}

function wares(of: Fields): Wares | undefined {
  if (!('gtin' in of)) return undefined;
  const maker = fields(of.maker ?? {});
  const lots = list(of, 'warned_lots', lot);
  return {
    gtin: text(of, 'gtin'),
    maker: text(maker, 'name'),
    region: text(maker, 'region_name'),
    lots,
    lotsTotal: Math.max(count(of, 'warned_lots_total'), lots.length),
  };
}

function answer(of: Fields): Answer {
  const state = STATES.find((one) => one === of.state);
  const code = text(of, 'code');
  if (!state || code === '') throw new TypeError('no state of a code');
  const product = fields(of.product ?? {});
  return {
    state,
    code,
    unit: name(of, 'unit') || name(of, 'code'),
    product: {
      name: text(product, 'name'),
      brand: text(product, 'brand'),
      spec: text(product, 'spec'),
      standard: text(product, 'standard_no'),
    },
    lot: text(of, 'lot'),
    producedOn: text(of, 'produced_on'),
    expiresOn: text(of, 'expires_on'),
    orders: list(of, 'orders', order),
    recall: recall(of),
    steps: list(of, 'steps', step),
    wares: wares(of),
    fingerprint: text(of, 'chain_fingerprint'),
    scans: count(of, 'scans'),
    firstScan: text(of, 'first_scanned_at'),
  };
}

/** Nothing where it is no answer of the public page. */
export function read(source: unknown): Answer | undefined {
  if (typeof source !== 'string' || source.length > ANSWER_CHARS_MAX) return undefined;
  try {
    return answer(fields(JSON.parse(source)));
  } catch {
    return undefined;
  }
}
