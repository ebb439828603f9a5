import type { Contest, Report } from '../results';
import type { Spread } from '../statistics';
import { percent } from './format';

export interface Change {
  readonly id: string;
  /** New time divided by old time; 1 where nothing changed. */
  readonly factor: number;
  /** Three standard errors: smaller changes may be noise. */
  readonly noise: number;
  readonly isReal: boolean;
}

// Two runs of one build on a busy machine differ by so much: other pages, other neighbours.
const leastChange = 0.1;

/**
 * What became slower or faster. Our time counts relative to the other side of the same run, the last one by custom a
 * plain loop: a machine that is slower today slows both. Without another side the times themselves must do.
 */
export function compareReports(before: Report, now: Report): Change[] {
  const old = new Map(before.contests.map((contest) => [contest.id, contest]));
  return now.contests.flatMap((contest) => {
    const earlier = old.get(contest.id);
    const [a, b] = [earlier && ourCost(earlier), ourCost(contest)];
    if (!a || !b) return [];
    const factor = b.value / a.value;
    const noise = Math.max(leastChange, 3 * Math.hypot(a.error, b.error));
    return [{ id: contest.id, factor, noise, isReal: Math.abs(Math.log(factor)) > noise }];
  });
}

/** Our time over theirs with its relative error. */
function ourCost({ timings }: Contest): { value: number; error: number } | null {
  const [ours, ...others] = timings;
  if (ours === undefined) return null;
  const relative = (spread: Spread): number => spread.error / spread.median;
  const other = others.at(-1);
  if (other === undefined) return { value: ours.time.median, error: relative(ours.time) };
  return { value: 1 / other.ratio.median, error: relative(other.ratio) };
}

export function showChanges(changes: readonly Change[]): string {
  const real = changes.filter(({ isReal }) => isReal).sort((a, b) => b.factor - a.factor);
  const lines = real.map(({ id, factor, noise }) => {
    const change = factor > 1 ? `${percent(factor - 1)} slower` : `${percent(1 / factor - 1)} faster`;
    return `  ${change.padEnd(14)} (noise ${percent(noise)})  ${id}`;
  });
  const same = `${changes.length - real.length} of ${changes.length} figures are the same within noise`;
  return [...lines, `  ${same}`].join('\n');
}
