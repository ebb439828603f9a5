/** @module gradstep */
export type {
  ArrayOf,
  DType,
  ElementOf,
  FloatArray,
  Nested,
  NestedBooleans,
  NestedOf,
  TensorArray,
  TensorArrays,
  TensorDType,
} from './tensor/dtype';
export { Tensor, tensor, type AnyTensor, type BoolTensor, type Int32Tensor } from './tensor/tensor';
export { Variable, variable, type Constraint, type VariableOptions } from './tensor/variable';
export { IndexedSlices, type Gradient } from './tensor/indexed-slices';
export {
  collectState,
  copyState,
  prefixed,
  StateSource,
  type FloatEntry,
  type RestoreOptions,
  type StateDType,
  type StateEntry,
  type Stateful,
  type StateMemory,
} from './tensor/state';
export { restoreState } from './tensor/restore-state';
export type { AveragesHandle, GlobalStepHandle, OptimizerHandle, VariableHandle } from './tensor/handles';
export { GlobalStep, createGlobalStep } from './tensor/global-step';
export { holdState } from './step/hold-state';
export { unzip, zip } from './step/zip';

export {
  clipByAverageNorm,
  clipByGlobalNorm,
  clipByGlobalNormAsync,
  clipByNorm,
  clipByValue,
  globalNorm,
  type Clippable,
  type Clipped,
  type ClipByGlobalNormOptions,
  type ClipByNormOptions,
  type ClipOptions,
} from './clip';

export {
  random,
  RandomGenerator,
  type BernoulliOptions,
  type NormalOptions,
  type RandomOptions,
  type SeedOptions,
  type Shuffleable,
  type UniformOptions,
} from './random';
export * as data from './data';
export type { Batch, BatchedOptions, BatchesOptions, Column, Columns, Row, ShuffledOptions, Source } from './data';
export * as initializers from './initializers';
export type {
  GainOptions,
  Initializer,
  NormalInitializerOptions,
  OrthogonalOptions,
  RandomInitializerOptions,
  UniformInitializerOptions,
  VarianceScalingOptions,
} from './initializers';
export * as losses from './losses';
export * as ops from './ops';
export { AggregationMethod } from './autodiff/aggregate';
export { gradients, type GradientsOptions } from './autodiff/gradients';
export { keep, tidy } from './autodiff/scope';
export { stopGradient, type TensorLike } from './autodiff/tape';
export { checkpointed } from './autodiff/checkpointed';
export { customGradient, type CustomGradient } from './autodiff/custom-gradient';

export { GradientsAndVariables, type GradientAndVariable } from './autodiff/gradients-and-variables';
export type { Schedule } from './schedules/schedule';
export type { ParameterGroup } from './step/settings';
export {
  Optimizer,
  type ApplyGradientsOptions,
  type ComputeGradientsOptions,
  type MinimizeOptions,
} from './optimizers/optimizer';
export type { OptimizerOptions, RuleOptimizer, WeightDecayOptions } from './optimizers/rule-optimizer';
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
} from './schedules/schedules';
export {
  cosineDecay,
  cosineDecayRestarts,
  linearCosineDecay,
  noisyLinearCosineDecay,
  type CosineDecayOptions,
  type CosineDecayRestartsOptions,
  type LinearCosineDecayOptions,
  type NoisyLinearCosineDecayOptions,
} from './schedules/cosine-schedules';
export { linearWarmup, type LinearWarmupOptions } from './schedules/warmup';
export type { DecayOptions, StepSource } from './schedules/step-source';

export {
  ExponentialMovingAverage,
  type Averaged,
  type ExponentialMovingAverageOptions,
} from './averages/moving-average';
export {
  assignMovingAverage,
  movingAverageState,
  weightedMovingAverage,
  type AssignMovingAverageOptions,
  type ValueSource,
  type WeightedMovingAverage,
} from './averages/assign-moving-average';

export {
  DynamicLossScale,
  FixedLossScale,
  LossScale,
  type DynamicLossScaleOptions,
  type Gradients,
} from './wrappers/loss-scale';
export { OptimizerWrapper } from './wrappers/optimizer-wrapper';
export { MixedPrecisionLossScaleOptimizer } from './wrappers/loss-scale-optimizer';
export { GradientAccumulator, type GradientAccumulatorOptions } from './accumulators/gradient-accumulator';
export type { ConditionalAccumulatorOptions, ReductionType } from './accumulators/conditional-base';
export { ConditionalAccumulator } from './accumulators/conditional';
export { SparseConditionalAccumulator } from './accumulators/sparse-conditional';
export { SyncReplicasOptimizer, type ReplicaOptions, type SyncReplicasOptions } from './wrappers/sync-replicas';

export { compileStep, type CompiledStep, type StepResult } from './compile/compile-step';
export type { CompileStepOptions, StepClip } from './compile/step-options';
export { compile, type Compiled, type CompileOptions, type Outputs } from './compile/compile';
export type { BoolInput, FloatInput, Inputs, Int32Input, RunInputs, TracedInputs } from './compile/inputs';
export type { Indices } from './tensor/indices';
export type { IndicesLike } from './tensor/indexed-slices';

export { runtime, type Isa } from './runtime';

/** @internal What gradstep/parallel is made of, which is a bundle of its own. */
export * as internals from './internals';
