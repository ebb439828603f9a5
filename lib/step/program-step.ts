import type { Variable } from '../tensor/variable';
import { Constraints } from './constraints';
import { Plan, type Mechanism, type Step } from './plan';

/** The steps of a program: of variables that all have gradients, which the program computes. */
export class ProgramStep {
  private readonly plan: Plan;
  private step: Step | null = null;

  /** @throws what checkPairs throws. */
  constructor(mechanism: Mechanism, variables: readonly Variable[]) {
    this.plan = new Plan(mechanism, { gradients: variables.map(() => true), variables, missing: 0 });
  }

  /** Variables that have a constraint. */
  get constrained(): readonly Variable[] {
    return this.plan.constrained;
  }

  /**
   * Calls every function of the user, and locates what the step writes: until it is over, nothing has changed that anybody
   * can see.
   * @returns the table of `native.runProgram`.
   */
  prepare(): Float64Array {
    this.step = this.plan.take();
    return this.step.prepareForProgram();
  }

  /** What is needed to put everything back, for constraints that JavaScript applies after the step. */
  before(): Constraints {
    const { variables, constrained, mechanism } = this.plan;
    const changed = variables.flatMap((variable) => [variable, ...(mechanism.slots.of(variable) ?? [])]);
    return new Constraints(constrained, changed);
  }

  /** The program has made the step. @throws what a constraint throws, with everything put back. */
  publish(constraints: Constraints | null): void {
    const { groups, mechanism } = this.plan;
    const step = this.step!;
    step.publishSlots();
    constraints?.apply(() => step.withdrawSlots());
    for (const { settings, group } of groups.settings) mechanism.finish(step.hyper[group]!, settings);
  }

  /** The step is over, made or not. */
  end(): void {
    if (this.step !== null) this.plan.takeBack(this.step);
    this.step = null;
  }
}
