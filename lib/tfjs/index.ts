/** @module gradstep/tfjs */
export {
  adadelta,
  adagrad,
  adagradDA,
  adam,
  adamax,
  adamW,
  amsGrad,
  ftrl,
  lamb,
  lars,
  lazyAdam,
  lion,
  momentum,
  nadam,
  proximalAdagrad,
  proximalGradientDescent,
  rmsprop,
  sgd,
  type CenteredOptions,
  type DefaultFactory,
  type Factory,
  type GradstepOptimizer,
  type NesterovOptions,
  type SemanticsOptions,
  type TfGroup,
  type TfjsOptions,
} from './factories';
export { accelerate, type Accelerate, type AcceleratedKernel, type TfWithKernels } from './accelerate/index';
export {
  clipByAverageNorm,
  clipByGlobalNorm,
  clipByNorm,
  globalNorm,
  type ClipByGlobalNormOptions,
  type ClipTensorsOptions,
} from './clip-tensors';
export type { TfjsAdagradHyperparameters, TfjsAdamaxHyperparameters } from './formulas';
export { TfjsOptimizer, type CommonOptions, type TfGradients } from './optimizer';
export type { ClippingOptions } from './clipping';
export type { TfNamedTensor, TfTensor, TfVariable } from './engine';
export type { AsPeer, MadeTensor } from './peer';
export { register, type TfWithSerialization } from './serialization';
