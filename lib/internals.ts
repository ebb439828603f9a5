// For `gradstep/parallel` and `gradstep/checkpoint`, which ask for `gradstep` by its name so that classes are the same in all.
export { compileGradients, type CompiledGradients } from './compile/compile-gradients';
export { Commit } from './step/commit';
export { copyLater } from './step/copies';
export { announceSteps, stepsElsewhere } from './step/elsewhere';
export { keysOfParts } from './step/hold-state';
export { isSharedForGood, pieceOf, sharedArrays, sharedMemory } from './tensor/arrays';
export { collectingCopies, type StateCopy } from './tensor/overwrite';
export { alias, timesFactor } from './tensor/tensor';
export { Memory } from './tensor/memory';
