import { verdicts, type Contest, type Machine, type Measure, type Report } from '../results';
import { rates, showMeasure, wording } from './console';
import type { Picture } from './pictures';
import { digits, percent, seconds } from './format';

/** The whole report: the machine, a table of comparisons, a table of the goals, the single figures. */
export function toMarkdown(report: Report, pictures: readonly Picture[]): string {
  const peers = Object.entries(report.peers).map(([name, version]) => `${name}: ${version}`);
  return [
    '# Benchmarks',
    `${report.date}. ${describe(report.machine)}${peers.length === 0 ? '' : ` Peers: ${peers.join(', ')}.`}`,
    'Times are medians; ± is half the distance between the quartiles. "× ours" is the median, over rounds in which all',
    'sides take turns, of their time divided by ours.',
    '',
    ...pictures.flatMap(({ file, title }) => [`![${title}](${file})`, '']),
    ...comparisons(report.contests),
    ...goals(report.contests),
    ...singles(report.measures),
  ].join('\n');
}

export function describe({ cpu, cores, os, node, isa, gradstep, load }: Machine): string {
  return `gradstep ${gradstep} (${isa}) on ${cpu}, ${cores} cores, ${os}, Node ${node}; load at the start ${load.toFixed(1)}.`;
}

export function table(columns: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line), ''];
}

function comparisons(contests: readonly Contest[]): string[] {
  const rows = contests.flatMap((contest) => [
    ...contest.timings.map((timing, i) => {
      const { time, ratio } = timing;
      const spread = `${seconds(time.median)} ± ${percent((time.high - time.low) / 2 / time.median)}`;
      return [i === 0 ? contest.id : '', timing.name, spread, digits(ratio.median), rates(contest, timing).join(', ')];
    }),
    ...contest.refused.map((why) => [contest.id, `**not timed: ${why}**`, '', '', '']),
  ]);
  return table(['what', 'side', 'time', '× ours', 'rates'], rows);
}

function goals(contests: readonly Contest[]): string[] {
  const rows = contests.flatMap((contest) =>
    verdicts(contest).map(({ goal, value, isMet }) => [contest.id, wording(goal, value), isMet ? 'met' : '**missed**']),
  );
  return rows.length === 0 ? [] : ['## Goals', '', ...table(['what', 'figure', ''], rows)];
}

function singles(measures: readonly Measure[]): string[] {
  if (measures.length === 0) return [];
  return ['## Single figures', '', ...measures.map((measure) => `- ${showMeasure(measure)}`), ''];
}
