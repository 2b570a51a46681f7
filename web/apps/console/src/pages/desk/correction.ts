/** What a correction changes of the event that it corrects, in words. */
import { amount, moment, orDash } from '../../domain/format';
import { paperName } from '../../domain/papers';
import type { Line, PackEvent, TraceEvent } from '../../domain/types';
import { unit } from '../../domain/words';
import { attribute } from '../trace/packs';

export interface Change {
  label: string;
  before: string;
  now: string;
}

const measured = (line: Line): string => (line.quantity ? `${amount(line.quantity)} ${unit(line.unit)}` : '仅观察');
function lineText(line: Line): string {
  const more = [line.product, line.lot && `批次 ${line.lot}`, line.external && '来自平台之外'].filter(Boolean);
  return [measured(line), ...more].join('，');
}

type Spec = Pick<PackEvent, 'fields'> | undefined;
const labelOf = (spec: Spec, name: string): string => attribute(spec, name, '')[0];
/** The attributes that are there and not shown, each with what it is. */
const shut = ({ personal = [], sensitive = [] }: TraceEvent): [string, string][] => [
  ...personal.map((name): [string, string] => [name, '个人信息']),
  ...sensitive.map((name): [string, string] => [name, '商业秘密']),
];

/** What stands in both and is shown of neither: nobody who reads this can tell whether it is the same. */
export function unseen(original: TraceEvent, event: TraceEvent, spec: Spec): string[] {
  const before = new Set(shut(original).map(([name]) => name));
  return shut(event).flatMap(([name]) => (before.has(name) ? [labelOf(spec, name)] : []));
}

/** Everything that an event says, by its label. The same label twice is one line of several values. */
function told(event: TraceEvent, spec: Spec, region: (code: string) => string): Map<string, string> {
  const parts: [string, string][] = [
    ['主体', event.subject?.name ?? ''],
    ['事件类型', event.type_name ?? event.type],
    ['发生时间', seconds(event.event_time)],
    ['地点', event.place ? `${region(event.place.region)}${event.place.address ?? ''}` : ''],
    ['经纬度', event.place?.lon ? `${event.place.lon}，${event.place.lat}` : ''],
    ['交易对方', event.counterparty_name ?? event.counterparty ?? ''],
    ...event.inputs.map((line): [string, string] => [`投入 ${line.code}`, lineText(line)]),
    ...event.outputs.map((line): [string, string] => [`产出 ${line.code}`, lineText(line)]),
    ...Object.entries(event.attributes).map(([name, value]) => attribute(spec, name, value)),
    ...shut(event).map(([name, what]): [string, string] => [labelOf(spec, name), `（${what}）`]),
    ...event.documents.map(({ type, no }): [string, string] => [paperName(type), no]),
    ...event.evidence.map(({ name, sm3 }): [string, string] => ['附件摘要', `${name} ${sm3.slice(0, 12)}…`]),
  ];
  const all = new Map<string, string>();
  for (const [label, text] of parts) if (text) all.set(label, [all.get(label), text].filter(Boolean).join('；'));
  return all;
}

/** Two moments of one minute are told apart by their seconds. */
function seconds(time: string): string {
  const rest = /T\d{2}:\d{2}:(\d{2}(?:\.\d+)?)/.exec(time)?.[1] ?? '00';
  return rest === '00' ? moment(time) : `${moment(time)}:${rest}`;
}

/** What is not the same, in the order in which an event is read; what is new stands after what is gone. */
export function changes(original: TraceEvent, event: TraceEvent, spec: Spec, region: (code: string) => string): Change[] {
  const [before, now] = [told(original, spec, region), told(event, spec, region)];
  const labels = [...new Set([...before.keys(), ...now.keys()])];
  return labels
    .map((label) => ({ label, before: orDash(before.get(label)), now: orDash(now.get(label)) }))
    .filter((one) => one.before !== one.now);
}
