import { init } from 'echarts';
import { ops, type Variable } from 'gradstep';
import type { Corpus } from './corpus';
import { projected } from './projection';

/** Kinds of nouns by their numbers in WordNet, and what they are drawn in. */
const kinds = [
  { number: 5, name: 'animals', color: '#c0392b' },
  { number: 8, name: 'parts of bodies', color: '#8e44ad' },
  { number: 13, name: 'food', color: '#d68910' },
  { number: 10, name: 'communication', color: '#1f6fb4' },
  { number: 28, name: 'times', color: '#555555' },
  { number: 20, name: 'plants', color: '#2a8f4f' },
] as const;
const wordsOfKind = 22;

/** A picture in SVG: frequent nouns of some kinds, where the two main directions put them. */
export function drawWords(
  title: string,
  vectors: Variable,
  { words }: Corpus,
  kindOf: ReadonlyMap<string, number>,
): string {
  const groups = kinds.map(({ number }) =>
    words.flatMap((word, i) => (kindOf.get(word) === number && word.length > 2 ? [i] : [])).slice(0, wordsOfKind),
  );
  const rows = groups.flat();
  const places = rows.length === 0 ? [] : projected(ops.l2Normalize(ops.gather(vectors, Int32Array.from(rows)), 1));
  let next = 0;
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: 1000, height: 800 });
  chart.setOption({
    animation: false,
    backgroundColor: '#fff',
    title: { text: title, left: 'center', top: 12 },
    legend: { top: 44, itemGap: 32 },
    grid: { left: 30, right: 80, top: 80, bottom: 30 },
    xAxis: { type: 'value', show: false, scale: true },
    yAxis: { type: 'value', show: false, scale: true },
    series: kinds.map(({ name, color }, group) => ({
      type: 'scatter',
      name,
      symbolSize: 6,
      itemStyle: { color },
      labelLayout: { hideOverlap: true },
      data: groups[group]!.map((row) => {
        const at = 2 * next++;
        return {
          value: [places[at]!, places[at + 1]!],
          label: { show: true, formatter: words[row]!, position: 'right' as const, color, fontSize: 12 },
        };
      }),
    })),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}
