export { clipByAverageNorm } from './by-average-norm';
export { clipByGlobalNorm, clipByGlobalNormAsync, globalNorm, type ClipByGlobalNormOptions } from './by-global-norm';
export { clipByNorm } from './by-norm';
export { clipByValue } from './by-value';
export type { Clippable, Clipped, ClipByNormOptions, ClipOptions } from './kinds';
