// For `gradstep/parallel` and `gradstep/checkpoint`, which ask for `gradstep` by its name so that classes are the same in all.
export { observingWayBack, type WayBackObserver } from './autodiff/observed';
export { compileGradients, type CompiledGradients } from './compile/compile-gradients';
export { Commit } from './step/commit';
export { copyLater } from './step/copies';
export { announceSteps, stepsElsewhere } from './step/elsewhere';
export { keysOfParts } from './step/hold-state';
export { isSharedForGood, sharedArray, sharedArrays, sharedMemory } from './tensor/arrays';
export { collectingCopies, type StateCopy } from './tensor/overwrite';
export { alias, timesFactor } from './tensor/tensor';
export { checkedPairs } from './step/pairs';
export { planState } from './tensor/restore-state';
export { Memory, retireSpent, spend } from './tensor/memory';
