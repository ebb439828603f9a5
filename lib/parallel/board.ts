import { internals, Variable, variable } from 'gradstep';
import { shown } from '../checks';
import { native } from '../native';
import { Gathering, numbersOfGathering } from './gathering';
import { keptLosses, Word, type BoardMemory, type GatheringMemory } from './protocol';
import type { StepReport } from './training';

/** What all threads of a training look at, as the one that started it does. */
export class Board {
  readonly memory: BoardMemory;
  /** 1 while this thread keeps steps away. */
  private readonly isHeld = new Int32Array(new SharedArrayBuffer(4));
  private readonly gathering: Gathering | null;

  /** @param tokens that replicas find; null where there are none. */
  constructor(
    private readonly variables: readonly Variable[],
    trained: readonly Variable[],
    tokens: number | null,
  ) {
    const gathering = tokens === null ? null : gatheringOf(trained);
    this.memory = {
      guard: new Int32Array(new SharedArrayBuffer(8)),
      words: new Int32Array(new SharedArrayBuffer(4 * Word.Count)),
      losses: new Float64Array(new SharedArrayBuffer(8 * keptLosses)),
      gathering,
    };
    this.gathering = gathering && new Gathering(gathering);
    this.gathering?.begin(tokens!);
  }

  /** How many steps there have been. */
  get version(): number {
    return this.gathering?.step ?? Atomics.load(this.memory.guard, 1) >>> 0;
  }

  /** How many gradients of replicas came too late. */
  get dropped(): number {
    return this.gathering?.dropped ?? 0;
  }

  stop(): void {
    Atomics.store(this.memory.words, Word.Stop, 1);
  }

  /** Tells of these steps, or the last of them where they are too many. */
  report(from: number, end: number, onStep: (report: StepReport) => void): void {
    const { losses } = this.memory;
    for (let step = Math.max(from, end - keptLosses); step < end; step++) {
      onStep({ step, loss: losses[step % keptLosses]! });
    }
  }

  /** Waits until no step is being made, and lets none be made until what it resolves to is called. */
  async hold(): Promise<() => void> {
    const { isHeld } = this;
    const { guard } = this.memory;
    await native.holdGuardAsync([guard, isHeld], guard, isHeld);
    return () => native.releaseGuard(guard, isHeld);
  }

  /** Copies of the variables, made while no step is. */
  snapshot(into?: readonly Variable[]): readonly Variable[] {
    const copies = into === undefined ? this.variables.map(like) : this.checked(into);
    const arrays = [copies, this.variables].map((list) => list.map(({ data }) => data));
    native.copyGuarded(this.memory.guard, this.isHeld, arrays[0]!, arrays[1]!);
    return copies;
  }

  private checked(into: unknown): readonly Variable[] {
    const list = Array.isArray(into) ? (into as unknown[]) : [];
    if (list.length !== this.variables.length) {
      throw new RangeError(`into must be an array of ${this.variables.length} Variables, got ${shown(into)}`);
    }
    return this.variables.map((original, i) => {
      const copy = list[i];
      if (!(copy instanceof Variable)) throw new TypeError(`into must hold Variables, got ${shown(copy)}`);
      if (copy.dtype === original.dtype && copy.shape.join() === original.shape.join()) return copy;
      throw new RangeError(`'${copy.name}' of into must be like '${original.name}', [${original.shape.join()}]`);
    });
  }
}

function gatheringOf(trained: readonly Variable[]): GatheringMemory {
  const numbers = new Float64Array(new SharedArrayBuffer(8 * numbersOfGathering));
  return { numbers, sums: internals.sharedArrays(trained) };
}

function like({ name, dtype, shape, size, trainable }: Variable): Variable {
  const zeros = dtype === 'float32' ? new Float32Array(size) : new Float64Array(size);
  return variable(zeros, { name, dtype, shape, trainable });
}
