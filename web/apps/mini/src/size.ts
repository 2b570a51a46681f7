/** 大字: as large as the reader set it in WeChat, from 16 px. */
export function fontSize(): string {
  const factor = wx.getAppBaseInfo?.().fontSizeScaleFactor ?? 1;
  return `font-size: ${Math.round(16 * Math.min(Math.max(factor, 1), 2))}px`;
}
