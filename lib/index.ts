/** @module gradstep */
export type { DType, FloatArray, Nested } from './dtype';
export { Tensor, tensor } from './tensor';
export { Variable, variable, type Constraint, type VariableOptions } from './variable';
export { IndexedSlices, type Gradient } from './indexed-slices';
export { GlobalStep, createGlobalStep } from './global-step';
export { unzip, zip } from './zip';

export {
  clipByAverageNorm,
  clipByGlobalNorm,
  clipByNorm,
  clipByValue,
  globalNorm,
  type Clippable,
  type Clipped,
  type ClipByGlobalNormOptions,
  type ClipByNormOptions,
  type ClipOptions,
} from './clip';

export * as ops from './autodiff/ops';
export { AggregationMethod } from './autodiff/aggregate';
export { gradients, type GradientsOptions } from './autodiff/gradients';
export { keep, tidy } from './autodiff/scope';
export { stopGradient, type TensorLike } from './autodiff/tape';
export { customGradient, type CustomGradient } from './autodiff/custom-gradient';

export { GradientsAndVariables, type GradientAndVariable } from './gradients-and-variables';
export type { Schedule } from './optimizers/hyper';
export type { ParameterGroup } from './optimizers/settings';
export {
  Optimizer,
  type ApplyGradientsOptions,
  type ComputeGradientsOptions,
  type MinimizeOptions,
  type OptimizerOptions,
  type WeightDecayOptions,
} from './optimizers/optimizer';
export { AdadeltaOptimizer, type AdadeltaHyperparameters, type AdadeltaOptions } from './optimizers/adadelta';
export { AdagradOptimizer, type AdagradHyperparameters, type AdagradOptions } from './optimizers/adagrad';
export { AdagradDAOptimizer, type AdagradDAHyperparameters, type AdagradDAOptions } from './optimizers/adagrad-da';
export { AdamOptimizer, type AdamHyperparameters, type AdamOptions } from './optimizers/adam';
export { AdamaxOptimizer, type AdamaxHyperparameters, type AdamaxOptions } from './optimizers/adamax';
export { AdamWOptimizer, type AdamWHyperparameters, type AdamWOptions } from './optimizers/adamw';
export { AMSGradOptimizer } from './optimizers/amsgrad';
export { FtrlOptimizer, type FtrlHyperparameters, type FtrlOptions } from './optimizers/ftrl';
export {
  GradientDescentOptimizer,
  type GradientDescentHyperparameters,
  type GradientDescentOptions,
} from './optimizers/gradient-descent';
export { LambOptimizer, type LambHyperparameters, type LambOptions } from './optimizers/lamb';
export { LarsOptimizer, type LarsHyperparameters, type LarsOptions } from './optimizers/lars';
export { LazyAdamOptimizer } from './optimizers/lazy-adam';
export { LionOptimizer, type LionHyperparameters, type LionOptions } from './optimizers/lion';
export { MomentumOptimizer, type MomentumHyperparameters, type MomentumOptions } from './optimizers/momentum';
export { NadamOptimizer, type NadamHyperparameters, type NadamOptions } from './optimizers/nadam';
export {
  ProximalAdagradOptimizer,
  type ProximalAdagradHyperparameters,
  type ProximalAdagradOptions,
} from './optimizers/proximal-adagrad';
export {
  ProximalGradientDescentOptimizer,
  type ProximalGradientDescentHyperparameters,
  type ProximalGradientDescentOptions,
} from './optimizers/proximal-gradient-descent';
export { RMSPropOptimizer, type RMSPropHyperparameters, type RMSPropOptions } from './optimizers/rmsprop';

export {
  exponentialDecay,
  inverseTimeDecay,
  naturalExpDecay,
  piecewiseConstant,
  piecewiseConstantDecay,
  polynomialDecay,
  type PolynomialDecayOptions,
  type StaircaseOptions,
} from './schedules';
export {
  cosineDecay,
  cosineDecayRestarts,
  linearCosineDecay,
  noisyLinearCosineDecay,
  type CosineDecayOptions,
  type CosineDecayRestartsOptions,
  type LinearCosineDecayOptions,
  type NoisyLinearCosineDecayOptions,
} from './cosine-schedules';
export type { DecayOptions, StepSource } from './step-source';

export { ExponentialMovingAverage, type Averaged, type ExponentialMovingAverageOptions } from './moving-average';
export {
  assignMovingAverage,
  weightedMovingAverage,
  type AssignMovingAverageOptions,
  type ValueSource,
} from './assign-moving-average';

export {
  DynamicLossScale,
  FixedLossScale,
  LossScale,
  type DynamicLossScaleOptions,
  type Gradients,
} from './loss-scale';
export { OptimizerWrapper } from './optimizer-wrapper';
export { MixedPrecisionLossScaleOptimizer } from './loss-scale-optimizer';
export { GradientAccumulator, type GradientAccumulatorOptions } from './accumulators/gradient-accumulator';
export type { ConditionalAccumulatorOptions, ReductionType } from './accumulators/conditional-base';
export { ConditionalAccumulator } from './accumulators/conditional';
export { SparseConditionalAccumulator } from './accumulators/sparse-conditional';
export { SyncReplicasOptimizer, type ReplicaOptions, type SyncReplicasOptions } from './sync-replicas';

export { runtime, type Isa } from './runtime';
