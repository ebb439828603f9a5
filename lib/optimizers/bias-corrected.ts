import { NonSlots } from '../step/non-slots';
import { RuleOptimizer } from './rule-optimizer';
import type { Settings } from '../step/settings';

/**
 * The base of Adam and its kin, whose rules have the hyperparameters `beta1Power` and `beta2Power`, or one of them:
 * βᵗ, in the non-slot variables `beta1_power` and `beta2_power`. They are β before the first step and are multiplied by
 * β after each, whatever variables take part in it.
 */
export abstract class BiasCorrectedOptimizer<H extends object> extends RuleOptimizer<H> {
  private readonly betas = ['beta1', 'beta2']
    .filter((beta) => this.rule.hyper.includes(`${beta}Power`))
    .map((beta) => ({ beta, at: this.hyperAt(beta), powerAt: this.hyperAt(`${beta}Power`) }));
  private readonly powers = new NonSlots(this.betas.map(({ beta }) => `${beta}_power`));
  private stepsBefore = 0;

  /** @internal With powers of the betas that there are at the next step. */
  override goOnAfter(steps: number): void {
    this.stepsBefore = steps;
    this.powers.clear();
  }

  /** A number as precise as powers are held. */
  protected rounded(value: number): number {
    return value;
  }

  protected override derive(hyper: Float64Array, settings: Settings): void {
    const { betas } = this;
    const powers = this.powers.find(settings);
    for (let i = 0; i < betas.length; i++) {
      const { at, powerAt } = betas[i]!;
      hyper[powerAt] = powers === undefined ? this.firstPower(hyper[at]!) : powers[i]![0]!;
    }
  }

  protected override finish(hyper: Float64Array, settings: Settings): void {
    const { betas } = this;
    const powers = this.powers.find(settings) ?? this.powersOf(hyper, settings);
    for (let i = 0; i < betas.length; i++) {
      powers[i]![0] = this.rounded(powers[i]![0]! * this.rounded(hyper[betas[i]!.at]!));
    }
  }

  protected override createNonSlots(hyper: Float64Array, settings: Settings): void {
    this.powersOf(hyper, settings);
  }

  protected override nonSlots() {
    return this.powers;
  }

  private powersOf(hyper: Float64Array, settings: Settings) {
    return this.powers.of(settings, () => this.betas.map(({ at }) => this.firstPower(hyper[at]!)));
  }

  /** Multiplied step by step, so that it has the bits of one that has never stopped. */
  private firstPower(beta: number): number {
    const factor = this.rounded(beta);
    let power = factor;
    for (let i = 0; i < this.stepsBefore && power > 0; i++) power = this.rounded(power * factor);
    return power;
  }
}
