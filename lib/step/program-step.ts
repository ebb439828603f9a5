import type { GlobalStep } from '../tensor/global-step';
import type { Variable } from '../tensor/variable';
import { Plan, type Mechanism, type Step } from './plan';

/** The steps of a program: of variables that all have gradients, which the program computes. */
export class ProgramStep {
  private readonly plan: Plan;

  /** @throws what checkPairs throws. */
  constructor(mechanism: Mechanism, variables: readonly Variable[]) {
    this.plan = new Plan(mechanism, { gradients: variables.map(() => true), variables, missing: 0 });
  }

  /** Variables that have a constraint. */
  get constrained(): readonly Variable[] {
    return this.plan.constrained;
  }

  /**
   * Calls every function of the user but constraints, and locates what the step writes: nothing has changed that anybody
   * can see.
   * @param hasConstraints whether the program has them too.
   * @returns the step, to be published and ended, and the table of `native.runProgram`.
   */
  prepare(globalStep: GlobalStep | undefined, hasConstraints: boolean): { step: Step; table: Float64Array } {
    const step = this.plan.take();
    try {
      return { step, table: step.prepareForProgram(globalStep, hasConstraints) };
    } catch (error) {
      step.end();
      throw error;
    }
  }
}
