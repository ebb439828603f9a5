import { init, type BarSeriesOption, type EChartsOption, type LineSeriesOption } from 'echarts';
import type { Contest } from '../results';
import { digits } from './format';

const size = { width: 1000, height: 560 };
const colors = { ours: '#1f6fb4', limit: '#c0392b', peer: '#9aa5b1' };

/** The pictures there are results for, by file name. */
export function drawPictures(contests: readonly Contest[]): Map<string, string> {
  const pictures = new Map<string, string>();
  const growing = contests.filter(
    ({ id, timings }) => /^growth .* parameters, 1 thread/.test(id) && timings.length === 2,
  );
  if (growing.length > 1) pictures.set('growth.svg', drawGrowth(growing));
  for (const [file, title, start] of [
    ['adam.svg', 'One Adam step', 'adam '],
    ['mnist.svg', 'One training step', 'mnist '],
  ] as const) {
    const chosen = contests.filter(
      ({ id }) => id.startsWith(start) && id.endsWith(', 1 thread') && !id.includes('limit'),
    );
    const contest = chosen.find(({ timings }) => timings.length > 2);
    if (contest !== undefined) pictures.set(file, drawBars(`${title}: ${contest.id}`, contest));
  }
  return pictures;
}

/** Time against size, both logarithmic, with the machine's limit as a line. */
export function drawGrowth(contests: readonly Contest[]): string {
  const points = (side: number): number[][] =>
    contests.map(({ work, timings }) => [work.parameters!, timings[side]!.time.median * 1e6]);
  const series: LineSeriesOption[] = [
    line('gradstep: applyGradients', points(0), { color: colors.ours, width: 2.5 }, 'circle'),
    line(
      'limit: a loop that moves the same memory',
      points(1),
      { color: colors.limit, width: 1.5, type: 'dashed' },
      'none',
    ),
  ];
  return render({
    title: { text: 'Adam, float32, one thread: time of a step', left: 'center', top: 12 },
    legend: { top: 44, itemGap: 70 },
    grid: { left: 80, right: 50, top: 90, bottom: 60 },
    xAxis: {
      type: 'log',
      logBase: 4,
      name: 'parameters',
      nameLocation: 'middle',
      nameGap: 34,
      min: contests[0]!.work.parameters!,
      max: contests.at(-1)!.work.parameters!,
      axisLabel: { formatter: (n: number) => `2^${Math.round(Math.log2(n))}` },
    },
    yAxis: {
      type: 'log',
      name: 'µs',
      axisLabel: { formatter: (us: number) => (us >= 1 ? us.toLocaleString('en-US') : digits(us)) },
    },
    series,
  });
}

/** Times of all sides of one contest, the shortest on top. */
export function drawBars(title: string, { timings }: Contest): string {
  const sorted = [...timings].sort((a, b) => b.time.median - a.time.median);
  const bars: BarSeriesOption = {
    type: 'bar',
    barMaxWidth: 34,
    data: sorted.map(({ name, time }) => ({
      value: time.median * 1e3,
      itemStyle: { color: name === 'gradstep' ? colors.ours : colors.peer },
    })),
    label: {
      show: true,
      position: 'right',
      formatter: ({ dataIndex }: { dataIndex: number }) => {
        const { name, time, ratio } = sorted[dataIndex]!;
        return `${digits(time.median * 1e3)} ms${name === 'gradstep' ? '' : ` (${digits(ratio.median)} ×)`}`;
      },
    },
  };
  return render({
    title: { text: title, left: 'center', top: 12 },
    grid: { left: 160, right: 130, top: 60, bottom: 60 },
    xAxis: {
      type: 'log',
      name: 'milliseconds, logarithmic',
      nameLocation: 'middle',
      nameGap: 34,
      axisLabel: { formatter: (ms: number) => digits(ms) },
    },
    yAxis: { type: 'category', data: sorted.map(({ name }) => name), axisTick: { show: false } },
    series: bars,
  });
}

function line(
  name: string,
  data: number[][],
  lineStyle: LineSeriesOption['lineStyle'] & { color: string },
  symbol: string,
): LineSeriesOption {
  return { type: 'line', name, data, symbol, symbolSize: 7, lineStyle, itemStyle: { color: lineStyle.color } };
}

function render(option: EChartsOption): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, ...size });
  chart.setOption({ animation: false, backgroundColor: '#fff', ...option });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}
