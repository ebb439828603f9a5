import { init } from 'echarts';

export interface Curve {
  readonly name: string;
  readonly color: string;
  readonly points: readonly (readonly [number, number])[];
}

/** A picture in SVG: how many of the damages are found, over how many false alarms that takes. */
export function drawRoc(title: string, curves: readonly Curve[]): string {
  const axis = { type: 'value', min: 0, max: 1, nameLocation: 'middle', nameGap: 32 } as const;
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: 720, height: 720 });
  const chance = { name: 'chance', color: '#999999', points: [[0, 0], [1, 1]] as const }; // prettier-ignore
  chart.setOption({
    animation: false,
    backgroundColor: '#fff',
    title: { text: title, left: 'center', top: 12, textStyle: { fontSize: 16 } },
    legend: { top: 44, icon: 'roundRect', itemGap: 32 },
    grid: { left: 70, right: 30, top: 80, bottom: 60 },
    xAxis: { ...axis, name: 'of what did no damage, so much is taken for damage' },
    yAxis: { ...axis, name: 'of the damages, so many are found', nameGap: 40 },
    series: [...curves, chance].map(({ name, color, points }) => ({
      type: 'line',
      name,
      symbol: 'none',
      itemStyle: { color },
      lineStyle: { color, width: name === 'chance' ? 1 : 2, type: name === 'chance' ? 'dashed' : 'solid' },
      data: points.map(([x, y]) => [Number(x.toFixed(4)), Number(y.toFixed(4))]),
    })),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}
