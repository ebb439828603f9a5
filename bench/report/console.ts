import { isMeasureMet, verdicts, type Contest, type Goal, type Measure, type Report } from '../results';
import type { Timing } from '../harness';
import { digits, percent, seconds, withPrefix } from './format';

/** A contest as a few lines: ours with its rates, then each other side with how many times our time it takes. */
export function showContest(contest: Contest): string {
  const { id, timings, refused } = contest;
  const [ours, ...others] = timings;
  const lines = refused.map((why) => `  NOT TIMED, results differ: ${why}`);
  if (ours !== undefined) lines.push(`  ${pad(ours)}  ${rates(contest, ours).join(', ')}`);
  for (const other of others) {
    lines.push(
      `  ${pad(other)}  ${digits(other.ratio.median)} × ours (${digits(other.ratio.low)} to ${digits(other.ratio.high)})`,
    );
  }
  const judged = verdicts(contest).map(
    ({ goal, value, isMet }) => `  ${isMet ? 'met' : 'MISSED'}: ${wording(goal, value)}`,
  );
  return [id, ...lines, ...judged].join('\n');
}

/** What a side's time comes to: by parameter, by variable, by second, and of the limit. */
export function rates({ work, timings }: Contest, timing: Timing): string[] {
  const { parameters, variables, bytes, flops } = work;
  const { median } = timing.time;
  const limit = timing === timings[0] ? timings.find(({ name }) => name === 'limit') : undefined;
  return [
    ...(parameters === undefined ? [] : [`${digits((median / parameters) * 1e9)} ns/parameter`]),
    ...(variables === undefined ? [] : [`${digits((median / variables) * 1e9)} ns/variable`]),
    ...(bytes === undefined ? [] : [withPrefix(bytes / median, 'B/s')]),
    ...(flops === undefined ? [] : [withPrefix(flops / median, 'flop/s')]),
    ...(limit === undefined ? [] : [`${percent(limit.ratio.median)} of the limit`]),
  ];
}

export function wording({ against: other, or, atLeast, atMost }: Goal, value: number): string {
  const against = or === undefined ? other : `${other} or ${or}`;
  if (against === undefined) return `${seconds(value)}, at most ${seconds(atMost!)}`;
  if (atMost !== undefined) return `${digits(value)} × the time of ${against}, at most ${atMost}`;
  return atLeast! < 1
    ? `${percent(value)} of ${against}, at least ${percent(atLeast!)}`
    : `${digits(value)} × as fast as ${against}, at least ${atLeast}`;
}

export function showMeasure(measure: Measure): string {
  const { id, value, unit, atMost, atLeast } = measure;
  const isMet = isMeasureMet(measure);
  const goal =
    atMost !== undefined ? `, at most ${digits(atMost)}` : atLeast !== undefined ? `, at least ${digits(atLeast)}` : '';
  const verdict = goal === '' ? '' : isMet ? '  met' : '  MISSED';
  return `${id}: ${unit === 'B/s' ? withPrefix(value, unit) : `${digits(value)} ${unit}`}${goal}${verdict}`;
}

/** How many goals are met, and which are not. */
export function showGoals({ contests, measures }: Report): string {
  const all = [
    ...contests.flatMap((contest) =>
      verdicts(contest).map(({ goal, value, isMet }) => ({ isMet, line: `${contest.id}: ${wording(goal, value)}` })),
    ),
    ...measures
      .filter(({ atMost, atLeast }) => atMost !== undefined || atLeast !== undefined)
      .map((measure) => ({ isMet: isMeasureMet(measure), line: showMeasure(measure) })),
  ];
  const missed = all.filter(({ isMet }) => !isMet).map(({ line }) => `  ${line}`);
  return [`\n${all.length - missed.length} of ${all.length} goals met`, ...missed].join('\n');
}

function pad({ name, time }: Timing): string {
  const spread = (time.high - time.low) / time.median;
  return `${name.padEnd(26)} ${seconds(time.median).padStart(9)} ±${percent(spread / 2).padStart(6)}`;
}
