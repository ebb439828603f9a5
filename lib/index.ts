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
  type ClipOptions,
} from './clip';

export * as ops from './autodiff/ops';
export { AggregationMethod } from './autodiff/aggregate';
export { gradients, type GradientsOptions } from './autodiff/gradients';
export { keep, tidy } from './autodiff/scope';
export { stopGradient, type TensorLike } from './autodiff/tape';
export { customGradient } from './autodiff/custom-gradient';

export { GradientsAndVariables, type GradientAndVariable } from './gradients-and-variables';
export type { Schedule } from './optimizers/hyper';
export {
  Optimizer,
  type ApplyGradientsOptions,
  type ComputeGradientsOptions,
  type MinimizeOptions,
  type OptimizerOptions,
} from './optimizers/optimizer';
export { AdamOptimizer, type AdamOptions } from './optimizers/adam';
export { GradientDescentOptimizer, type GradientDescentOptions } from './optimizers/gradient-descent';
export { MomentumOptimizer, type MomentumOptions } from './optimizers/momentum';

export { runtime, type Isa } from './runtime';
