import { spreadOf, type Spread } from './statistics';

/** One side of a comparison. */
export interface Contestant {
  readonly name: string;
  /** Puts things in place for a turn; not timed. */
  readonly prepare?: () => void | Promise<void>;
  /** Does the work `calls` times and returns the seconds it took. */
  readonly turn: (calls: number) => number | Promise<number>;
}

export interface Pace {
  /** How long all turns together should take. */
  readonly seconds: number;
  /** How long one turn takes at least. */
  readonly turnSeconds: number;
  readonly minRounds: number;
  readonly maxRounds: number;
}

export interface Timing {
  readonly name: string;
  /** Seconds per call. */
  readonly time: Spread;
  readonly best: number;
  /** Per round, this one's time divided by the first contestant's. */
  readonly ratio: Spread;
  readonly rounds: number;
}

export function timed(name: string, work: () => void, prepare?: () => void | Promise<void>): Contestant {
  const turn = (calls: number): number => {
    const start = process.hrtime.bigint();
    for (let i = 0; i < calls; i++) work();
    return Number(process.hrtime.bigint() - start) * 1e-9;
  };
  return prepare === undefined ? { name, turn } : { name, turn, prepare };
}

/**
 * What `longer` takes more than `shorter`, so many times: a part of the work of a call, free of what every call takes.
 */
export function difference(name: string, longer: () => void, shorter: () => void, times: number): Contestant {
  const sides = [timed('longer', longer), timed('shorter', shorter)] as const;
  const turn = async (calls: number): Promise<number> => {
    const seconds = [];
    for (const side of sides) seconds.push(await side.turn(Math.ceil(calls * times)));
    return seconds[0]! - seconds[1]!;
  };
  return { name, turn };
}

// Work this short depends on what the caches hold, so each of its turns starts with a call that is not timed.
const cacheSeconds = 5e-3;

// The just-in-time compiler works by counts of calls, in a thread of its own: short calls need many, and time.
const shortSeconds = 1e-5;
const warmCalls = 20_000;
const warmSeconds = { least: 0.03, most: 0.3 };

/**
 * Lets the contestants take turns until the time is up. Each round has one turn of each, in an order that reverses
 * from round to round; what slows the machine down for a while slows all of them, and their ratio stays.
 */
export async function race(contestants: readonly Contestant[], pace: Pace): Promise<Timing[]> {
  const entries = [];
  for (const contestant of contestants) {
    entries.push({ contestant, ...(await calibrate(contestant, pace)), times: [] as number[] });
  }
  const end = performance.now() + 1000 * pace.seconds;
  for (let round = 0; round < pace.maxRounds && (round < pace.minRounds || performance.now() < end); round++) {
    const order = round % 2 === 0 ? entries : [...entries].reverse();
    for (const { contestant, calls, isShort, times } of order) {
      await contestant.prepare?.();
      if (isShort) await contestant.turn(1);
      times.push((await contestant.turn(calls)) / calls);
    }
  }
  const first = entries[0]!.times;
  return entries.map(({ contestant: { name }, times }) => ({
    name,
    time: spreadOf(times),
    best: Math.min(...times),
    ratio: spreadOf(times.map((time, round) => time / first[round]!)),
    rounds: times.length,
  }));
}

/** How many calls fill a turn; finding out warms up. */
async function calibrate(contestant: Contestant, { turnSeconds }: Pace): Promise<{ calls: number; isShort: boolean }> {
  await contestant.prepare?.();
  await contestant.turn(1);
  let calls = 1;
  let seconds = await contestant.turn(1);
  let total = seconds;
  let made = 2;
  const isWarm = (): boolean =>
    total >= (seconds / calls < shortSeconds && made < warmCalls ? warmSeconds.most : warmSeconds.least);
  while (seconds < turnSeconds || !isWarm()) {
    const factor = Math.min(10, (1.2 * turnSeconds) / Math.max(seconds, 1e-9));
    if (seconds < turnSeconds) calls = Math.ceil(calls * factor);
    seconds = await contestant.turn(calls);
    total += seconds;
    made += calls;
  }
  return { calls, isShort: seconds / calls < cacheSeconds };
}
