import type { Timing } from './harness';

/** What the result of a comparison is to be. */
export interface Goal {
  /** The other side's name; without it, a limit for our own seconds per call. */
  readonly against?: string;
  /** Another one that may be slower: the slower of the two is what counts. */
  readonly or?: string;
  /** Their time divided by ours. */
  readonly atLeast?: number;
  /** Our time divided by theirs, or seconds. */
  readonly atMost?: number;
}

/** What one call moves or computes, as far as it is known. */
export interface Work {
  readonly parameters?: number;
  /** That the parameters are in, where it is their number that matters. */
  readonly variables?: number;
  /** Read from and written to memory. */
  readonly bytes?: number;
  readonly flops?: number;
}

/** A comparison: ours first, then the others. */
export interface Contest {
  /** The same from one run of the benches to the next; starts with the case's name. */
  readonly id: string;
  readonly work: Work;
  readonly timings: readonly Timing[];
  readonly goals: readonly Goal[];
  /** Sides that computed something else and were not timed, with how they differed. */
  readonly refused: readonly string[];
}

/** A single number, such as bytes of memory. */
export interface Measure {
  readonly id: string;
  readonly value: number;
  readonly unit: string;
  /** What the value may be off by, one standard error, where that is known. */
  readonly error?: number;
  readonly atMost?: number;
  readonly atLeast?: number;
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly os: string;
  readonly node: string;
  readonly gradstep: string;
  readonly isa: string;
  /** Average over the last minute, at the start. More than the benches' own threads: other work took part. */
  readonly load: number;
}

export interface Report {
  readonly date: string;
  readonly machine: Machine;
  readonly peers: Readonly<Record<string, string>>;
  readonly contests: readonly Contest[];
  readonly measures: readonly Measure[];
}

/** The number a goal is about, and whether it is met. */
function judge(contest: Contest, { against, or, atLeast, atMost }: Goal): { value: number; isMet: boolean } | null {
  const ours = contest.timings[0];
  if (ours === undefined) return null;
  if (against === undefined) return { value: ours.time.median, isMet: ours.time.median <= atMost! };
  const others = contest.timings.filter(({ name }) => name === against || name === or);
  if (others.length === 0) return null;
  const ratio = Math.max(...others.map((other) => other.ratio.median));
  return atLeast !== undefined
    ? { value: ratio, isMet: ratio >= atLeast }
    : { value: 1 / ratio, isMet: 1 / ratio <= atMost! };
}

/** Each of a contest's goals that can be judged. */
export function verdicts(contest: Contest): { goal: Goal; value: number; isMet: boolean }[] {
  return contest.goals.flatMap((goal) => {
    const judged = judge(contest, goal);
    return judged === null ? [] : [{ goal, ...judged }];
  });
}

export function isMeasureMet({ value, atMost = Infinity, atLeast = -Infinity }: Measure): boolean {
  return value <= atMost && value >= atLeast;
}

/** The newer report with what it did not measure of the older one. Figures of two machines do not go together. */
export function merge(older: Report, newer: Report): Report {
  const { cpu, isa } = newer.machine;
  if (older.machine.cpu !== cpu || older.machine.isa !== isa) return newer;
  const together = <T extends { id: string }>(before: readonly T[], now: readonly T[]): T[] => {
    const measured = new Map(now.map((figure) => [figure.id, figure]));
    const kept = before.map((figure) => {
      const again = measured.get(figure.id);
      measured.delete(figure.id);
      return again ?? figure;
    });
    return [...kept, ...measured.values()];
  };
  return {
    ...newer,
    peers: { ...older.peers, ...newer.peers },
    contests: together(older.contests, newer.contests),
    measures: together(older.measures, newer.measures),
  };
}
