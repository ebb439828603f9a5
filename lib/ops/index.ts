export { argMax, argMin } from './reductions/arg';
export { cumprod, cumsum, type CumulativeOptions } from './reductions/cumulative';
export { reduceMax, reduceMin } from './reductions/extremes';
export { reduceAll, reduceAny } from './reductions/logical';
export { reduceLogSumExp, reduceStd, reduceVariance } from './reductions/moments';
export { reduceProd } from './reductions/product';
export { argsort, sort, topK, type SortOptions, type TopK } from './reductions/sort';
export { einsum } from './einsum';
export { bandPart, diag, diagPart } from './shapes/diag';
export { broadcastTo } from './shapes/broadcast-to';
export { concat } from './shapes/concat';
export { eye, fill, linspace, ones, onesLike, range, zeros, zerosLike, type EyeOptions } from './shapes/constants';
export { expandDims, squeeze, type SqueezeOptions } from './shapes/dims';
export { gatherNd, scatterNd } from './shapes/gather-nd';
export {
  meshgrid,
  oneHot,
  sequenceMask,
  type MeshgridOptions,
  type OneHotOptions,
  type SequenceMaskOptions,
} from './shapes/one-hot';
export { pad, type PadOptions } from './shapes/pad';
export { reverse } from './shapes/reverse';
export { slice, stridedSlice, type StridedSliceOptions } from './shapes/slice';
export { split, type SplitOptions } from './shapes/split';
export { stack, unstack, type StackOptions } from './shapes/stack';
export { tile } from './shapes/tile';
export { where } from './shapes/where';
export { abs } from './abs';
export { add } from './add';
export { type AxisOptions } from './last-axis';
export { cast } from './cast';
export { div } from './div';
export { dropout, type DropoutOptions } from './dropout';
export { exp } from './exp';
export { gather, type GatherOptions } from './gather';
export { identity } from './identity';
export { l2Loss } from './l2-loss';
export { log } from './log';
export { logSoftmax } from './log-softmax';
export { matMul, type MatMulOptions } from './mat-mul';
export { maximum } from './maximum';
export { minimum } from './minimum';
export { mul } from './mul';
export { neg } from './neg';
export { reduceMean } from './reduce-mean';
export { type ReduceOptions } from './reduction';
export { reduceSum } from './reduce-sum';
export { relu } from './relu';
export { reluLayer } from './relu-layer';
export { reshape } from './reshape';
export { sigmoid } from './sigmoid';
export { sigmoidCrossEntropyWithLogits } from './sigmoid-cross-entropy';
export { softmax } from './softmax';
export { softmaxCrossEntropyWithLogits } from './softmax-cross-entropy';
export { sparseSoftmaxCrossEntropyWithLogits } from './sparse-softmax-cross-entropy';
export { sqrt } from './sqrt';
export { square } from './square';
export { sub } from './sub';
export { tanh } from './tanh';
export { transpose } from './transpose';
export { xwPlusB } from './xw-plus-b';
export * from './activations';
export * from './comparisons';
export * from './mathematics';
export { stopGradient } from '../autodiff/tape';
