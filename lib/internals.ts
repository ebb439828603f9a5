// For `gradstep/parallel` and `gradstep/checkpoint`, which ask for `gradstep` by its name so that classes are the same in all.
export { clipTogether } from './clip/together';
export { compileGradients, type CompiledGradients } from './compile/compile-gradients';
export { clipOf } from './compile/step-options';
export { isRuleOptimizer } from './compile/optimizers';
export { globalStepOf } from './optimizers/rule-optimizer';
export { Commit } from './step/commit';
export { Constraints } from './step/constraints';
export { copyLater } from './step/copies';
export { announceSteps, stepsElsewhere } from './step/elsewhere';
export { keysOfParts } from './step/hold-state';
export { readPairs, updatesOf } from './step/pairs';
export { isSharedForGood, pieceOf, sharedArrays, sharedMemory } from './tensor/arrays';
export { collectingCopies, type StateCopy } from './tensor/overwrite';
export { storedValues } from './tensor/indexed-slices';
export { StateSource, uniqueEntries } from './tensor/state';
export { alias, timesFactor } from './tensor/tensor';
export { Memory, spend } from './tensor/memory';
