/** The charts in use, and nothing else of the library. */
import { CustomChart, LineChart, LinesChart, SankeyChart, ScatterChart } from 'echarts/charts';
import { GeoComponent, GridComponent, TooltipComponent } from 'echarts/components';
import { LabelLayout } from 'echarts/features';
import { init, registerMap, use, type EChartsType } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import type { ECBasicOption } from 'echarts/types/dist/shared';
import { onMounted, onUnmounted, watch, type Ref } from 'vue';

use([
  CustomChart,
  LineChart,
  LinesChart,
  SankeyChart,
  ScatterChart,
  GeoComponent,
  GridComponent,
  TooltipComponent,
  LabelLayout,
  CanvasRenderer,
]);

/** A colour of the design, for canvases that know no style sheets. */
export const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** Keeps a chart drawn in an element, at its size, until the page goes. */
export function useChart(
  place: Ref<HTMLElement | undefined>,
  option: () => Promise<ECBasicOption>,
  click?: (name: string, data: unknown) => void,
): void {
  let chart: EChartsType | undefined;
  const observer = new ResizeObserver(() => chart?.resize());
  const draw = async (): Promise<void> => {
    const next = await option();
    chart?.setOption(next, true);
  };
  onMounted(() => {
    if (!place.value) return;
    chart = init(place.value);
    observer.observe(place.value);
    chart.on('click', (event) => click?.(String(event.name), event.data));
    void draw();
  });
  watch(option, () => void draw());
  onUnmounted(() => {
    observer.disconnect();
    chart?.dispose();
  });
}

export { init, registerMap, type ECBasicOption, type EChartsType };
