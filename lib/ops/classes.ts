import { isTensor } from '../tensor/tensor';

/** @throws TypeError for labels that are the numbers of classes, naming the function that takes them. */
export function refuseClasses(name: string, labels: unknown, other: string): void {
  if (!(labels instanceof Int32Array) && !(isTensor(labels) && labels.dtype === 'int32')) return;
  throw new TypeError(
    `${name} is int32, expected float32 or float64: ${other} takes classes, ops.oneHot makes rows of them`,
  );
}
