import { init, type LineSeriesOption } from 'echarts';
import type { History } from './history';

const width = 1000;
const height = 720;
const colors = { loss: '#1f6fb4', norm: '#2a8f4f', clipNorm: '#c0392b' };
/** The bold lines join the means of so many parts of the training. */
const parts = 100;

/** A picture in SVG: loss and gradient norm over the steps, on logarithmic scales. */
export function drawTraining(title: string, history: History, epochs: number): string {
  const { losses, norms, steps, clipNorm, clipped } = history;
  const epochsPerTick = epochs <= 2 ? 0.25 : Math.ceil(epochs / 10);
  const share = ((100 * clipped) / steps).toFixed(1);
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  chart.setOption({
    animation: false,
    backgroundColor: '#fff',
    title: [
      { text: title, left: 'center', top: 12 },
      heading('Loss: of every batch, and its mean', 50),
      heading(
        `Global norm of the gradients before clipping: above ${clipNorm} (dashed) in ${share} % of the steps`,
        380,
      ),
    ],
    grid: [80, 410].map((top) => ({ left: 70, right: 60, top, height: 240, outerBoundsMode: 'none' })),
    xAxis: [0, 1].map((gridIndex) => ({
      gridIndex,
      type: 'value',
      name: 'step',
      max: steps,
      interval: (steps / epochs) * epochsPerTick,
      axisLabel: {
        formatter: (step: number) => `${Math.round(step)}\nepoch ${Number(((step / steps) * epochs).toFixed(2))}`,
      },
    })),
    yAxis: [0, 1].map((gridIndex) => ({
      gridIndex,
      type: 'log',
      axisLabel: { formatter: (power: number) => `${Number(power.toPrecision(1))}` }, // else 0.00009999999999999999
    })),
    series: [
      ...lines(losses, colors.loss, 0),
      ...lines(norms, colors.norm, 1),
      line([0, steps], [clipNorm, clipNorm], 1, { color: colors.clipNorm, type: 'dashed' }),
    ],
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}

/** What a panel shows, above it. */
export function heading(text: string, top: number) {
  return { text, left: 66, top, textStyle: { fontSize: 14, fontWeight: 'normal' as const } };
}

/** All values thin and pale, their means bold. */
export function lines(values: Float64Array, color: string, panel: number): LineSeriesOption[] {
  const steps = Array.from(values, (_, i) => i + 1);
  const size = Math.ceil(values.length / parts);
  const starts = steps.filter((step) => (step - 1) % size === 0).map((step) => step - 1);
  const middles = starts.map((start) => (start + Math.min(start + size, values.length) + 1) / 2);
  const means = starts.map((start) => mean(values.subarray(start, start + size)));
  return [
    line(steps, [...values], panel, { color, width: 0.5, opacity: 0.4 }),
    line(middles, means, panel, { color, width: 2.5 }),
  ];
}

/** One line through points; those that a logarithmic scale has no place for are left out. */
export function line(
  xs: readonly number[],
  ys: readonly number[],
  panel: number,
  lineStyle: LineSeriesOption['lineStyle'] & object,
): LineSeriesOption {
  const data = xs.map((x, i) => [x, ys[i]! > 0 ? ys[i]! : null]);
  return { type: 'line', xAxisIndex: panel, yAxisIndex: panel, symbol: 'none', lineStyle, data };
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
