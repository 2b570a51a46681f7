import { describe, expect, it } from 'vitest';
import { columnOf } from './blamed';

describe('the cell that an error is about', () => {
  const columns = ['数量', '产出数量', '产品', '产品代码'];
  const of = (field: string, detail: string) => columnOf({ field, detail }, columns);

  it('is the column that it names, and none that its words merely contain', () => {
    expect(of('产出数量', '应为大于 0 的数')).toBe('产出数量');
    expect(of('outputs[0].quantity', '产出数量：应为大于 0 的数')).toBe('产出数量');
    expect(of('outputs[0].quantity', '第 1 行产出数量：不得超过产品的数量')).toBe('产出数量');
    expect(of('outputs[0].product', '产品代码没有登记')).toBe('产品代码');
    expect(of('event_time', '发生时间：晚于产品登记')).toBeUndefined();
  });
});
