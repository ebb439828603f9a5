import { checkOptions, type NamesOf } from '../options';
import { checkDType, checkRange, isWhole, shown } from '../checks';
import type { DType } from '../tensor/dtype';
import { checkShape, frozen, sameShape, showShape, type Shape } from '../tensor/shape';
import {
  countsEntry,
  restoreParts,
  sortedByKey,
  type StateEntry,
  type Stateful,
  type StateSource,
} from '../tensor/state';
import type { Tensor } from '../tensor/tensor';

/** How gradients become one: their sum divided by their number, or their sum. */
export type ReductionType = 'MEAN' | 'SUM';

export interface ConditionalAccumulatorOptions {
  /** The shape of the gradients. Default: that of the first. */
  shape?: readonly number[];
  /** Default: `'MEAN'`. */
  reductionType?: ReductionType;
  /** Default: `conditional_accumulator`. */
  name?: string;
}

const accumulatorNames: NamesOf<ConditionalAccumulatorOptions> = { shape: true, reductionType: true, name: true };

/**
 * Gathers gradients that were computed at the present step, and refuses those that came too late. Both kinds share
 * this.
 *
 * @typeParam G what is taken out.
 */
export abstract class ConditionalAccumulatorBase<G> implements Stateful {
  readonly dtype: DType;
  readonly reductionType: ReductionType;
  readonly name: string;
  private step = 0;
  private count = 0;

  protected constructor(dtype: DType, options: ConditionalAccumulatorOptions, defaultName: string) {
    checkDType('dtype', dtype);
    checkOptions('options', options, accumulatorNames);
    const { shape, reductionType = 'MEAN', name = defaultName } = options;
    if (shape !== undefined) checkShape('shape', shape);
    checkReductionType(reductionType);
    if (typeof name !== 'string') throw new TypeError(`name must be a string, got ${shown(name)}`);
    this.dtype = dtype;
    this.reductionType = reductionType;
    this.name = name;
  }

  /** The step of gradients that are accepted: of this, or a later one. */
  get globalStep(): number {
    return this.step;
  }

  /** How many gradients have been accepted since the last were taken. */
  numAccumulated(): number {
    return this.count;
  }

  /** @throws TypeError or RangeError unless `globalStep` is a whole number that is not negative. */
  setGlobalStep(globalStep: number): void {
    checkRange('globalStep', globalStep, 'a whole number that is not negative', isWhole);
    this.step = globalStep;
  }

  /**
   * Takes what has been gathered, goes on to the next step and starts anew.
   *
   * @param numRequired how many gradients it must be at least. All that have come count, also when they are more.
   * @returns their mean or sum; null when there are fewer. TensorFlow would wait for more, which within one
   * thread could never come.
   * @throws TypeError, or RangeError unless numRequired is a whole number from 1.
   */
  takeGrad(numRequired: number): G | null {
    checkRange('numRequired', numRequired, 'a whole number from 1', (n) => isWhole(n) && n >= 1);
    if (this.count < numRequired) return null;
    const result = this.result();
    this.startAnew();
    return result;
  }

  /**
   * `<name>/global_step`, `<name>/count`, and what has been gathered: of dense gradients `/shape` once it is known and
   * `/sum` where there are any; of sparse ones `/dense_shape` once it is known, and after the first `/indices`,
   * `/values` and `/row_counts`.
   */
  state(): StateEntry[] {
    return sortedByKey([
      countsEntry(`${this.name}/global_step`, this.step),
      countsEntry(`${this.name}/count`, this.count),
      ...this.gathered(),
    ]);
  }

  /** Goes on from this state, in memory of its own; what has been gathered before is dropped. */
  restore(entries: Iterable<StateEntry>): void {
    restoreParts([this], entries);
  }

  planRestore(source: StateSource): () => void {
    const step = source.takeCount(`${this.name}/global_step`);
    const count = source.takeCount(`${this.name}/count`);
    const restoreGathered = this.planGathered(source, count);
    return () => {
      restoreGathered();
      this.step = step;
      this.count = count;
    };
  }

  /** The state of what has been gathered. */
  protected abstract gathered(): StateEntry[];

  /** Plans to take over what has been gathered, of so many gradients. */
  protected abstract planGathered(source: StateSource, count: number): () => void;

  /** The shape under this key, or null. @throws RangeError for another than the accumulator was made with. */
  protected takeShape(source: StateSource, key: string, given: Shape | null): Shape | null {
    if (given === null && !source.has(key)) return null;
    const shape = frozen(source.takeCounts(key));
    if (given !== null && !sameShape(shape, given)) {
      source.refuse(key, `is ${showShape(shape)}, expected ${showShape(given)}`);
    }
    return shape;
  }

  /** @internal What `takeGrad` would give. */
  abstract result(): G;

  /** @internal Lets go of what has been gathered. */
  startAnew(): void {
    this.clear();
    this.count = 0;
    this.step++;
  }

  protected abstract clear(): void;

  /** Whether a gradient of this step is accepted. */
  protected isFresh(localStep: number): boolean {
    checkRange('localStep', localStep, 'a whole number that is not negative', isWhole);
    return localStep >= this.step;
  }

  protected counted(): void {
    this.count++;
  }

  protected get isMean(): boolean {
    return this.reductionType === 'MEAN';
  }
}

/** @throws TypeError or RangeError unless `value` is a ReductionType. */
export function checkReductionType(value: unknown): asserts value is ReductionType {
  if (value !== 'MEAN' && value !== 'SUM') {
    throw new RangeError(`reductionType must be 'MEAN' or 'SUM', got ${shown(value)}`);
  }
}

export function checkDTypeOf(values: Tensor, dtype: DType): void {
  if (values.dtype !== dtype) throw new TypeError(`gradient is ${values.dtype}, expected ${dtype}`);
}

export function checkShapeOf(what: string, shape: Shape, expected: Shape, verb = 'has shape'): void {
  if (sameShape(shape, expected)) return;
  throw new RangeError(`${what} ${verb} ${showShape(shape)}, expected ${showShape(expected)}`);
}
