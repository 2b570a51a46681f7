/** A form of one event type, as it is filled in; and the event it makes. */
import type { Pack, PackEvent } from '@/domain/types';
import { given } from '@/domain/attributes';
import { kindOfPaper, OTHER } from '@/domain/papers';
import type { EventBody, FieldError } from './outbox';

export interface InLine {
  code: string;
  quantity: string;
  unit: string;
}
export interface OutLine extends InLine {
  product: string;
  lot: string;
}
export interface Form {
  /** Date and minute in China; empty for the moment of recording. */
  time: string;
  inputs: InLine[];
  outputs: OutLine[];
  attributes: Record<string, string>;
  counterparty: string;
  document: string;
  /** Of what kind that is; drafts of before it was asked have none. */
  documentKind?: string;
  lon: string;
  lat: string;
  evidence: { name: string; sm3: string }[];
}

export const inLine = (): InLine => ({ code: '', quantity: '', unit: 'KGM' });
export const outLine = (): OutLine => ({ ...inLine(), product: '', lot: '' });

export const blank = ({ inputs, outputs, documents }: PackEvent): Form => ({
  time: '',
  inputs: inputs.max > 0 ? [inLine()] : [],
  outputs: outputs.max > 0 ? [outLine()] : [],
  attributes: {},
  counterparty: '',
  document: '',
  documentKind: documents?.[0]?.any_of[0] ?? OTHER,
  lon: '',
  lat: '',
  evidence: [],
});

/** Under which name a form that is not finished is kept. */
export const draftName = (pack: Pack, spec: PackEvent): string => `draft:${pack.code}/${spec.code}`;

/** A moment (Unix ms) in China, to the second. */
export const moment = (at: number): string => `${new Date(at + 8 * 3_600_000).toISOString().slice(0, 19)}+08:00`;

const DECIMAL = /^\d{1,11}(?:\.\d{1,4})?$/;

/** What cannot be right, whatever the server knows. The server checks everything. */
export function findings(form: Form, { fields, inputs, outputs, packing }: PackEvent): FieldError[] {
  const found: FieldError[] = [];
  const add = (field: string, detail: string): void => void found.push({ field, detail });
  const lines = (name: 'inputs' | 'outputs', label: string, least: number, counted: boolean): void => {
    const filled = form[name].filter((line) => line.code.trim() || line.quantity.trim());
    if (filled.length < least) add(name, `${label}至少 ${least} 行`);
    for (const line of filled) {
      if (!line.code.trim()) add(name, `${label}追溯码：必填`);
      const wanted = counted || line.quantity.trim() !== '';
      if (wanted && !DECIMAL.test(line.quantity.trim())) add(name, `${label}数量：应为大于 0 的数，至多 4 位小数`);
    }
  };
  lines('inputs', '投入', inputs.min, inputs.mode !== 'observe' && packing !== 'unpack');
  lines('outputs', '产出', outputs.min, true);
  for (const field of fields) {
    if (field.required && !form.attributes[field.name]?.trim()) add(field.name, `${field.label}：必填`);
  }
  if (form.counterparty && !/^[0-9A-Z]{18}$/.test(form.counterparty.trim())) {
    add('counterparty', `交易对方：应为 18 位主体代码，现为 ${form.counterparty.trim().length} 位`);
  }
  return found;
}

/** The event. `at`: the moment of recording, which is when it happened unless somebody says otherwise. */
export function eventOf(
  form: Form,
  pack: Pack,
  spec: PackEvent,
  context: { id: string; at: number; subject: { code: string; region: string } },
): EventBody {
  const isFilled = (line: InLine): boolean => line.code.trim() !== '';
  const amount = (line: InLine): object => (line.quantity.trim() ? { quantity: line.quantity.trim(), unit: line.unit } : {});
  const input = (line: InLine): object => ({ code: line.code.trim(), ...amount(line) });
  const output = (line: OutLine): object => ({
    ...input(line),
    ...(line.product ? { product: line.product } : {}),
    ...(line.lot.trim() ? { lot: line.lot.trim() } : {}),
  });
  const place = form.lon ? { place: { region: context.subject.region, lon: form.lon, lat: form.lat } } : {};
  return {
    domain: pack.code,
    type: spec.code,
    subject: context.subject.code,
    event_time: form.time ? `${form.time}:00+08:00` : moment(context.at),
    inputs: form.inputs.filter(isFilled).map(input),
    outputs: form.outputs.filter(isFilled).map(output),
    attributes: given(spec.fields, (name) => form.attributes[name]?.trim()),
    ...place,
    ...(form.counterparty.trim() ? { counterparty: form.counterparty.trim() } : {}),
    ...(form.document.trim() ? { documents: [{ type: form.documentKind ?? OTHER, no: form.document.trim() }] } : {}),
    ...(form.evidence.length > 0 ? { evidence: form.evidence } : {}),
    external_id: context.id,
  };
}

interface Stored {
  event_time: string;
  inputs: Partial<InLine>[];
  outputs: Partial<OutLine>[];
  attributes: Record<string, unknown>;
  counterparty?: string;
  documents?: { type: string; no: string }[];
  place?: { lon?: string; lat?: string };
  evidence?: Form['evidence'];
}

/** The form that made an event, to mend it. */
export function formOf(body: EventBody): Form {
  const event = body as unknown as Stored;
  const line = (one: Partial<InLine>): InLine => ({ code: one.code ?? '', quantity: one.quantity ?? '', unit: one.unit ?? 'KGM' });
  return {
    time: event.event_time.slice(0, 16),
    inputs: event.inputs.map(line),
    outputs: event.outputs.map((one) => ({ ...line(one), product: one.product ?? '', lot: one.lot ?? '' })),
    attributes: Object.fromEntries(Object.entries(event.attributes).map(([name, value]) => [name, String(value)])),
    counterparty: event.counterparty ?? '',
    document: event.documents?.[0]?.no ?? '',
    documentKind: kindOfPaper(event.documents?.[0]?.type),
    lon: event.place?.lon ?? '',
    lat: event.place?.lat ?? '',
    evidence: event.evidence ?? [],
  };
}

/** What a record is called in lists. */
export function titleOf(spec: PackEvent, body: EventBody): string {
  const event = body as unknown as Stored;
  const line = event.outputs[0] ?? event.inputs[0];
  return line?.code ? `${spec.name} ${line.code}` : spec.name;
}
