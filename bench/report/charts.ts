import { init, type BarSeriesOption, type EChartsOption, type LineSeriesOption } from 'echarts';
import { digits } from './format';

export const colors = { ours: '#1f6fb4', ours2: '#7db3dd', limit: '#c0392b', limit2: '#e5a49c', peer: '#9aa5b1' };

export interface Line {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  readonly color: string;
  readonly isDashed?: boolean;
}

export interface Axis {
  readonly name: string;
  /** Of a logarithm; without it the axis is linear and starts at 0. */
  readonly base?: number;
  readonly show?: (x: number) => string;
}

/** In a legend, what stands for a line without points. */
const bar = 'path://M0 0h30v3h-30z';

/** Lines over x, all with a point at some of the same x. */
export function lineChart(title: string, x: Axis, y: Axis, lines: readonly Line[], goal?: Line): string {
  const xs = lines.flatMap(({ points }) => points.map(([x]) => x));
  const shown = [...lines, ...(goal === undefined ? [] : [goal])];
  const series = shown.map(({ name, points, color, isDashed = false }): LineSeriesOption => ({
    type: 'line',
    name,
    data: points.map(([x, y]) => [x, y]),
    symbol: isDashed ? 'none' : 'circle',
    symbolSize: 7,
    lineStyle: { color, width: isDashed ? 1.5 : 2.5, type: isDashed ? 'dashed' : 'solid' },
    itemStyle: { color },
  }));
  return render(560, {
    title: { text: title, left: 'center', top: 12 },
    legend: {
      top: 44,
      itemGap: 28,
      data: shown.map(({ name, isDashed = false }) => (isDashed ? { name, icon: bar } : name)),
    },
    grid: { left: 80, right: 50, top: 100, bottom: 60 },
    xAxis: {
      ...scale(x),
      nameLocation: 'middle',
      nameGap: 34,
      min: Math.min(...xs),
      max: Math.max(...xs),
    },
    yAxis: scale(y),
    series,
  });
}

function scale({ name, base, show = digits }: Axis) {
  const axisLabel = { formatter: show };
  return base === undefined
    ? { type: 'value' as const, name, min: 0, axisLabel }
    : { type: 'log' as const, logBase: base, name, axisLabel };
}

export interface Bar {
  readonly name: string;
  readonly value: number;
  readonly label: string;
  readonly color: string;
}

/** Bars from left to right, the first on top, on a logarithmic axis. */
export function barChart(title: string, axis: string, bars: readonly Bar[]): string {
  const series: BarSeriesOption = {
    type: 'bar',
    barMaxWidth: 34,
    data: bars.map(({ value, color }) => ({ value, itemStyle: { color } })),
    label: {
      show: true,
      position: 'right',
      formatter: ({ dataIndex }: { dataIndex: number }) => bars[dataIndex]!.label,
    },
  };
  return render(120 + 55 * bars.length, {
    title: { text: title, left: 'center', top: 12 },
    grid: { left: 160, right: 150, top: 60, bottom: 60 },
    xAxis: {
      type: 'log',
      name: axis,
      nameLocation: 'middle',
      nameGap: 34,
      axisLabel: { formatter: digits },
    },
    yAxis: { type: 'category', inverse: true, data: bars.map(({ name }) => name), axisTick: { show: false } },
    series,
  });
}

export interface Cell {
  readonly row: string;
  readonly column: string;
  readonly value: number;
}

/** A table of percentages, the darker the more. */
export function heatMap(title: string, cells: readonly Cell[]): string {
  const rows = [...new Set(cells.map(({ row }) => row))];
  const columns = [...new Set(cells.map(({ column }) => column))];
  return render(110 + 28 * rows.length, {
    title: { text: title, left: 'center', top: 12 },
    grid: { left: 190, right: 30, top: 84, bottom: 16 },
    xAxis: { type: 'category', data: columns, position: 'top', axisTick: { show: false }, axisLine: { show: false } },
    yAxis: { type: 'category', data: rows, inverse: true, axisTick: { show: false }, axisLine: { show: false } },
    visualMap: { show: false, min: 0.4, max: 1, inRange: { color: ['#f3d9c8', '#f4efe6', '#9cc5e3'] } },
    series: {
      type: 'heatmap',
      data: cells.map(({ row, column, value }) => [columns.indexOf(column), rows.indexOf(row), value]),
      itemStyle: { borderColor: '#fff', borderWidth: 2 },
      label: {
        show: true,
        color: '#222',
        formatter: ({ dataIndex }: { dataIndex: number }) => `${Math.round(100 * cells[dataIndex]!.value)}`,
      },
    },
  });
}

/** On white, so that it can be read on pages of any colour. */
function render(height: number, option: EChartsOption): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: 1000, height });
  chart.setOption({ animation: false, backgroundColor: '#fff', ...option });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}
