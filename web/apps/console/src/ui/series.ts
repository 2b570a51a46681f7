/** Colours that tell at most six kinds apart, and one for all others. */
export const SERIES = ['series-1', 'series-2', 'series-3', 'series-4', 'series-5', 'series-6'];
export const OTHERS = 'series-rest';
