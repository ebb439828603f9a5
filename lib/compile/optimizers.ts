import { shown } from '../checks';
import { Optimizer } from '../optimizers/optimizer';
import { RuleOptimizer } from '../optimizers/rule-optimizer';
import { DynamicLossScale, FixedLossScale, type LossScale } from '../wrappers/loss-scale';
import { MixedPrecisionLossScaleOptimizer } from '../wrappers/loss-scale-optimizer';
import { OptimizerWrapper } from '../wrappers/optimizer-wrapper';
import { exchangesOnly, rankExchangeOf, type RankExchange } from './ranks';

/** What a compiled step makes its steps with. */
export interface Steps {
  readonly optimizer: RuleOptimizer;
  readonly lossScale: LossScale | null;
  readonly exchange: RankExchange | null;
  /** Whether gradients are unscaled before they are exchanged: the loss scale is inside. */
  readonly unscalesFirst: boolean;
}

/**
 * The optimizer that makes the steps, a loss scale around it, and how gradients become the mean over ranks.
 * @throws TypeError for what is no optimizer, or has steps of its own making, which a program cannot have.
 */
export function stepsOf(optimizer: unknown): Steps {
  if (!(optimizer instanceof Optimizer)) {
    throw new TypeError(`optimizer must be an Optimizer, got ${shown(optimizer)}`);
  }
  let lossScale: LossScale | null = null;
  let exchange: RankExchange | null = null;
  let unscalesFirst = false;
  let inner: Optimizer = optimizer;
  while (inner instanceof OptimizerWrapper) {
    if (hasMethodsOf(inner, MixedPrecisionLossScaleOptimizer.prototype)) {
      if (lossScale !== null) throw new TypeError('optimizer has a loss scale inside of another: compile it with one');
      lossScale = checkedScale((inner as MixedPrecisionLossScaleOptimizer).lossScale);
    } else if (exchangesOnly(inner)) {
      if (exchange !== null)
        throw new TypeError('optimizer exchanges gradients twice: one of two inside of each other');
      exchange = rankExchangeOf(inner.exchange!);
      unscalesFirst = lossScale === null;
    } else if (!hasMethodsOf(inner, OptimizerWrapper.prototype)) {
      refuse(inner);
    }
    inner = inner.optimizer;
  }
  if (!isRuleOptimizer(inner)) refuse(inner);
  return { optimizer: inner, lossScale, exchange, unscalesFirst };
}

/** Whether it is one of the package's that steps in no way of its own. */
export const isRuleOptimizer = (optimizer: Optimizer): optimizer is RuleOptimizer =>
  optimizer instanceof RuleOptimizer && hasMethodsOf(optimizer, RuleOptimizer.prototype);

const hasMethodsOf = (optimizer: Optimizer, prototype: Optimizer): boolean =>
  optimizer.computeGradients === prototype.computeGradients && optimizer.applyGradients === prototype.applyGradients;

function checkedScale(lossScale: LossScale): LossScale {
  if (lossScale instanceof FixedLossScale || lossScale.accepts === DynamicLossScale.prototype.accepts) return lossScale;
  throw new TypeError(
    `lossScale decides by a method of its own (${shown(lossScale)}) whether to step: that cannot be compiled`,
  );
}

function refuse(optimizer: Optimizer): never {
  throw new TypeError(`optimizer is ${shown(optimizer)}, whose computeGradients or applyGradients cannot be compiled`);
}
