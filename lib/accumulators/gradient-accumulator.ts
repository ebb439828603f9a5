import { checkOptions, type NamesOf } from '../options';
import { GradientsAndVariables, type GradientAndVariable } from '../autodiff/gradients-and-variables';
import { IndexedSlices, type Gradient } from '../tensor/indexed-slices';
import { readPairs, updatesOf, type Update } from '../step/pairs';
import { spend } from '../tensor/memory';
import { restoreState } from '../tensor/restore-state';
import { showShape } from '../tensor/shape';
import {
  countsEntry,
  uniqueEntries,
  type RestoreOptions,
  type StateEntry,
  type Stateful,
  type StateSource,
} from '../tensor/state';
import { alias, timesFactor, type Tensor } from '../tensor/tensor';
import type { Variable } from '../tensor/variable';
import { checkReductionType, type ReductionType } from './conditional-base';
import { takePositions } from './positions';
import { DenseSum } from './dense-sum';
import { RowSums } from './row-sums';

export interface GradientAccumulatorOptions {
  /** `'MEAN'` divides by the number of batches, `'SUM'` does not. Default: `'MEAN'`. */
  reductionType?: ReductionType;
}

const accumulatorNames: NamesOf<GradientAccumulatorOptions> = { reductionType: true };

/**
 * Gathers the gradients of several small batches, to make one step of them: what does not fit into memory at once still
 * trains as one batch. For equally large batches and a loss that is a mean, the mean of their gradients is the gradient
 * of the batch they make up.
 *
 * Gradients are added where they arrive, in memory that goes round from step to step; dividing changes only their
 * factor. Sparse gradients stay sparse, rows with the same index summed, unless one for the same variable is dense.
 *
 * @example
 * const accumulator = new GradientAccumulator();
 * for (let batch = 0; batch < 4; batch++) accumulator.add(optimizer.computeGradients(loss));
 * optimizer.applyGradients(accumulator.take());
 */
export class GradientAccumulator implements Stateful {
  readonly reductionType: ReductionType;
  /** Variables of this round in the order they came, with what has been gathered for them. */
  private readonly entries = new Map<Variable, Entry>();
  /** Those of all rounds: their memory serves again. */
  private readonly known = new WeakMap<Variable, Entry>();
  private batches = 0;
  private losses: number[] = [];

  /** @throws TypeError or RangeError for options that are none. */
  constructor(options: GradientAccumulatorOptions = {}) {
    checkOptions('options', options, accumulatorNames);
    const { reductionType = 'MEAN' } = options;
    checkReductionType(reductionType);
    this.reductionType = reductionType;
  }

  /** How many batches have been added since `take`. */
  get count(): number {
    return this.batches;
  }

  /**
   * Adds the gradients of a batch. They count as applied: after the next `computeGradients` they can no longer be read.
   *
   * @returns how many batches that makes.
   * @throws what `applyGradients` throws for such a list, with nothing changed.
   */
  add(gradsAndVars: Iterable<GradientAndVariable>): number {
    const read = readPairs(gradsAndVars);
    const updates = updatesOf(read);
    for (const variable of read.variables as readonly Variable[]) {
      if (!this.entries.has(variable)) this.entries.set(variable, this.entryOf(variable));
    }
    for (const update of updates) this.entries.get(update.variable)!.add(update);
    if (gradsAndVars instanceof GradientsAndVariables) this.losses.push(sumOf(gradsAndVars.loss));
    for (const { values } of updates) spend(values.memory);
    return ++this.batches;
  }

  /**
   * The gradients of all batches in one, for `applyGradients` and `clipByGlobalNorm`, and the start of a new round.
   * They can be read until they have been applied and `computeGradients` is called again.
   *
   * @returns a pair for each variable that was added, with null where no batch had a gradient. `.loss` is the mean (or
   * sum) of the batches' losses, each summed over its elements; NaN where batches came without.
   * @throws Error when nothing has been added.
   */
  take(): GradientsAndVariables {
    const { batches, losses } = this;
    if (batches === 0) throw new Error('no gradients to take: nothing has been added since the last take');
    const factor = this.reductionType === 'MEAN' ? 1 / batches : 1;
    const pairs = [...this.entries].map(([variable, entry]): [Gradient | null, Variable] => [
      entry.take(factor),
      variable,
    ]);
    const loss = losses.length === batches ? losses.reduce((sum, value) => sum + value, 0) * factor : NaN;
    this.reset();
    return GradientsAndVariables.of_(pairs, alias(Float64Array.of(loss), 'float64', []));
  }

  /** Drops what has been added. */
  reset(): void {
    for (const entry of this.entries.values()) entry.clear();
    this.entries.clear();
    this.batches = 0;
    this.losses = [];
  }

  /**
   * `gradient_accumulator/batches` and `/losses`, and for each variable of this round
   * `gradient_accumulator/<variable>/position` and `/kind`: 0 where no gradient came, 1 with `/indices`, `/values` and
   * `/row_counts` where only sparse ones did, 2 with `/sum` where dense ones did.
   * @throws Error when two variables have one name.
   */
  state(): StateEntry[] {
    const own = [
      countsEntry(`${prefix}batches`, this.batches),
      { key: `${prefix}losses`, dtype: 'float64', shape: [this.losses.length], memory: Float64Array.from(this.losses) },
    ] as const;
    return uniqueEntries([
      ...own.map((entry) => ['the accumulator', entry] as const),
      ...[...this.entries].flatMap(([{ name, shape }, entry], position) =>
        [countsEntry(`${prefix}${name}/position`, position), ...entry.state(prefix + name)].map(
          (one) => [`the variable '${name}' of shape ${showShape(shape)}`, one] as const,
        ),
      ),
    ]);
  }

  /**
   * Goes on from this state, in memory of its own; what has been added before is dropped. An accumulator to which nothing
   * has been added yet finds the variables in `options.variables`.
   */
  restore(entries: Iterable<StateEntry>, options: RestoreOptions = {}): void {
    restoreState([this], entries, options);
  }

  planRestore(source: StateSource): () => void {
    const batches = source.takeCount(`${prefix}batches`);
    const { memory, shape } = source.take(`${prefix}losses`, 'float64');
    if (shape.length !== 1 || memory.length > batches) {
      source.refuse(`${prefix}losses`, `has shape ${showShape(shape)}, expected a list of at most ${batches}`);
    }
    const losses = Array.from(memory as Float64Array);
    const positioned = takePositions(source, prefix, this.entries.keys());
    const entries = positioned.map((variable) => {
      return [variable, new Entry(variable).restored(source, prefix + variable.name)] as const;
    });
    if (batches === 0 && entries.length > 0) source.refuse(`${prefix}batches`, 'is 0, but there are gradients');
    return () => {
      this.reset();
      for (const [variable, entry] of entries) {
        this.known.set(variable, entry);
        this.entries.set(variable, entry);
      }
      this.batches = batches;
      this.losses = losses;
    };
  }

  private entryOf(variable: Variable): Entry {
    let entry = this.known.get(variable);
    if (entry === undefined) this.known.set(variable, (entry = new Entry(variable)));
    return entry;
  }
}

function sumOf({ data }: Tensor): number {
  let sum = 0;
  for (const value of data) sum += value;
  return sum;
}

/** What the keys of the state start with. */
const prefix = 'gradient_accumulator/';

/** What the gradients of a variable were, by the number that stands for it in the state. */
const kinds = ['nothing', 'rows', 'all'] as const;
type Held = (typeof kinds)[number];

/** What has been gathered for one variable. */
class Entry {
  private holds: Held = 'nothing';
  private all: DenseSum;
  private rows: RowSums;

  constructor(private readonly variable: Variable) {
    const { dtype, shape } = variable;
    this.all = new DenseSum(dtype, shape);
    this.rows = new RowSums(dtype, shape.slice(1));
  }

  add({ values, indices }: Update): void {
    if (indices !== undefined && this.holds !== 'all') {
      this.rows.add(values, indices);
      this.holds = 'rows';
      return;
    }
    if (this.holds === 'rows') this.moveRows();
    this.all.add(values, indices);
    this.holds = 'all';
  }

  take(factor: number): Gradient | null {
    if (this.holds === 'nothing') return null;
    if (this.holds === 'all') return ours(this.all.times(factor));
    const { values, indices, denseShape } = this.rows.slices(false, this.variable.shape);
    return new IndexedSlices(ours(timesFactor(values, factor)), indices, denseShape);
  }

  clear(): void {
    this.all.clear();
    this.rows.clear();
    this.holds = 'nothing';
  }

  state(key: string): StateEntry[] {
    const { holds } = this;
    const gathered = holds === 'rows' ? this.rows.state(key) : this.all.state(`${key}/sum`);
    return [countsEntry(`${key}/kind`, kinds.indexOf(holds)), ...gathered];
  }

  /** This entry with the source's values. */
  restored(source: StateSource, key: string): this {
    const { dtype, shape } = this.variable;
    const kind = source.takeCount(`${key}/kind`);
    if (kind >= kinds.length) source.refuse(`${key}/kind`, `is ${kind}, expected 0 to ${kinds.length - 1}`);
    this.holds = kinds[kind]!;
    if (this.holds === 'all') {
      this.all = this.all.restored(source, `${key}/sum`);
    } else if (this.holds === 'rows') {
      if (shape.length === 0) source.refuse(`${key}/kind`, 'is 1, but the variable has no rows');
      this.rows = RowSums.restored(source, key, dtype, shape.slice(1), shape[0]!);
    }
    return this;
  }

  private moveRows(): void {
    const { values, indices } = this.rows.slices(false, this.variable.shape);
    this.all.add(values, indices);
    values.dispose();
    this.rows.clear();
  }
}

function ours(gradient: Tensor): Tensor {
  gradient.memory.isRecyclable = true;
  return gradient;
}
