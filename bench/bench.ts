import { runtime } from 'gradstep';
import { collectGarbage } from './gc';
import { race, type Pace } from './harness';
import { Disagreement, expectClose } from './parity';
import { Peers } from './peers/peers';
import { showContest, showMeasure } from './report/console';
import type { Contest, Goal, Measure, Work } from './results';
import type { Side } from './sides';

/** One family of figures: `npm run bench <name>` runs it alone. */
export interface Case {
  readonly name: string;
  readonly about: string;
  /** Whether it takes the JavaScript peers, which are installed when they are first needed. */
  readonly usesPackages?: boolean;
  readonly run: (bench: Bench) => Promise<void>;
}

export interface ContestOptions {
  readonly work?: Work;
  readonly goals?: readonly Goal[];
  /** How far two sides' results may be apart, relative to `scale` + the value. */
  readonly tolerance?: number;
  readonly scale?: number;
  /** A factor for the time this contest gets. */
  readonly patience?: number;
}

/** Ours first; null ones are peers that are not here. */
export type Sides = readonly (Side | null)[];

// A turn has several calls even of a training step, so that what the other sides left in caches and clocks is soon
// forgotten.
const paces: Record<'quick' | 'full', Pace> = {
  quick: { seconds: 0.15, turnSeconds: 20e-3, minRounds: 5, maxRounds: 101 },
  full: { seconds: 0.5, turnSeconds: 60e-3, minRounds: 5, maxRounds: 301 },
};
// Enough for what a rule gets wrong at its first step, or only later, to show.
const checkedCalls = 3;

/** What cases are given: it checks, times, prints and keeps. */
export class Bench {
  readonly contests: Contest[] = [];
  readonly measures: Measure[] = [];
  /** What there was no time for. */
  readonly leftOut: string[] = [];
  readonly peers = new Peers();

  constructor(
    readonly isQuick: boolean,
    /** As many as the machine has, or as asked for. */
    readonly allThreads: number,
    /** Figures whose id has none of these are left out; no words: all take part. */
    private readonly words: readonly string[],
    /** By `performance.now()`: nothing starts after it. */
    private readonly deadline: number,
  ) {}

  /** Whether a figure is asked for, and there is time for it. */
  wants(id: string): boolean {
    const isAsked =
      id.startsWith('machine ') || // first of all, whatever comes after
      this.words.length === 0 ||
      this.words.some((word) => id.toLowerCase().includes(word.toLowerCase()));
    if (isAsked && performance.now() > this.deadline) this.leftOut.push(id);
    return isAsked && performance.now() <= this.deadline;
  }

  /** Runs `work` with one thread, then, where there are more, with all of them. */
  async eachThreadCount(work: (threads: number) => Promise<void>): Promise<void> {
    for (const threads of new Set([1, this.allThreads])) {
      runtime.threads = threads;
      await work(threads);
    }
    runtime.threads = this.allThreads;
  }

  /**
   * Checks that all sides that compute something compute the same, then times them. A side that does not agree with
   * the last one that has a result, a plain loop by custom, is refused; when it is ours, nothing is timed.
   *
   * @param makeSides called when the contest takes place.
   */
  async contest(id: string, makeSides: () => Sides | Promise<Sides>, options: ContestOptions = {}): Promise<void> {
    if (!this.wants(id)) return;
    collectGarbage(); // what the contest before leaves is none of this one's business
    const present = (await makeSides()).filter((side) => side !== null);
    const refused = await this.refusals(present, options);
    const admitted = present.filter(({ name }) => !refused.has(name));
    const { seconds, ...rest } = paces[this.isQuick ? 'quick' : 'full'];
    const pace = { ...rest, seconds: seconds * (options.patience ?? 1) };
    const isOurs = admitted[0] === present[0];
    const timings = isOurs && admitted.length > 0 ? await race(admitted, pace) : [];
    for (const side of present) await side.dispose?.();
    const { work = {}, goals = [] } = options;
    this.add({ id, work, timings, goals, refused: [...refused.values()] });
  }

  /** The check alone; a failure is reported as a contest that did not take place. */
  async agree(id: string, sides: readonly Side[], options: ContestOptions): Promise<boolean> {
    const refused = [...(await this.refusals(sides, options)).values()];
    if (refused.length > 0) this.add({ id, work: {}, timings: [], goals: [], refused });
    return refused.length === 0;
  }

  /** @param take called when the figure is asked for. */
  measure(id: string, take: () => Omit<Measure, 'id'>): void {
    if (!this.wants(id)) return;
    const measure = { id, ...take() };
    this.measures.push(measure);
    console.log(showMeasure(measure));
  }

  private add(contest: Contest): void {
    this.contests.push(contest);
    console.log(showContest(contest));
  }

  private async refusals(sides: readonly Side[], options: ContestOptions): Promise<Map<string, string>> {
    const refused = new Map<string, string>();
    const computing = sides.filter(({ result }) => result !== undefined);
    for (const side of computing) {
      await side.prepare?.();
      await side.turn(checkedCalls);
    }
    const judgeSide = computing.at(-1);
    for (const side of computing.slice(0, -1)) {
      try {
        const { tolerance = 1e-4, scale = 0 } = options;
        expectClose(
          `${side.name} and ${judgeSide!.name}`,
          await side.result!(),
          await judgeSide!.result!(),
          tolerance,
          scale,
        );
      } catch (error) {
        if (!(error instanceof Disagreement)) throw error;
        refused.set(side.name, error.message);
      }
    }
    return refused;
  }
}
