/** 货物规则: what an event type asks for because of what its goods are. */
import type { GoodsRule } from './types';

/** What the rules look at of a product. */
export interface Good {
  name: string;
  catalogue_code?: string | null;
  attributes?: Record<string, unknown> | null;
}

function isMeant(rule: GoodsRule, good: Good): boolean {
  const { classes = [], product, product_is: values = [] } = rule;
  const ofClass = classes.length === 0 || classes.some((one) => (good.catalogue_code ?? '').startsWith(one));
  const said = product && good.attributes?.[product];
  return ofClass && (!product || (said !== undefined && said !== null && values.includes(String(said))));
}

const isForAll = (rule: GoodsRule): boolean => !rule.classes?.length && !rule.product;

/** Whether what must be filled in depends on the product. */
export const goByProduct = (rules: GoodsRule[] = []): boolean => rules.some((rule) => !isForAll(rule));

/** The fields that must be filled in for these goods, each with why. */
export function demandedOf(rules: GoodsRule[] = [], goods: Good[]): Map<string, string> {
  const found = new Map<string, Set<string>>();
  for (const rule of rules) {
    if (rule.kind !== 'filled') continue;
    const meant = goods.filter((good) => isMeant(rule, good));
    if (meant.length === 0 && !isForAll(rule)) continue;
    const of = meant.map(({ name, catalogue_code: code }) => (code ? `${name}（产品分类 ${code}）` : name)).join('、');
    const why = isForAll(rule) ? rule.name : `${of}：${rule.name}`;
    for (const field of rule.fields ?? []) found.set(field, (found.get(field) ?? new Set()).add(why));
  }
  return new Map([...found].map(([field, why]) => [field, [...why].join('；')]));
}
