import { SVGRenderer } from 'echarts/renderers';
import { init, use } from 'echarts/core';
import { describe, expect, test } from 'vitest';
import { bundled, type Outline } from '../chain/provinces';
import { geoOf, markOf, register } from './base';
import { covers, geoJsonOf, points, shown, viewOf, type MapPack, type PackOutline } from './pack';

use(SVGRenderer);

const pack = (coverage: string): MapPack => ({
  version: 1,
  digest: 'd',
  name: '示例底图',
  approval_number: coverage === '100000' ? 'GS(2024)0650号' : '陕S(2024)012号',
  source: '示例测绘院',
  issued_year: 2024,
  valid_until: null,
  coverage,
});
const square = (west: number, south: number): number[] => [west * 10_000, south * 10_000, 20_000, 0, 0, 20_000, -20_000, 0, 0, -20_000];
const outline: PackOutline = {
  approval_number: 'GS(2024)0650号',
  coverage: '100000',
  scale: 10_000,
  divisions: [
    { code: '610000', name: '陕西省', polygons: [[square(106, 32)]] },
    { code: '610100', name: '西安市', polygons: [[square(108, 34)]] },
    { code: '610102', name: '新城区', polygons: [[square(108, 34)]] },
    { code: '110000', name: '北京市', polygons: [[square(115, 39)]] },
    { code: '110101', name: '东城区', polygons: [[square(115, 39)]] },
    { code: '710000', name: '台湾省', polygons: [[square(120, 23)]] },
  ],
  lines: [[1_191_000, 151_000, 0, 10_000]],
};
const names = (json: Outline): string[] =>
  (json as unknown as { features: { properties: { name: string } }[] }).features.map((one) => one.properties.name);

test('regions of one province are shown on its map, others on that of the country', () => {
  expect(viewOf(['610102', '610400'])).toBe('61');
  expect(viewOf(['610102', '110101'])).toBe('');
  expect(viewOf([])).toBe('');
});

test('an outline of a province is one of the country nowhere else', () => {
  expect(covers('100000', '')).toBe(true);
  expect(covers('100000', '61')).toBe(true);
  expect(covers('610000', '61')).toBe(true);
  expect(covers('610000', '')).toBe(false);
  expect(covers('610000', '11')).toBe(false);
});

test('a map says its number where the official outline is drawn, and 示意图 everywhere else', () => {
  const found = (coverage: string) => ({ pack: pack(coverage), outline });
  expect(markOf(found('100000'), '').text).toBe('审图号：GS(2024)0650号');
  expect(markOf(found('610000'), '61').text).toBe('审图号：陕S(2024)012号');
  expect(markOf(found('610000'), '').text).toBe('示意图');
  expect(markOf(found('610000'), '11').text).toBe('示意图');
  expect(markOf(undefined, '')).toEqual({ text: '示意图', note: '示意图，不作为划界依据。' });
  const failed = markOf('failed', '61');
  expect(failed.text).toBe('示意图');
  expect(failed.note).toContain('底图没有载入');
});

test('what is drawn is the finest there is, and nothing twice', () => {
  const codes = outline.divisions.map((one) => one.code);
  expect(shown(codes, '')).toEqual({ parts: ['610000', '110000', '710000'] });
  expect(shown(codes, '61')).toEqual({ parts: ['610100'], beneath: '610000' });
  expect(shown(codes, '11')).toEqual({ parts: ['110101'], beneath: '110000' });
  expect(shown(codes, '71')).toEqual({ parts: ['710000'] });
  expect(shown(['429004', '420100', '420102'], '42')).toEqual({ parts: ['429004', '420100'] });
});

test('points come back as they were sent', () => {
  expect(points([1_191_000, 151_000, 0, 10_000], 10_000)).toEqual([
    [119.1, 15.1],
    [119.1, 16.1],
  ]);
  const { json, beneath } = geoJsonOf(outline, '61');
  expect(names(json)).toEqual(['陕西省', '西安市']);
  expect(beneath).toBe('陕西省');
  expect(names(geoJsonOf(outline, '').json)).toEqual(['陕西省', '北京市', '台湾省', '界线']);
});

describe('the South China Sea is on every map', () => {
  const drawn = (name: string, beneath?: string, names = true): string => {
    const chart = init(null, null, { renderer: 'svg', ssr: true, width: 900, height: 700 });
    chart.setOption({ animation: false, geo: geoOf({ name, beneath }, { label: { show: names, color: '#333' } }) });
    const svg = chart.renderToSVGString();
    chart.dispose();
    return svg;
  };
  test.each(['', '61', '46'])('bundled, view “%s”', async (view) => {
    // Named also where nothing else is.
    expect(drawn(register(view, await bundled(view)), undefined, false)).toContain('南海诸岛');
  });
  test.each(['', '61', '71'])('official, view “%s”', (view) => {
    const { json, beneath } = geoJsonOf(outline, view);
    const svg = drawn(register(view, json), beneath);
    expect(svg).toContain('南海诸岛');
    // What lies beneath is not called: its parts are.
    expect(svg.includes('陕西省')).toBe(view === '');
  });
});
