import { init } from 'echarts';
import { heading, line, lines } from '../mnist/picture';

/** What a training has seen, step by step. */
export interface Training {
  readonly losses: Float64Array;
  readonly rates: Float64Array;
  /** The loss on what it has not read, after some of the steps. */
  readonly unread: readonly (readonly [step: number, loss: number])[];
}

const colors = { loss: '#1f6fb4', unread: '#c0392b', rate: '#2a8f4f' };

/** A picture in SVG: the loss over the steps, read and unread, and the learning rate. */
export function drawCurves(title: string, { losses, rates, unread }: Training): string {
  const steps = Array.from(rates, (_, i) => i + 1);
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: 1000, height: 640 });
  const grid = { left: 70, right: 60, outerBoundsMode: 'none' } as const;
  const step = { type: 'value', name: 'step', max: losses.length } as const;
  chart.setOption({
    animation: false,
    backgroundColor: '#fff',
    title: [
      { text: title, left: 'center', top: 12 },
      heading('Loss in nats a letter: of every batch, its mean, and on pages that it has not read (red)', 50),
      heading('Learning rate', 430),
    ],
    grid: [
      { ...grid, top: 80, height: 300 },
      { ...grid, top: 460, height: 120 },
    ],
    xAxis: [0, 1].map((gridIndex) => ({ ...step, gridIndex })),
    yAxis: [
      { gridIndex: 0, type: 'value', scale: true },
      { gridIndex: 1, type: 'value' },
    ],
    series: [
      ...lines(losses, colors.loss, 0),
      line(
        unread.map(([at]) => at),
        unread.map(([, loss]) => loss),
        0,
        { color: colors.unread, width: 2 },
      ),
      line(steps, [...rates], 1, { color: colors.rate, width: 2 }),
    ],
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}
