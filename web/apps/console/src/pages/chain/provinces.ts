/** The bundled outlines, loaded when a map is drawn: what maps show without an official one. */

const FILES: Record<string, string> = {
  11: 'beijing',
  12: 'tianjin',
  13: 'hebei',
  14: 'shanxi',
  15: 'neimenggu',
  21: 'liaoning',
  22: 'jilin',
  23: 'heilongjiang',
  31: 'shanghai',
  32: 'jiangsu',
  33: 'zhejiang',
  34: 'anhui',
  35: 'fujian',
  36: 'jiangxi',
  37: 'shandong',
  41: 'henan',
  42: 'hubei',
  43: 'hunan',
  44: 'guangdong',
  45: 'guangxi',
  46: 'hainan',
  50: 'chongqing',
  51: 'sichuan',
  52: 'guizhou',
  53: 'yunnan',
  54: 'xizang',
  61: 'shanxi1',
  62: 'gansu',
  63: 'qinghai',
  64: 'ningxia',
  65: 'xinjiang',
  71: 'taiwan',
  81: 'xianggang',
  82: 'aomen',
};
export type Outline = Parameters<typeof import('echarts/core').registerMap>[1];
const provinces = import.meta.glob<{ default: Outline }>('../../../../../node_modules/china-maps/map/json/province/*.json');

/** The outline of a province by its two digits; of the whole country for any other text. */
export async function bundled(view: string): Promise<Outline> {
  const load = Object.entries(provinces).find(([path]) => path.endsWith(`/${FILES[view]}.json`))?.[1];
  if (load) return (await load()).default;
  const country = await import('china-maps/map/json/china.json');
  return country.default as unknown as Outline;
}
