/** An event as it is written down in the console: from a recorded one, for a correction, and to what is sent. */
import { given, offset, picked } from '../../domain/attributes';
import { OTHER } from '../../domain/papers';
import type { PackEvent, PackField, TraceEvent } from '../../domain/types';
import { input, type Line, output } from './line';

export interface Paper {
  type: string;
  no: string;
}
/** What stands in the form, apart from its lines and attributes. */
export interface Draft {
  domain: string;
  type: string;
  subject: string;
  time: string;
  region: string;
  address: string;
  lon: string;
  lat: string;
  counterparty: string;
  papers: Paper[];
  evidence: { name: string; sm3: string }[];
  reason: string;
}
export interface Filled {
  draft: Draft;
  inputs: Line[];
  outputs: Line[];
  attributes: Record<string, string>;
}

export const paper = (type: string = OTHER): Paper => ({ type, no: '' });

export const empty = (): Draft => ({
  domain: '',
  type: '',
  subject: '',
  time: '',
  region: '',
  address: '',
  lon: '',
  lat: '',
  counterparty: '',
  papers: [paper()],
  evidence: [],
  reason: '',
});

/** A correction begins as a copy of what it corrects. */
export const copied = (event: TraceEvent): Draft => ({
  domain: event.domain,
  type: event.type,
  subject: event.subject?.code ?? '',
  time: picked(event.event_time),
  region: event.place?.region ?? '',
  address: event.place?.address ?? '',
  lon: event.place?.lon ?? '',
  lat: event.place?.lat ?? '',
  counterparty: event.counterparty ?? '',
  papers: event.documents.length > 0 ? event.documents.map(({ type, no }) => ({ type, no })) : [paper()],
  evidence: event.evidence.map(({ name, sm3 }) => ({ name, sm3 })),
  reason: '',
});

/** Attributes as texts. */
export const texts = (attributes: Record<string, unknown>): Record<string, string> =>
  Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, String(value)]));

/** What is asked for; and what the event holds beyond that, for its pack asked for something else when it was recorded. */
export function fieldsFor(spec: Pick<PackEvent, 'fields'> | undefined, original?: TraceEvent): PackField[] {
  const fields = spec?.fields ?? [];
  const beyond = Object.keys(original?.attributes ?? {}).filter((name) => !fields.some((field) => field.name === name));
  return [...fields, ...beyond.map((name): PackField => ({ name, label: name, kind: 'text', required: false }))];
}

/** The event that is sent. What was not touched of the `original` goes back exactly as it was recorded. */
export function bodyOf({ draft, inputs, outputs, attributes }: Filled, spec?: PackEvent, original?: TraceEvent): Record<string, unknown> {
  const unpacks = spec?.packing === 'unpack';
  const observed = unpacks || spec?.inputs.mode === 'observe';
  // What is taken out need not be named: all of it then.
  const named = !unpacks || outputs.some((line) => line.code);
  const { region, address, lon, lat } = draft;
  const papers = draft.papers.filter((one) => one.no);
  const same = Object.entries(original?.attributes ?? {}).filter(([name, value]) => attributes[name] === String(value));
  const time = draft.time ? offset(draft.time) : '';
  return {
    domain: draft.domain,
    type: draft.type,
    subject: draft.subject,
    event_time: original && draft.time === picked(original.event_time) ? original.event_time : time,
    inputs: (spec?.inputs.max === 0 ? [] : inputs).map((line) => input(line, observed)),
    outputs: named && spec?.outputs.max !== 0 ? outputs.map(output) : [],
    attributes: { ...given(fieldsFor(spec, original), (name) => attributes[name]), ...Object.fromEntries(same) },
    ...(region || address || lon || lat
      ? { place: { region, ...(address ? { address } : {}), ...(lon ? { lon } : {}), ...(lat ? { lat } : {}) } }
      : {}),
    ...(draft.counterparty ? { counterparty: draft.counterparty } : {}),
    ...(papers.length > 0 ? { documents: papers } : {}),
    ...(draft.evidence.length > 0 ? { evidence: draft.evidence } : {}),
    ...(original?.external_id ? { external_id: original.external_id } : {}),
    ...(original ? { correction_of: original.id, correction_reason: draft.reason } : {}),
  };
}

/** The lines of a side when another type is chosen: what was typed stays, and where nothing was there is one to begin with. */
export function linesFor(lines: Line[], max: number, blank: () => Line): Line[] {
  const typed = lines.filter((line) => line.code || line.quantity || line.product || line.lot);
  if (typed.length > 0) return typed;
  return max > 0 ? [blank()] : [];
}
