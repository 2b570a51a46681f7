/** From page to page. */

/** WeChat keeps ten pages open; where there are as many, the one that is left is closed. */
export function go(page: 'story' | 'verify' | 'record', address = ''): void {
  const query = address === '' ? '' : `?q=${encodeURIComponent(address)}`;
  const url = `/pages/${page}/index${query}`;
  wx.navigateTo({ url, fail: () => wx.redirectTo({ url }) });
}
