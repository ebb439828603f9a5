import { internals } from 'gradstep';
import type { StateDType, StateMemory } from '../tensor/state';

type ArrayClass = new (buffer: SharedArrayBuffer, byteOffset?: number, length?: number) => StateMemory;

const classes: Readonly<Record<StateDType, ArrayClass & { readonly BYTES_PER_ELEMENT: number }>> = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  int64: BigInt64Array,
};
/** Arrays of at least this size have a buffer of their own; others share one of it. */
const largeBytes = 2 ** 20;
const lineBytes = 64;

/** Shared memory for many arrays, each on cache lines of its own. */
export class SharedSpace {
  #buffer = new SharedArrayBuffer(0);
  #used = 0;

  take(dtype: StateDType, length: number): StateMemory {
    const Class = classes[dtype];
    const bytes = length * Class.BYTES_PER_ELEMENT;
    if (bytes >= largeBytes) return new Class(internals.sharedMemory(bytes));
    if (this.#used + bytes > this.#buffer.byteLength)
      [this.#buffer, this.#used] = [internals.sharedMemory(largeBytes), 0];
    const array = new Class(this.#buffer, this.#used, length);
    this.#used += Math.ceil(bytes / lineBytes) * lineBytes;
    return array;
  }
}
