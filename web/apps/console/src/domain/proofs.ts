/** What the file of a proof is called: by what it proves. */
import { moment } from './format';
import type { TraceEvent } from './types';

/** Letters of a name before its ending: in three bytes each, with room for `(1)`, no file system refuses it. */
const LONGEST = 60;

/** What no file system forbids and no reader misreads; a code differs from others at its end, which is kept. */
function safe(text: string): string {
  const letters = [...text.replace(/[\\/:*?"<>|\s\p{C}]+/gu, '-')];
  const short = letters.length > LONGEST ? [...letters.slice(0, LONGEST / 3), '…', ...letters.slice(1 - (LONGEST * 2) / 3)] : letters;
  return short.join('').replace(/^[-.]+|[-.]+$/g, '');
}

/** `存证证明-….yjproof`; what is not told is left out. */
export const proofName = (...told: (string | null | undefined)[]): string => `存证证明-${safe(told.filter(Boolean).join('-'))}.yjproof`;

/** Of an event: what happened to which goods on which day. */
export function eventProofName(event: TraceEvent): string {
  const goods = event.outputs[0] ?? event.inputs[0];
  return proofName(event.type_name ?? event.type, goods?.code ?? event.lot, moment(event.event_time).slice(0, 10));
}
