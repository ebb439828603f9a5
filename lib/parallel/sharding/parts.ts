import { internals, Variable, type RuleOptimizer } from 'gradstep';
import type { Shard } from '../../step/sharding';
import { blockElements, divided, type Range } from './partition';

const { Memory, pieceOf } = internals;

/** A variable, and the part of it that this rank steps. */
export interface Part extends Shard {
  /** The elements of this rank, over the same memory: rows of `row` elements. */
  readonly own: Variable;
  readonly ranges: readonly Range[];
  /** Those of this rank. */
  readonly range: Range;
  /** The longest rows, of which every row of the whole and this part consist. */
  readonly row: number;
}

/** Rules that need the norm of a whole variable: a variable is one rank's then. */
const wholeRules: ReadonlySet<string> = new Set(['lamb', 'lars', 'nesterovLars']);

/** The parts of an optimizer's variables. They keep no variable alive. */
export class Parts {
  private byWhole = new WeakMap<Variable, Part>();
  private byOwn = new WeakMap<Variable, Part>();
  private readonly block: number;

  constructor(
    private readonly optimizer: RuleOptimizer,
    private readonly rank: number,
    private readonly ranks: number,
  ) {
    this.block = wholeRules.has(optimizer.mechanism.rule.name) ? Infinity : blockElements;
  }

  /** The part of a variable, where it has been divided. */
  find(whole: Variable): Part | undefined {
    return this.byWhole.get(whole);
  }

  /** Those that have slots, by the names of their variables. */
  all(): Part[] {
    const parts = this.optimizer.mechanism.slots.owners().map((own) => this.byOwn.get(own)!);
    return parts.filter(({ whole }) => !whole.isDisposed).sort((a, b) => compare(a.whole, b.whole));
  }

  /** The parts of these variables. Those that have none yet are divided together, in the order of their names. */
  of(wholes: readonly Variable[]): Part[] {
    const planned = this.plan(wholes);
    this.adopt(planned.values());
    return wholes.map((whole) => planned.get(whole)!);
  }

  /** The same, not noted yet. */
  plan(wholes: readonly Variable[]): Map<Variable, Part> {
    const missing = [...new Set(wholes)].filter((whole) => !this.byWhole.has(whole)).sort(compare);
    const ranges = divided(
      missing.map(({ size, dtype }) => ({ size, bytesPerElement: dtype === 'float32' ? 4 : 8 })),
      this.ranks,
      this.block,
    );
    const made = new Map(missing.map((whole, i) => [whole, this.partOf(whole, ranges[i]!)]));
    return new Map(wholes.map((whole) => [whole, this.byWhole.get(whole) ?? made.get(whole)!]));
  }

  /** @throws Error where another way to divide a variable has been noted since they were planned. */
  adopt(parts: Iterable<Part>): void {
    for (const part of parts) {
      const known = this.byWhole.get(part.whole);
      if (known !== undefined && known !== part) throw new Error(`'${part.whole.name}' was divided meanwhile`);
      this.byWhole.set(part.whole, part);
      this.byOwn.set(part.own, part);
    }
  }

  private partOf(whole: Variable, ranges: readonly Range[]): Part {
    const { name, shape, dtype, size, memory } = whole;
    const range = ranges[this.rank]!;
    const [begin, end] = range;
    const row = commonDivisor(commonDivisor(shape[0] ? size / shape[0] : 1, begin), end);
    const own = new Variable(Memory.of(pieceOf(memory.array, begin, end), dtype), {
      name,
      shape: [row === 0 ? 0 : (end - begin) / row, row],
    });
    this.optimizer.mechanism.settingsByVariable.addPart(own, whole);
    return { whole, own, ranges, range, row };
  }
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}

function compare({ name: a }: Variable, { name: b }: Variable): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
