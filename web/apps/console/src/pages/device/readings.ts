/** What devices measure, as the interface tells it. */
import type { Tone } from '../../domain/words';

export interface Reading {
  time: string;
  epoch: number;
  seq: number;
  value: string;
  unit_name: string;
  kind: string;
  title: string;
  channel: number;
  marks: string[];
  code: string | null;
  device_id: string;
  mac: string;
}
export interface Series {
  kind: string;
  title: string;
  unit_name: string;
  channel: number;
  time: string;
  value: string;
  marks: string[];
}
export interface Gap {
  epoch: number;
  first: number;
  last: number;
}

/** 读数标记 */
export const MARKS: Record<string, [string, Tone]> = {
  gap: ['采样中断', 'warn'],
  frozen: ['数值冻结', 'warn'],
  late: ['补传', 'info'],
  implausible: ['超出可信范围', 'bad'],
};
/** 测量项目 */
export const KINDS: [string, string][] = [
  ['temperature', '温度'],
  ['humidity', '相对湿度'],
  ['weight', '质量'],
  ['longitude', '经度'],
  ['latitude', '纬度'],
  ['speed', '速度'],
  ['pressure', '压力'],
  ['count', '计数'],
  ['illuminance', '光照度'],
  ['carbon_dioxide', '二氧化碳'],
  ['acidity', '酸碱度'],
  ['energy', '电能'],
];

/** Marks as people read them. */
export const marksText = (marks: string[]): string => marks.map((mark) => MARKS[mark]?.[0] ?? mark).join('、');
