// For `gradstep/parallel`, which asks for `gradstep` by its name so that classes are the same in both.
export { compileGradients, type CompiledGradients } from './compile/compile-gradients';
export { Commit } from './step/commit';
export { sharedArrays } from './tensor/arrays';
export { alias, timesFactor } from './tensor/tensor';
export { Memory } from './tensor/memory';
