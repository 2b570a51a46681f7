import { describe, expect, it } from 'vitest';
import type { Chain, ChainObject } from '../../domain/types';
import { columns, layout, whose } from './lanes';

const object = (code: string, stage: string): ChainObject => ({
  code,
  stage,
  product_name: '示例韭菜',
  lot: null,
  unit: 'KGM',
  produced: '1',
  consumed: '1',
  held: '0',
  state: 'held',
  subject_id: '1',
  subject: '示例',
  share: '1',
  role: 'downstream',
  external: false,
  quality: null,
});

describe('swim lanes', () => {
  it('puts everything right of what it was made from', () => {
    const found = columns(
      ['a', 'b', 'c', 'd'],
      [
        { from: 'a', to: 'b' },
        { from: 'b', to: 'c' },
        { from: 'a', to: 'c' },
        { from: 'd', to: 'c' },
      ],
    );
    expect([...found.values()]).toEqual([0, 1, 2, 0]);
  });

  it('ends even where the data go in a circle', () => {
    expect(
      columns(
        ['a', 'b'],
        [
          { from: 'a', to: 'b' },
          { from: 'b', to: 'a' },
        ],
      ).size,
    ).toBe(2);
  });

  it('gives each used stage a lane and no two boxes one place', () => {
    const chain = {
      root: object('a', 'primary_production'),
      objects: [object('b', 'processing'), object('c', 'distribution'), object('d', 'distribution')],
      beside: [object('e', 'primary_production')],
      flows: [
        ['a', 'b'],
        ['e', 'b'],
        ['b', 'c'],
        ['b', 'd'],
      ].map(([from, to]) => ({ from, to, event: '1', quantity: '1', unit: 'KGM' })),
      events: [],
    } as unknown as Chain;
    const found = layout(chain);
    expect(found.lanes.map((lane) => lane.stage)).toEqual(['primary_production', 'processing', 'distribution']);
    expect(new Set(found.boxes.map((box) => `${box.x},${box.y}`)).size).toBe(5);
    expect(found.links).toHaveLength(4);
    expect(found.boxes.find((box) => box.object.code === 'e')?.beside).toBe(true);
  });
  it('says of a unit that several hold how many they are, and cuts the name for it', () => {
    const holders = ['甲', '乙'].map((subject) => ({ subject_id: subject, subject, quantity: '1' }));
    expect(whose({ subject: '示例蔬菜加工厂' })).toBe('示例蔬菜加工厂');
    expect(whose({ subject: '示例蔬菜加工厂', holders })).toBe('示例蔬菜加工厂 等 2 家');
    expect(whose({ subject: '示例蔬菜加工厂', holders }, 9)).toBe('示例… 等 2 家');
    expect(whose({ subject: null })).toBe('');
  });
});
