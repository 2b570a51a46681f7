/** 追溯信息: the story of a scanned label, and from there to 存证校验. */
import type { Loaded } from '../../components/story/index';
import { PLATFORM } from '../../config';
import { go } from '../../go';
import { addressed, asked } from '../../scanned';
import { fontSize } from '../../size';

Component({
  data: { size: '', platform: PLATFORM, code: '', words: '', unit: '' },
  lifetimes: {
    attached(): void {
      this.setData({ size: fontSize() });
    },
  },
  methods: {
    /** From the page of 存证校验, or from a label that was opened with WeChat's own camera. */
    onLoad(query: Record<string, string | undefined>): void {
      const wanted = asked(addressed(query), PLATFORM);
      if (wanted?.label) this.setData({ code: wanted.name });
      else this.setData({ words: '这不是本平台的追溯码，没有向任何地方查询' });
    },
    loaded(event: WechatMiniprogram.CustomEvent<Loaded>): void {
      const { unit, records } = event.detail;
      this.setData({ unit: records > 0 ? unit : '' });
    },
    verify(): void {
      go('verify', `${PLATFORM}/verify?code=${encodeURIComponent(this.data.unit)}`);
    },
  },
});
