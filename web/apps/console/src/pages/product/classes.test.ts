import { expect, test } from 'vitest';
import { ancestors, nextCode, shown, type CatalogueClass } from './classes';

const one = (code: string, name = '示例'): CatalogueClass => ({
  code,
  name,
  parent_code: code.length > 2 ? code.slice(0, -2) : null,
  level: code.length / 2,
  national: true,
  region: null,
  gbt7635_1: null,
  gpc_brick: null,
  hs6: null,
  legal_list: null,
  in_scope_from: '2019-10-18',
  out_of_scope_from: null,
  edition: 1,
  in_scope: true,
  products: 0,
});
const codes = (items: CatalogueClass[]): string[] => items.map((item) => item.code);
const tree = [one('01'), one('0101'), one('010106', '葱蒜类'), one('01010601'), one('02')];

test('a tree shows what is below opened classes', () => {
  expect(codes(shown(tree, new Set(), ''))).toEqual(['01', '02']);
  expect(codes(shown(tree, new Set(['01', '010106']), ''))).toEqual(['01', '0101', '02']);
});

test('what is searched for is shown with all above it', () => {
  expect(codes(shown(tree, new Set(), '葱'))).toEqual(['01', '0101', '010106']);
  expect(ancestors('010106')).toEqual(['01', '0101']);
});

test('a local class gets the next code that is free', () => {
  expect(nextCode(tree, tree[2]!)).toBe('01010602');
  expect(nextCode(tree, tree[1]!)).toBe('010150');
});
