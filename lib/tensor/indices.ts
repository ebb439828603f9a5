import { showShape, type Shape } from './shape';
import { trace } from './trace';

const inspect: unique symbol = Symbol.for('nodejs.util.inspect.custom') as never;

/**
 * Whole numbers that come with each run of what is compiled: labels, or indices of rows. Ops take them in place of an
 * Int32Array; there is nothing else to do with them.
 */
export class Indices {
  readonly #array: Int32Array;
  /** The size of each dimension. */
  readonly shape: readonly number[];

  /** @internal `compileStep` and `compile` make them. */
  constructor(array: Int32Array, shape: Shape) {
    this.#array = array;
    this.shape = shape;
  }

  /** How many there are. */
  get size(): number {
    return this.#array.length;
  }

  /** @internal What stands for them while a program is put together. @throws Error at any other time. */
  get inTrace(): Int32Array {
    if (trace === null) throw new Error('an int32 input can be used only inside the function that is compiled');
    return this.#array;
  }

  /** @internal Shown by console.log. */
  [inspect](): string {
    return `Indices { shape: ${showShape(this.shape)} }`;
  }
}
