import type { TfRunner } from '../tf-cases';
import { optimizerRunners } from './optimizers';

/** What runs the cases of an op. */
export const runners: Readonly<Record<string, TfRunner>> = { ...optimizerRunners };

/** Ops of tf-cases.json that have no runner yet. */
export const waiting: readonly string[] = [
  'ConditionalAccumulator',
  'DynamicLossScale',
  'ExponentialMovingAverage',
  'FixedLossScale',
  'MixedPrecisionLossScaleOptimizer',
  'Optimizer.compute_gradients',
  'SparseConditionalAccumulator',
  'SyncReplicasOptimizer',
  'assign_moving_average',
  'clip_by_average_norm',
  'clip_by_global_norm',
  'clip_by_norm',
  'clip_by_value',
  'cosine_decay',
  'cosine_decay_restarts',
  'exponential_decay',
  'global_norm',
  'gradients',
  'inverse_time_decay',
  'linear_cosine_decay',
  'natural_exp_decay',
  'piecewise_constant',
  'polynomial_decay',
  'weighted_moving_average',
];
