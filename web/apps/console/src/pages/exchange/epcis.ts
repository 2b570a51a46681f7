/** What the EPCIS interface answers, as far as these pages show it. */
import { Problem } from '../../api';
import { DOMAINS, type Tone } from '../../domain/words';

export interface CaptureError {
  detail?: string;
  title?: string;
  event?: number;
  errors?: { field: string; detail: string }[];
}
export interface Capture {
  captureID: string;
  createdAt: string;
  finishedAt?: string;
  running: boolean;
  success: boolean;
  captureErrorBehaviour: string;
  checked?: number;
  captured: number;
  duplicates: number;
  refused: number;
  told: number;
  untold: { reason: string; count: number; example: string }[];
  errors: CaptureError[];
}
export interface NamedQuery {
  name: string;
  createdAt: string;
  query: Record<string, unknown>;
}
export interface Subscription {
  subscriptionID: string;
  dest: string;
  stream?: boolean;
  schedule?: Record<string, string>;
  lastNotifiedAt?: string;
  lastError?: string;
  tries?: number;
}
export interface EpcisEvent {
  type: string;
  eventID?: string;
  eventTime: string;
  action?: string;
  bizStep?: string;
  readPoint?: { id: string };
  bizLocation?: { id: string };
  errorDeclaration?: unknown;
  [name: string]: unknown;
}
export interface QueryDocument {
  epcisBody: { queryResults: { resultsBody: { eventList: EpcisEvent[] } } };
}

export const BASE = '/epcis/v2';

export const CAPTURE_STATES: Record<string, [string, Tone]> = {
  running: ['处理中', 'brand'],
  done: ['完成', 'good'],
  partly: ['部分收下', 'warn'],
  failed: ['未收下', 'bad'],
};

export const stateOf = (capture: Capture): string => {
  if (capture.running) return 'running';
  if (capture.success) return 'done';
  return capture.captured > 0 ? 'partly' : 'failed';
};

/** How far a capture is, in one cell. */
export const progressOf = (capture: Capture): string =>
  capture.running && capture.captured === 0 && capture.checked !== undefined ? `已检查 ${capture.checked}` : `已收 ${capture.captured}`;

/** Where in a document something is wrong, as people count: the events from one. */
export function placeText(field: string): string {
  const found = /^(?:epcisBody\.)?eventList\[(\d+)\](?:\.(.+))?$/.exec(field);
  if (!found) return field || '文档';
  return `第 ${Number(found[1]) + 1} 个事件${found[2] ? `的 ${found[2]}` : ''}`;
}
export const errorText = (error: CaptureError): string =>
  named(error.errors?.map((one) => `${placeText(one.field)}：${one.detail}`).join('；') || error.detail || error.title || '');

/** What is said of a domain, by its name. */
export const named = (text: string): string =>
  text.replace(/领域 (\w+)/g, (whole, code: string) => (DOMAINS[code] ? `${DOMAINS[code]}领域` : whole));

/** What is wrong with a document that was not taken in, with its place in the document. */
export function placed(error: unknown): unknown {
  if (!(error instanceof Problem) || error.errors.length === 0) return error;
  const errors = error.errors.map((one) => ({ ...one, detail: `${placeText(one.field)}：${one.detail}` }));
  const more = errors.length > 1 ? `（另有 ${errors.length - 1} 处错误）` : '';
  return new Problem(`${errors[0]!.detail}${more}`, error.status, error.code, error.requestId, errors);
}

/** The media type of a document by its name. */
export const mediaOf = (name: string): string => (/\.xml$/i.test(name) ? 'application/xml' : 'application/json');

/** A moment in UTC as the clock on the wall shows it. */
export const wall = (time: string | undefined): string => {
  const moment = time ? Date.parse(time) : Number.NaN;
  return Number.isNaN(moment) ? '—' : new Date(moment + 8 * 3_600_000).toISOString().slice(0, 16).replace('T', ' ');
};

/** Everything that an event names, for one cell. */
export const thingsOf = (event: EpcisEvent): string => {
  const ids = ['epcList', 'parentID', 'childEPCs', 'inputEPCList', 'outputEPCList'].flatMap((name) =>
    [event[name] ?? []].flat().map(String),
  );
  const amounts = ['quantityList', 'childQuantityList', 'inputQuantityList', 'outputQuantityList'].flatMap((name) =>
    ((event[name] ?? []) as { epcClass: string }[]).map((one) => one.epcClass),
  );
  const all = [...ids, ...amounts];
  return all.length > 3 ? `${all.slice(0, 3).join('，')} 等 ${all.length} 项` : all.join('，');
};
