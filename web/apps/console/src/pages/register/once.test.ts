import { describe, expect, it } from 'vitest';
import { Problem } from '../../api';
import { atField } from './once';

const refused = (code: string, errors: { field: string; detail: string }[] = []): Problem =>
  new Problem('机构已存在：代码或编号与已有记录重复', 409, code, 'r', errors);

describe('what is registered already', () => {
  it('is said where the server says it', () => {
    const named = [{ field: 'name', detail: '示例' }];
    expect(atField(refused('duplicate', named), 'organization').errors).toEqual(named);
  });

  it('is said of an organization at its code, of which its path is made', () => {
    expect(atField(refused('duplicate'), 'organization').errors).toEqual([{ field: 'code', detail: '代码或编号与已有记录重复' }]);
  });

  it('is said for the whole form where no field is named, or it is another problem', () => {
    expect(atField(refused('duplicate'), 'product').errors).toEqual([]);
    expect(atField(refused('conflict'), 'organization').errors).toEqual([]);
  });
});
