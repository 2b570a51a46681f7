/** Conditions that a register can be searched by, and how those without a field are written. */
import type { Entity, Field } from '../../domain/types';
import { STAGES } from '../../domain/words';
import type { useSession } from '../../session';
import { beside, type Pair } from '../../ui/address';
import type { Chip, Condition } from '../../ui/FilterBar.vue';
import { show } from './values';

/** What clause 6.2.3 searches subjects by, in its words, comes first. */
const ORDER: Record<string, string[]> = {
  trace_subject: ['region', 'kind', 'product_kinds', 'node_name', 'node_code', 'filed_on', 'name', 'code', 'roles', 'status'],
};
function ordered(entity: Entity): Field[] {
  const first = (ORDER[entity.table] ?? []).flatMap((name) => entity.fields.filter((field) => field.name === name));
  return [...first, ...entity.fields.filter((field) => !first.includes(field))];
}
/** Conditions that are asked for too seldom to take a place on the screen. */
const LEFT_OUT = ['item_code', 'generic_name', 'pack_level', 'inner_id', 'maker_id', 'origin_region', 'approval_until'];
/** Three rows of conditions on a wide screen. */
const CONDITIONS_MAX = 12;
const NAME_HINT = '名称、拼音或首字母';

/** `personal`: whether the user may look for somebody by personal data. */
export function conditionsOf(entity: Entity, session: ReturnType<typeof useSession>, personal: boolean): Condition[] {
  return ordered(entity)
    .flatMap((field): Condition[] => {
      if (LEFT_OUT.includes(field.name) || field.filter === 'none' || (field.class === 'personal' && !personal)) return [];
      if (field.kind === 'id') {
        const named = session.entity(field.references ?? '')?.fields.some((one) => one.name === 'name');
        return named && !field.computed ? [{ name: field.name, label: field.label, lookup: field.references ?? undefined }] : [];
      }
      if (field.filter === 'range') {
        const [first, last] = field.kind === 'time' ? (['first', 'last'] as const) : [];
        return [
          { name: `${field.name}.from`, label: `${field.label}起`, day: true, moment: first },
          { name: `${field.name}.to`, label: `${field.label}止`, day: true, moment: last },
        ];
      }
      const choices: [string, string][] | undefined = {
        region: [...session.regions.entries()],
        bool: [['true', '是'] as [string, string], ['false', '否'] as [string, string]],
        code: field.codes,
        codes: field.codes,
      }[field.kind as string];
      return [{ name: field.name, label: field.label, choices, hint: field.filter === 'name' ? NAME_HINT : undefined }];
    })
    .slice(0, CONDITIONS_MAX);
}

function areaText(name: string, value: string): string {
  if (name === 'within') return `多边形（${value.trim().split(/\s+/).length} 个顶点）`;
  const [lon, lat, metres] = value.split(',');
  return `距 ${lon}, ${lat} ${Number(metres) / 1000} 公里以内`;
}

/** The conditions in the address that the form does not show, each with what takes it away. */
export function chipsOf(
  entity: Entity,
  shown: Condition[],
  pairs: Pair[],
  regionName: (code: string) => string,
  names: Record<string, string>,
): Chip[] {
  const chips = new Map<string, Chip>();
  const rest = beside(
    pairs,
    shown.map((condition) => condition.name),
  );
  for (const [name, value] of rest) {
    const [stem = name, bound] = name.split('.');
    const field = entity.fields.find((one) => one.name === stem);
    const label = stem === 'created_at' ? '登记时间' : (field?.label ?? name);
    const add = (key: string, label: string, text: string): void => {
      const known = chips.get(key);
      chips.set(key, { label, text: known ? `${known.text} ${text}` : text, pairs: [...(known?.pairs ?? []), [name, value]] });
    };
    if (name === 'within' || name === 'near') add(`${name} ${value}`, '地图范围', areaText(name, value));
    else if (bound === 'from') add(stem, label, `自 ${value.slice(0, 10)}`);
    else if (bound === 'to') add(stem, label, `至 ${value.slice(0, 10)}`);
    else if (bound === 'none') add(name, label, '未填写');
    else if (bound === 'not') add(name, label, `${value.split(',').length} 个最多的以外`);
    else if (name === 'stage' && !field) add(name, '追溯环节', STAGES[value] ?? value);
    else if (bound === 'any') {
      const texts = value.split(',').map((one) => valueText(field, one, regionName, names));
      add(`${name} ${value}`, label, texts.join('、'));
    } else add(`${name} ${value}`, label, `${valueText(field, value, regionName, names)}${bound === 'is' ? '本级' : ''}`);
  }
  return [...chips.values()];
}

function valueText(field: Field | undefined, value: string, regionName: (code: string) => string, names: Record<string, string>): string {
  if (!field) return value;
  if (field.kind === 'codes') return show(field, [value], regionName, names);
  return show(field, field.kind === 'bool' ? value === 'true' : value, regionName, names);
}
