import type { Contest, Measure, Report } from '../results';
import type { Spread } from '../statistics';
import { percent } from './format';

export interface Change {
  readonly id: string;
  /** New cost divided by old cost; 1 where nothing changed. */
  readonly factor: number;
  /** Three standard errors: smaller changes may be noise. */
  readonly noise: number;
  readonly isReal: boolean;
}

interface Cost {
  readonly value: number;
  /** Relative standard error. */
  readonly error: number;
}

// Two runs of one build on a busy machine differ by so much: other pages, other neighbours.
const leastChange = 0.1;

/**
 * What became slower or faster. Our time counts relative to another side of the same run, the last one that both runs
 * have, by custom a plain loop: a machine that is slower today slows both. Without another side the times must do.
 */
export function compareReports(before: Report, now: Report): Change[] {
  const contests = new Map(before.contests.map((contest) => [contest.id, contest]));
  const measures = new Map(before.measures.map((measure) => [measure.id, measure]));
  return [
    ...now.contests.flatMap((contest) => {
      const earlier = contests.get(contest.id);
      return earlier === undefined ? [] : changeOf(contest.id, ...costs(earlier, contest));
    }),
    ...now.measures.flatMap((measure) => {
      const earlier = measures.get(measure.id);
      // The machine's own speed is nobody's doing.
      const isOurs = earlier !== undefined && !measure.id.startsWith('machine ');
      return isOurs ? changeOf(measure.id, costOf(earlier), costOf(measure)) : [];
    }),
  ];
}

function changeOf(id: string, before: Cost | null, now: Cost | null): Change[] {
  if (before === null || now === null || before.value <= 0 || now.value <= 0) return [];
  const factor = now.value / before.value;
  const noise = Math.max(leastChange, 3 * Math.hypot(before.error, now.error));
  return [{ id, factor, noise, isReal: Math.abs(Math.log(factor)) > noise }];
}

function costOf({ value, error = 0 }: Measure): Cost {
  return { value, error: value > 0 ? error / value : 0 };
}

function costs(before: Contest, now: Contest): [Cost | null, Cost | null] {
  const names = now.timings.slice(1).map(({ name }) => name);
  const other = names.filter((name) => before.timings.some((timing) => timing.name === name)).at(-1);
  return [ourCost(before, other), ourCost(now, other)];
}

/** Our time, over the other side's where there is one. */
function ourCost({ timings }: Contest, other: string | undefined): Cost | null {
  if (timings.length === 0) return null;
  const relative = ({ error, median }: Spread): number => error / median;
  const ratio = timings.find(({ name }) => name === other)?.ratio;
  if (ratio !== undefined) return { value: 1 / ratio.median, error: relative(ratio) };
  const { time } = timings[0]!;
  return { value: time.median, error: relative(time) };
}

export function showChanges(changes: readonly Change[]): string {
  if (changes.length === 0) return '  the two runs have no figure in common';
  const real = changes.filter(({ isReal }) => isReal).sort((a, b) => b.factor - a.factor);
  const lines = real.map(({ id, factor, noise }) => {
    const change = factor > 1 ? `${percent(factor - 1)} slower` : `${percent(1 / factor - 1)} faster`;
    return `  ${change.padEnd(14)} (noise ${percent(noise)})  ${id}`;
  });
  const same = `${changes.length - real.length} of ${changes.length} figures are the same within noise`;
  return [...lines, `  ${same}`].join('\n');
}
