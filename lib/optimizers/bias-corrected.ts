import { NonSlots } from '../step/non-slots';
import { Optimizer } from './optimizer';
import type { Settings } from '../step/settings';

/**
 * The base of Adam and its kin, whose rules have the hyperparameters `beta1Power` and `beta2Power`, or one of them:
 * βᵗ, in the non-slot variables `beta1_power` and `beta2_power`. They are β before the first step and are multiplied by
 * β after each, whatever variables take part in it.
 */
export abstract class BiasCorrectedOptimizer<H extends object> extends Optimizer<H> {
  private readonly betas = ['beta1', 'beta2']
    .filter((beta) => this.rule.hyper.includes(`${beta}Power`))
    .map((beta) => ({ beta, at: this.hyperAt(beta), powerAt: this.hyperAt(`${beta}Power`) }));
  private readonly powers = new NonSlots(this.betas.map(({ beta }) => `${beta}_power`));

  protected override derive(hyper: Float64Array, settings: Settings): void {
    const powers = this.powers.valuesOf(settings, this.initialPowers(hyper));
    this.betas.forEach(({ powerAt }, i) => (hyper[powerAt] = powers[i]!));
  }

  protected override finish(hyper: Float64Array, settings: Settings): void {
    const powers = this.powers.of(settings, this.initialPowers(hyper));
    this.betas.forEach(({ at }, i) => (powers[i]![0]! *= hyper[at]!));
  }

  protected override createNonSlots(hyper: Float64Array, settings: Settings): void {
    this.powers.of(settings, this.initialPowers(hyper));
  }

  protected override disposeNonSlots(): void {
    this.powers.clear();
  }

  protected override nonSlotVariables() {
    return this.powers.variables();
  }

  private initialPowers(hyper: Float64Array): readonly number[] {
    return this.betas.map(({ at }) => hyper[at]!);
  }
}
