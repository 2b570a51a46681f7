/** How coloured regions are drawn on the canvas. */
import { colour, type ECBasicOption } from '../chain/charts';
import { bandOf, outlineNames, type Band, type RegionValue } from './regions';

const HATCH = 8;
/** Thin strokes for what nothing is known of. */
function hatch(): { image: HTMLCanvasElement; repeat: 'repeat' } | string {
  const image = document.createElement('canvas');
  [image.width, image.height] = [HATCH, HATCH];
  const brush = image.getContext('2d');
  if (!brush) return colour('canvas');
  brush.fillStyle = colour('canvas');
  brush.fillRect(0, 0, HATCH, HATCH);
  brush.strokeStyle = colour('line-2');
  brush.beginPath();
  for (const from of [-HATCH, 0, HATCH]) {
    brush.moveTo(from, HATCH);
    brush.lineTo(from + HATCH, 0);
  }
  brush.stroke();
  return { image, repeat: 'repeat' };
}

/** Regions in the colours of their classes, by every name an outline may have for them. */
export function shadedRegions(values: RegionValue[], bands: Band[]): ECBasicOption[] {
  return values
    .filter((value) => !value.own)
    .flatMap((value) => {
      const band = bandOf(value.value, bands);
      if (!band) return [];
      const areaColor = colour(band.colour);
      // A name may reach into its neighbour's area; its rim keeps it readable there.
      const label = { color: band.dark ? colour('paper') : colour('ink'), textBorderColor: areaColor, textBorderWidth: 3 };
      const emphasis = { itemStyle: { areaColor, borderColor: colour('ink'), borderWidth: 1.5 }, label };
      return outlineNames(value.name).map((name) => ({ name, itemStyle: { areaColor }, label, emphasis }));
    });
}

/** What a region looks like that has no value; on a plain map every region does. */
export const areaOf = (shaded: boolean): unknown => (shaded ? hatch() : colour('canvas'));
