import type { GlobalStep } from '../tensor/global-step';
import type { Variable } from '../tensor/variable';
import { Constraints } from './constraints';
import { Plan, type Mechanism, type Step } from './plan';
import type { Shard } from './sharding';

/** A step to be published, and then ended. */
export type PreparedStep = Pick<Step, 'publish' | 'end'>;

/** The steps of a program: of variables that all have gradients, which the program computes. */
export class ProgramStep {
  private readonly plan: Plan;

  /**
   * @param shards how the variables are divided by ranks, of which this one steps its own elements; null where it steps all.
   * @throws what checkPairs throws.
   */
  constructor(
    private readonly mechanism: Mechanism,
    variables: readonly Variable[],
    private readonly shards: readonly Shard[] | null,
  ) {
    const own = shards?.map((shard) => shard.own) ?? variables;
    this.plan = new Plan(mechanism, { gradients: own.map(() => true), variables: own, missing: 0 });
  }

  /** Variables that have a constraint. */
  get constrained(): readonly Variable[] {
    if (this.shards === null) return this.plan.constrained;
    return this.shards.map(({ whole }) => whole).filter(({ constraint }) => constraint !== null);
  }

  /**
   * Calls every function of the user but constraints, and locates what the step writes: nothing has changed that anybody
   * can see.
   * @param hasConstraints whether the program has them too.
   * @returns the step, to be published and ended, and the table of `native.runProgram`.
   */
  prepare(globalStep: GlobalStep | undefined, hasConstraints: boolean): { step: PreparedStep; table: Float64Array } {
    const step = this.plan.take();
    try {
      const table = step.prepareForProgram(globalStep, hasConstraints);
      return { step: hasConstraints ? step : this.constraining(step), table };
    } catch (error) {
      step.end();
      throw error;
    }
  }

  /** Constraints see whole variables: parts have none, so that the step does not know of them. */
  private constraining(step: Step): PreparedStep {
    const { shards, constrained } = this;
    if (shards === null || constrained.length === 0) return step;
    const constraints = new Constraints(constrained, changedBy(this.mechanism, shards));
    return {
      publish: () => {
        constraints.apply(() => {});
        step.publish();
      },
      end: () => step.end(),
    };
  }
}

/** What a constraint that throws has put back, where steps are divided. */
export function changedBy({ slots }: Mechanism, shards: readonly Shard[]): Variable[] {
  return shards.flatMap(({ whole, own }) => [whole, ...(slots.of(own) ?? [])]);
}
