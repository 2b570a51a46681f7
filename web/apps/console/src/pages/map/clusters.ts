/** Records of a register on the map, as the server gathers them. */
import { call } from '../../api';
import { pairsOf } from '../../ui/address';

export interface Cluster {
  lon: string;
  lat: string;
  count: number;
  /** Only of a single record. */
  id?: string;
  name?: string | null;
  /** How many of each code, where one was asked for. */
  parts?: Record<string, number>;
}
export interface Clusters {
  clusters: Cluster[];
  /** Those inside the box. */
  count: number;
  /** Those that match and lie nowhere. */
  unplaced: number;
  /** Degrees. */
  cell: string;
}
/** West, south, east, north. */
export type Box = [number, number, number, number];
export type Mode = 'clusters' | 'density' | 'regions';

export function clustersOf(table: string, query: string, box: Box, grid: number, by: string): Promise<Clusters> {
  const own = [['box', box.map((one) => one.toFixed(5)).join(',')], ['grid', String(grid)], ...(by ? [['by', by]] : [])];
  return call('GET', `/api/v1/${table}/map?${new URLSearchParams([...own, ...pairsOf(query)]).toString()}`);
}

/** The square that the server gathered a cluster from. */
export function squareOf(cluster: Cluster, cell: number): Box {
  const [west, south] = [Math.floor(Number(cluster.lon) / cell) * cell, Math.floor(Number(cluster.lat) / cell) * cell];
  return [west, south, west + cell, south + cell];
}

/** A box as the polygon that a list is limited to. */
export function withinBox([west, south, east, north]: Box): string {
  const corners = [
    [west, south],
    [east, south],
    [east, north],
    [west, north],
  ];
  return corners.map(([lon, lat]) => `${lon!.toFixed(6)},${lat!.toFixed(6)}`).join(' ');
}
