/** How clusters, cells and areas are drawn on the canvas. */
import { colour } from '../chain/charts';
import type { Point } from './area';
import { squareOf, type Cluster } from './clusters';

/** What the chart library hands to those who draw for themselves. */
interface Painter {
  coord: (point: Point) => [number, number];
}
interface At {
  dataIndex: number;
}
const RADIUS = { single: 5, least: 8, most: 17 };
const place = (cluster: Cluster): Point => [Number(cluster.lon), Number(cluster.lat)];
const most = (clusters: Cluster[]): number => Math.max(1, ...clusters.map((cluster) => cluster.count));

/** A disc whose area grows with the number, cut by kinds, with the number in it. */
export function clusterSeries(clusters: Cluster[], colours: Map<string, string>): object {
  const largest = most(clusters);
  const radius = ({ count }: Cluster): number =>
    count === 1 ? RADIUS.single : RADIUS.least + (RADIUS.most - RADIUS.least) * Math.sqrt(count / largest);
  const draw = ({ dataIndex }: At, painter: Painter): object => {
    const cluster = clusters[dataIndex]!;
    const [cx, cy] = painter.coord(place(cluster));
    const r = radius(cluster);
    const parts = Object.entries(cluster.parts ?? {});
    let from = -Math.PI / 2;
    const sectors = parts.map(([code, count]) => {
      const startAngle = from;
      from += (count / cluster.count) * 2 * Math.PI;
      const fill = colours.get(code) ?? colour('brand');
      return { type: 'sector', shape: { cx, cy, r0: 0, r, startAngle, endAngle: from }, style: { fill } };
    });
    const whole = { type: 'circle', shape: { cx, cy, r }, style: { fill: colour('brand') } };
    const ring = { type: 'circle', shape: { cx, cy, r }, style: { fill: 'none', stroke: colour('paper'), lineWidth: 1.5 } };
    const style = {
      text: String(cluster.count),
      x: cx,
      y: cy,
      align: 'center',
      verticalAlign: 'middle',
      fill: colour('paper'),
      fontSize: 11,
    };
    const number = cluster.count > 1 ? [{ type: 'text', style: { ...style, fontWeight: 600 } }] : [];
    return {
      type: 'group',
      children: [...(sectors.length > 1 ? sectors : sectors.length === 1 ? [disc(sectors[0]!)] : [whole]), ring, ...number],
    };
  };
  // A whole turn is no sector but a disc.
  const disc = (sector: { shape: { cx: number; cy: number; r: number }; style: object }): object => {
    const { cx, cy, r } = sector.shape;
    return { type: 'circle', shape: { cx, cy, r }, style: sector.style };
  };
  return series('clusters', draw, clusters);
}

/** Squares, the darker the more records lie in them. */
export function densitySeries(clusters: Cluster[], cell: number): object {
  const largest = most(clusters);
  const draw = ({ dataIndex }: At, painter: Painter): object => {
    const cluster = clusters[dataIndex]!;
    const [west, south, east, north] = squareOf(cluster, cell);
    const [[x, bottom], [right, y]] = [painter.coord([west, south]), painter.coord([east, north])];
    const style = { fill: colour('brand'), opacity: 0.15 + 0.75 * Math.sqrt(cluster.count / largest) };
    return { type: 'rect', shape: { x, y, width: right - x, height: bottom - y }, style };
  };
  return series('clusters', draw, clusters);
}

function series(id: string, renderItem: unknown, clusters: Cluster[]): object {
  const data = clusters.map((cluster) => ({ value: [...place(cluster), cluster.count], name: cluster.name ?? '', cluster }));
  return { id, type: 'custom', coordinateSystem: 'geo', renderItem, data };
}

/** The area that was drawn, or is being drawn. */
export function areaSeries(corners: Point[]): object {
  const draw = (_: At, painter: Painter): object => {
    const points = corners.map((corner) => painter.coord(corner));
    const dots =
      corners.length < ROUND_FROM
        ? points.map(([cx, cy]) => ({ type: 'circle', shape: { cx, cy, r: 3 }, style: { fill: colour('seal') } }))
        : [];
    const style = { fill: colour('seal'), fillOpacity: 0.08, stroke: colour('seal'), lineWidth: 1.5 };
    return { type: 'group', children: [{ type: 'polygon', shape: { points }, style }, ...dots] };
  };
  const data = corners.length > 0 ? [{ value: corners[0] }] : [];
  return { id: 'area', type: 'custom', coordinateSystem: 'geo', renderItem: draw, silent: true, data, z: 1 };
}
/** From so many corners on it is a circle, whose corners nobody set. */
const ROUND_FROM = 40;
