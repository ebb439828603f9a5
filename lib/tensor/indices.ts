import type { Tensor } from './tensor';

/**
 * Whole numbers that come with each run of what is compiled: labels, or indices of rows. They are an int32 tensor like any
 * other, which has its values only in a run.
 */
export type Indices = Tensor<'int32'>;
