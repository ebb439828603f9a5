import { checkRange, isWhole } from '../checks';
import { native } from '../native';
import { checkHandle, type GlobalStepHandle } from './handles';
import { restoreParts, type StateEntry, type Stateful, type StateSource } from './state';

/** A counter of steps, shared between threads: 64 bits in a SharedArrayBuffer. Create one with `createGlobalStep`. */
export class GlobalStep implements Stateful {
  private readonly counter: BigInt64Array;
  private knownAddress: number | null = null;

  /**
   * A counter in memory of its own, or in another thread's.
   * @param buffer at least 8 bytes; default: fresh memory, at 0.
   * @throws TypeError for another kind of buffer, RangeError for a smaller one.
   */
  constructor(readonly buffer: SharedArrayBuffer = new SharedArrayBuffer(8)) {
    if (!(buffer instanceof SharedArrayBuffer)) throw new TypeError('buffer must be a SharedArrayBuffer');
    this.counter = new BigInt64Array(buffer, 0, 1);
  }

  /** Steps so far. */
  get value(): number {
    return Number(Atomics.load(this.counter, 0));
  }

  /** @throws RangeError for anything but a whole number that is not negative. */
  set value(value: number) {
    checkRange('value', value, 'a whole number that is not negative', isWhole);
    Atomics.store(this.counter, 0, BigInt(value));
  }

  /** @internal Where the counter lies: it is shared memory, which stays. */
  get address(): number {
    return (this.knownAddress ??= native.addressOfAny(this.counter));
  }

  /**
   * What another thread makes the same counter of, by `GlobalStep.from`: it can be posted, and given as workerData.
   */
  share(): GlobalStepHandle {
    return { kind: 'gradstep/global-step', buffer: this.buffer };
  }

  /**
   * The counter of another thread, in the same memory.
   * @throws TypeError for what `share` did not give.
   */
  static from(handle: GlobalStepHandle): GlobalStep {
    checkHandle(handle, 'gradstep/global-step');
    return new GlobalStep(handle.buffer);
  }

  /** Adds one, and returns the new value. */
  increment(): number {
    return Number(Atomics.add(this.counter, 0, 1n)) + 1;
  }

  /** The counter, as `global_step`: an int64 without a shape. */
  state(): StateEntry[] {
    return [{ key: 'global_step', dtype: 'int64', shape: [], memory: this.counter }];
  }

  /** Sets the counter, which keeps its memory. */
  restore(entries: Iterable<StateEntry>): void {
    restoreParts([this], entries);
  }

  planRestore(source: StateSource): () => void {
    const value = source.takeCount('global_step');
    return () => (this.value = value);
  }
}

/** A step counter at 0, for `applyGradients`, `minimize` and the learning-rate decays. Source: `tf.train.create_global_step`. */
export function createGlobalStep(): GlobalStep {
  return new GlobalStep();
}
