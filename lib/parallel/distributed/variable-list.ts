import { internals, type Variable } from 'gradstep';
import { createHash } from 'node:crypto';
import { FusionPlan } from './fusion';

// What is summed over ranks after the way back; for each variable follows what it has.
export const enum Tail {
  Failures,
  Loss,
  Kinds,
}

/** Variables whose gradients are exchanged together, and how that goes. */
export class VariableList {
  /** What all ranks must have in common, in words. */
  readonly descriptions: readonly string[];
  /** The same in 64 bits. */
  readonly hash: readonly [number, number];
  /** What this rank tells after the way back, and then the sum over all of it: in shared memory. */
  readonly tail: Float64Array;
  plan: FusionPlan;
  /** How often the plan has changed: the same on all ranks, unless one has begun anew. */
  version = 0;
  /** How many exchanges there have been. */
  exchanges = 0;
  /** Those that have had rows now and then: which they have is told in each step. */
  private readonly irregular = new Set<number>();

  constructor(
    readonly variables: readonly Variable[],
    private readonly fusionBytes: number,
  ) {
    this.descriptions = variables.map(({ name, dtype, shape }) => `'${name}' (${dtype}, shape [${shape.join(', ')}])`);
    const digest = createHash('sha256').update(JSON.stringify(this.descriptions)).digest();
    this.hash = [digest.readInt32LE(0), digest.readInt32LE(4)];
    this.tail = internals.sharedArray('float64', Tail.Kinds + variables.length);
    this.plan = new FusionPlan(variables, [], fusionBytes);
  }

  /** Whether it is of these variables. */
  isOf(variables: readonly unknown[]): boolean {
    return variables.length === this.variables.length && variables.every((one, i) => one === this.variables[i]);
  }

  /** A plan of its own for variables that the present one lacks. */
  planFor(variables: readonly number[]): FusionPlan {
    return new FusionPlan(this.variables, variables, this.fusionBytes);
  }

  /** Begins anew, as ranks have come to have different plans. */
  forget(): void {
    this.plan = this.planFor([]);
    this.version = 0;
    this.irregular.clear();
  }

  /**
   * Learns from a step.
   * @param rows the variables that had rows on a rank.
   * @param late those that have turned out dense, in the order in which they are known, with the plan that they had.
   */
  learn(rows: readonly number[], late: readonly number[], latePlan: FusionPlan | null): void {
    for (const variable of rows) this.irregular.add(variable);
    const { order } = this.plan;
    const more = late.filter((variable) => !this.irregular.has(variable));
    const kept = order.filter((variable) => !this.irregular.has(variable));
    if (more.length === 0 && kept.length === order.length) return;
    this.version++;
    const isSame = kept.length === 0 && latePlan !== null && more.length === late.length;
    this.plan = isSame ? latePlan : this.planFor([...kept, ...more]);
  }
}
