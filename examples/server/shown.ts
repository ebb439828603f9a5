import type { Variable } from 'gradstep';
import { shared } from './queue';

/** One that is being written, one that is being read, one that is the latest. */
const places = 3;

const enum At {
  /** Where the latest weights are. */
  Latest,
  /** Where somebody reads. */
  Reading,
  /** How often there have been new ones. */
  Times,
  Count,
}

export interface ShownMemory {
  /** An array for each variable, in each place. */
  readonly weights: readonly (readonly Float32Array[])[];
  /** Which step they are of. */
  readonly steps: Float64Array;
  readonly at: Int32Array;
}

export function shownMemory(variables: readonly Variable[]): ShownMemory {
  const copies = (): Float32Array[] => variables.map(({ size }) => new Float32Array(shared(4 * size)));
  return {
    weights: Array.from({ length: places }, copies),
    steps: new Float64Array(shared(8 * places)),
    at: new Int32Array(shared(4 * At.Count)),
  };
}

/** Lays weights out, as they are after a whole step: for the only one who changes them. */
export function show({ weights, steps, at }: ShownMemory, variables: readonly Variable[], step: number): void {
  const taken = [Atomics.load(at, At.Latest), Atomics.load(at, At.Reading)];
  const place = weights.findIndex((_, i) => !taken.includes(i));
  variables.forEach(({ data }, i) => weights[place]![i]!.set(data));
  steps[place] = step;
  Atomics.store(at, At.Latest, place);
  Atomics.add(at, At.Times, 1);
}

/** Weights for who asks the model: a copy of the latest that were laid out. Nobody waits for anybody. */
export class Weights {
  /** Which step they are of. */
  step = 0;
  private times = -1;

  constructor(
    private readonly memory: ShownMemory,
    readonly variables: readonly Variable[],
  ) {}

  /** Takes over the latest, if they are others than these. */
  refresh(): void {
    const { weights, steps, at } = this.memory;
    const times = Atomics.load(at, At.Times);
    if (times === this.times) return;
    this.times = times;
    // Once it is known that this place is read and still the latest, nobody writes there.
    let place = -1;
    while (place !== Atomics.load(at, At.Latest)) {
      place = Atomics.load(at, At.Latest);
      Atomics.store(at, At.Reading, place);
    }
    this.variables.forEach(({ data }, i) => data.set(weights[place]![i]!));
    this.step = steps[place]!;
  }
}
