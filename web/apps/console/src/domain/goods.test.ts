import { expect, it } from 'vitest';
import { demandedOf, goByProduct } from './goods';
import type { GoodsRule } from './types';

const PLANTS: GoodsRule = { name: '种植须记面积与品种', kind: 'filled', classes: ['0101', '0104'], fields: ['area_mu', 'variety'] };
const SOWN: GoodsRule = { name: '种植须记播种日期', kind: 'filled', classes: ['0101'], fields: ['sown_on', 'area_mu'] };
const YIELD: GoodsRule = { name: '产量不超过面积与单产', kind: 'output_max', classes: ['0101'] };
const chives = { name: '示例韭菜', catalogue_code: '01010203' };

it('asks for what the rules of the class of a product name, and says which class it is', () => {
  const asked = demandedOf([PLANTS, SOWN, YIELD], [chives]);
  expect([...asked.keys()]).toEqual(['area_mu', 'variety', 'sown_on']);
  expect(asked.get('variety')).toBe('示例韭菜（产品分类 01010203）：种植须记面积与品种');
  expect(asked.get('area_mu')).toContain('种植须记播种日期');
});

it('asks for nothing of other classes, of no class, or before a product is chosen', () => {
  for (const goods of [[], [{ name: '示例鱼', catalogue_code: '0111' }], [{ name: '示例', catalogue_code: null }]]) {
    expect(demandedOf([PLANTS, SOWN], goods).size).toBe(0);
  }
  expect(demandedOf(undefined, [chives]).size).toBe(0);
});

it('goes by what the product says of itself', () => {
  const rule: GoodsRule = { name: '限制使用农药实名', kind: 'filled', product: 'restricted', product_is: ['true'], fields: ['use'] };
  const of = (attributes: Record<string, unknown> | null) => demandedOf([rule], [{ name: '示例农药', attributes }]);
  expect(of({ restricted: true }).get('use')).toBe('示例农药：限制使用农药实名');
  expect([of({ restricted: false }), of({}), of(null)].every((asked) => asked.size === 0)).toBe(true);
});

it('asks for what is asked of all goods without a product', () => {
  const rule: GoodsRule = { name: '须记单号', kind: 'filled', fields: ['bill'] };
  expect(demandedOf([rule], []).get('bill')).toBe('须记单号');
  expect([goByProduct([rule]), goByProduct([rule, PLANTS]), goByProduct()]).toEqual([false, true, false]);
});
