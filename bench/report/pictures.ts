import { showCount, showThreads } from '../data';
import type { Timing } from '../harness';
import type { Contest, Report } from '../results';
import { barChart, colors, heatMap, lineChart, type Axis, type Bar, type Line } from './charts';
import { digits, seconds } from './format';

export interface Picture {
  readonly file: string;
  readonly title: string;
  readonly svg: string;
}

type Draw = (contests: readonly Contest[]) => string | null;

/** The pictures there are results for, in the order a reader wants them. */
export function drawPictures({ contests }: Report): Picture[] {
  const timed = contests.filter(({ timings }) => timings.length > 0);
  const pictures: [file: string, title: string, draw: Draw][] = [
    ['adam.svg', 'One Adam step beside other libraries', (all) => drawPeers('One Adam step', 'adam ', all)],
    ['mnist.svg', 'One training step beside other libraries', (all) => drawPeers('One training step', 'mnist ', all)],
    ['growth.svg', "A parameter's time, from 2^10 parameters to 2^28", drawGrowth],
    ['variables.svg', "A variable's time, from 1 variable to 100,000", drawVariables],
    ['rules.svg', 'Every update rule in percent of the limit', drawRules],
    ['threads.svg', 'All threads against one', drawThreads],
    ['gemm.svg', 'Matrix multiplication beside OpenBLAS', drawGemm],
  ];
  return pictures.flatMap(([file, title, draw]) => {
    const svg = draw(timed);
    return svg === null ? [] : [{ file, title, svg }];
  });
}

const byName = ({ timings }: Contest, name: string): Timing | undefined =>
  timings.find((timing) => timing.name === name);
const threadsOf = ({ id }: Contest): number => Number(/(\d+) threads?$/.exec(id)?.[1]);

/** For one thread and for all: lines of the contests that have so many. */
function eachThreadCount(contests: readonly Contest[], lines: (some: readonly Contest[], threads: number) => Line[]) {
  const counts = [...new Set(contests.map(threadsOf))].sort((a, b) => a - b);
  return counts.flatMap((threads) =>
    lines(
      contests.filter((contest) => threadsOf(contest) === threads),
      threads,
    ),
  );
}

/** One line a side: of each contest that has it, the size and what the side's time comes to. */
function lineOf(
  name: string,
  side: string,
  color: string,
  contests: readonly Contest[],
  at: (contest: Contest, seconds: number) => [x: number, y: number],
): Line {
  const points = contests.flatMap((contest) => {
    const timing = byName(contest, side);
    return timing === undefined ? [] : [at(contest, timing.time.median)];
  });
  return { name, color, points: points.sort(([a], [b]) => a - b), isDashed: side !== 'gradstep' };
}

const ownColor = (threads: number): string => (threads === 1 ? colors.ours : colors.ours2);
const otherColor = (threads: number): string => (threads === 1 ? colors.limit : colors.limit2);

const parameterAxis: Axis = { name: 'parameters', base: 4, show: (n) => `2^${Math.round(Math.log2(n))}` };

function drawGrowth(all: readonly Contest[]): string | null {
  const contests = all.filter(({ id }) => /^growth .* parameters,/.test(id));
  if (contests.length < 3) return null;
  const at = ({ work }: Contest, time: number): [number, number] => [work.parameters!, (time / work.parameters!) * 1e9];
  return lineChart(
    "Adam, float32: a parameter's time in a step",
    parameterAxis,
    { name: 'ns', base: 2 },
    eachThreadCount(contests, (some, threads) => [
      lineOf(`applyGradients, ${showThreads(threads)}`, 'gradstep', ownColor(threads), some, at),
      lineOf(`limit, ${showThreads(threads)}`, 'limit', otherColor(threads), some, at),
    ]),
  );
}

function drawVariables(all: readonly Contest[]): string | null {
  const contests = all.filter(({ id }) => /^growth .* variables? of/.test(id));
  if (contests.length < 3) return null;
  const { parameters, variables } = contests[0]!.work;
  const at = ({ work }: Contest, time: number): [number, number] => [work.variables!, (time / work.variables!) * 1e9];
  return lineChart(
    `Adam, variables of ${parameters! / variables!}: a variable's time in a step, 1 thread`,
    { name: 'variables', base: 10, show: (n) => n.toLocaleString('en-US') },
    { name: 'ns', base: 10 },
    [
      lineOf('applyGradients', 'gradstep', colors.ours, contests, at),
      lineOf('limit: the same memory in one array', 'limit', colors.limit, contests, at),
    ],
  );
}

function drawThreads(all: readonly Contest[]): string | null {
  const contests = all.filter(({ id }) => id.startsWith('threads '));
  if (contests.length < 3) return null;
  const points = contests.map(
    (contest) => [contest.work.parameters!, byName(contest, 'one thread')!.ratio.median] as const,
  );
  const goals = contests.filter(({ goals }) => goals.length > 0);
  const goal: Line = {
    name: 'goal',
    color: colors.limit,
    isDashed: true,
    points: goals.map(({ work, goals }) => [work.parameters!, goals[0]!.atLeast!]),
  };
  return lineChart(
    `Adam: ${contests[0]!.timings[0]!.name} against one`,
    parameterAxis,
    { name: 'times as fast' },
    [{ name: contests[0]!.timings[0]!.name, color: colors.ours, points }],
    goals.length > 0 ? goal : undefined,
  );
}

function drawGemm(all: readonly Contest[]): string | null {
  const size = ({ id }: Contest): number => Number(/^gemm (\d+) x \1 x \1 nn/.exec(id)?.[1]);
  const contests = all.filter((contest) => size(contest) > 0);
  if (contests.length < 3) return null;
  const at = (contest: Contest, time: number): [number, number] => [size(contest), contest.work.flops! / time / 1e9];
  return lineChart(
    'Products of square matrices, float32',
    { name: 'rows and columns', base: 2, show: (n) => `${Math.round(n)}` },
    { name: 'Gflop/s' },
    eachThreadCount(contests, (some, threads) => [
      lineOf(`gradstep, ${showThreads(threads)}`, 'gradstep', ownColor(threads), some, at),
      lineOf(`OpenBLAS, ${showThreads(threads)}`, 'OpenBLAS', otherColor(threads), some, at),
    ]),
  );
}

function drawRules(all: readonly Contest[]): string | null {
  const bySize = [...all].sort((a, b) => (a.work.parameters ?? 0) - (b.work.parameters ?? 0));
  const cells = bySize.flatMap((contest) => {
    const row = /^rules (\w+) applyGradients/.exec(contest.id)?.[1];
    const limit = byName(contest, 'limit');
    const column = showCount(contest.work.parameters ?? 0);
    return row === undefined || limit === undefined ? [] : [{ row, column, value: limit.ratio.median }];
  });
  return cells.length === 0 ? null : heatMap('applyGradients in percent of the limit, 1 thread', cells);
}

/** Times of all sides of the contest with the most of them, the shortest on top. One thread is fair to all of them. */
function drawPeers(title: string, start: string, all: readonly Contest[]): string | null {
  const contests = all.filter((contest) => contest.id.startsWith(start) && byName(contest, 'limit') === undefined);
  const contest = contests.sort((a, b) => b.timings.length - a.timings.length || threadsOf(a) - threadsOf(b))[0];
  if (contest === undefined || contest.timings.length < 3) return null;
  const sorted = [...contest.timings].sort((a, b) => a.time.median - b.time.median);
  const bars = sorted.map(({ name, time, ratio }): Bar => {
    const isOurs = name === 'gradstep';
    const label = isOurs ? seconds(time.median) : `${seconds(time.median)} (${digits(ratio.median)} ×)`;
    return { name, value: time.median * 1e3, label, color: isOurs ? colors.ours : colors.peer };
  });
  return barChart(`${title}: ${contest.id.slice(start.length)}`, 'milliseconds, logarithmic', bars);
}
