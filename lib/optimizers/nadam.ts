import { decayRate, notNegative, optional, type Schedule } from '../schedules/schedule';
import { NonSlots } from '../step/non-slots';
import { RuleOptimizer, type OptimizerOptions } from './rule-optimizer';
import type { Settings } from '../step/settings';

export interface NadamHyperparameters {
  /** Default: 0.002. */
  learningRate?: Schedule;
  /** What the momentum rises to, and the decay of the mean of gradients. Default: 0.9. */
  beta1?: Schedule;
  /** Decay of the mean of squared gradients. Default: 0.999. */
  beta2?: Schedule;
  /** Added to the corrected root. Default: 1e-8. */
  epsilon?: Schedule;
  /** ψ: how fast the momentum rises from β₁ / 2 to β₁. Default: 0.004. */
  momentumDecay?: Schedule;
}

export interface NadamOptions extends NadamHyperparameters, OptimizerOptions<NadamHyperparameters> {}

/** The base of the schedule of μ, from the paper. */
const decayBase = 0.96;

/**
 * Nadam, Adam with Nesterov's momentum: m and v as in Adam, then
 * w ← w − lr (μₜ₊₁ m / (1 − Pₜ₊₁) + (1 − μₜ) g / (1 − Pₜ)) / (√(v / (1 − β₂ᵗ)) + ε),
 * with μₜ = β₁ (1 − 0.96^(t ψ) / 2) and Pₜ = μ₁ μ₂ … μₜ.
 *
 * Slots `m` and `v`, from 0; `beta2_power` (β₂ᵗ), `momentum_decay_power` (0.96^(t ψ)) and `momentum_product` (Pₜ₋₁) are
 * shared by all variables. A sparse gradient moves every row.
 *
 * Source: Dozat 2016, with the schedule of μ, as in Keras and `torch.optim.NAdam`.
 * @example
 * const optimizer = new NadamOptimizer({ learningRate: 2e-3 });
 */
export class NadamOptimizer extends RuleOptimizer<NadamHyperparameters> {
  private readonly scalars = new NonSlots(['beta2_power', 'momentum_decay_power', 'momentum_product']);
  private stepsBefore = 0;
  private readonly at = {
    beta1: this.hyperAt('beta1'),
    beta2: this.hyperAt('beta2'),
    momentumDecay: this.hyperAt('momentumDecay'),
    beta2Power: this.hyperAt('beta2Power'),
    mu: this.hyperAt('mu'),
    nextMu: this.hyperAt('nextMu'),
    muProduct: this.hyperAt('muProduct'),
  };

  /** @throws what AdamOptimizer throws, and unless momentumDecay is finite and not negative, or a function. */
  constructor(options: NadamOptions = {}) {
    super(
      {
        name: 'Nadam',
        rule: 'nadam',
        hyperparameters: {
          learningRate: optional(2e-3, notNegative),
          beta1: optional(0.9, decayRate),
          beta2: optional(0.999, decayRate),
          epsilon: optional(1e-8, notNegative),
          momentumDecay: optional(4e-3, notNegative),
        },
        sparseStepsAllRows: true,
      },
      options,
    );
  }

  protected override derive(hyper: Float64Array, settings: Settings): void {
    const { at } = this;
    const scalars = this.scalars.find(settings)?.map(([value]) => value!);
    const [beta2Power, decayPower, product] = scalars ?? this.initialScalars(hyper);
    const beta1 = hyper[at.beta1]!;
    const mu = beta1 * (1 - 0.5 * decayPower!);
    hyper[at.beta2Power] = beta2Power!;
    hyper[at.mu] = mu;
    hyper[at.nextMu] = beta1 * (1 - 0.5 * decayPower! * this.decay(hyper));
    hyper[at.muProduct] = product! * mu;
  }

  protected override finish(hyper: Float64Array, settings: Settings): void {
    const [beta2Power, decayPower, product] = this.scalars.of(settings, () => this.initialScalars(hyper));
    beta2Power![0]! *= hyper[this.at.beta2]!;
    decayPower![0]! *= this.decay(hyper);
    product![0]! *= hyper[this.at.mu]!;
  }

  protected override createNonSlots(hyper: Float64Array, settings: Settings): void {
    this.scalars.of(settings, () => this.initialScalars(hyper));
  }

  protected override nonSlots() {
    return this.scalars;
  }

  private decay(hyper: Float64Array): number {
    return decayBase ** hyper[this.at.momentumDecay]!;
  }

  /** @internal With the scalars that the hyperparameters of the next step would have led to. */
  override goOnAfter(steps: number): void {
    this.stepsBefore = steps;
    this.scalars.clear();
  }

  private initialScalars(hyper: Float64Array): readonly number[] {
    const beta1 = hyper[this.at.beta1]!;
    const beta2 = hyper[this.at.beta2]!;
    const decay = this.decay(hyper);
    let [beta2Power, decayPower, product] = [beta2, decay, 1];
    // Step by step, so that they have the bits of those that have never stopped.
    for (let i = 0; i < this.stepsBefore; i++) {
      product *= beta1 * (1 - 0.5 * decayPower);
      beta2Power *= beta2;
      decayPower *= decay;
    }
    return [beta2Power, decayPower, product];
  }
}
