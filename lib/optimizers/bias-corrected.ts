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
    .map((beta) => ({ beta, at: this.rule.hyper.indexOf(beta), powerAt: this.rule.hyper.indexOf(`${beta}Power`) }))
    .filter(({ powerAt }) => powerAt >= 0);
  private readonly powers = new NonSlots(this.betas.map(({ beta }) => `${beta}_power`));

  protected override derive(settings: Settings): void {
    const { hyper } = settings;
    const powers = this.powersOf(settings);
    this.betas.forEach(({ powerAt }, i) => (hyper[powerAt] = powers[i]![0]!));
  }

  protected override finish(settings: Settings): void {
    const powers = this.powersOf(settings);
    this.betas.forEach(({ at }, i) => (powers[i]![0]! *= settings.hyper[at]!));
  }

  protected override nonSlotVariables() {
    return this.powers.variables();
  }

  private readonly initialPowers = ({ hyper }: Settings) => this.betas.map(({ at }) => hyper[at]!);

  private powersOf(settings: Settings) {
    return this.powers.of(settings, this.initialPowers);
  }
}
