/** 核验结果: one verdict at length. */
import type { Shared } from '../../app';
import type { Shown } from '../../shown';
import { fontSize } from '../../size';

Component({
  data: { size: '', shown: null as Shown | null },
  lifetimes: {
    attached(): void {
      this.setData({ size: fontSize(), shown: getApp<{ globalData: Shared }>().globalData.shown ?? null });
    },
  },
});
