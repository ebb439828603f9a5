import { adam, type AdamHyperparameters, type AdamOptions } from './adam';
import { BiasCorrectedOptimizer } from './bias-corrected';

/**
 * Adam for embeddings: a sparse gradient moves its rows and leaves all others, slots included, as they are. With dense
 * gradients it is `AdamOptimizer`.
 *
 * Slots `m` and `v`, from 0; `beta1_power` and `beta2_power` advance once a step for all rows.
 *
 * Source: `tf.contrib.opt.LazyAdamOptimizer`; Kingma & Ba 2015.
 * @example
 * const optimizer = new LazyAdamOptimizer({ learningRate: 1e-3 });
 */
export class LazyAdamOptimizer extends BiasCorrectedOptimizer<AdamHyperparameters> {
  /** @throws what AdamOptimizer throws. */
  constructor(options: AdamOptions = {}) {
    super({ ...adam, name: 'LazyAdam', sparseStepsAllRows: false }, options);
  }
}
