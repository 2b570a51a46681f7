import { describe, expect, it } from 'vitest';
import { Problem } from '../../api';
import { atField } from './once';

const refused = (code: string, errors: { field: string; detail: string }[] = []): Problem =>
  new Problem('赋码批次已存在：代码或编号与已有记录重复', 409, code, 'r', errors);

describe('what is registered already', () => {
  it('is said at the field that may not be repeated, unless the server names another', () => {
    expect(atField(refused('duplicate'), 'code_batch').errors).toEqual([{ field: 'code', detail: '代码或编号与已有记录重复' }]);
    const named = [{ field: 'note', detail: '示例' }];
    expect(atField(refused('duplicate', named), 'code_batch').errors).toEqual(named);
  });

  it('is said for the whole form where more than one field could be meant, or it is another problem', () => {
    expect(atField(refused('duplicate'), 'product').errors).toEqual([]);
    expect(atField(refused('conflict'), 'code_batch').errors).toEqual([]);
  });
});
