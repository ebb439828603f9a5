import { ops, tensor, tidy, type Tensor, type Variable } from 'gradstep';

/** A network that learns y = sin(3 x). */
export const sizes = { hidden: 64, batch: 256 };

/** [rows, 1] */
function forward([kernel, bias, kernel2, bias2]: readonly Variable[], x: Tensor): Tensor {
  return ops.xwPlusB(ops.tanh(ops.xwPlusB(x, kernel!, bias!)), kernel2!, bias2!);
}

/** The mean squared error of these points. */
export function loss(variables: readonly Variable[], xs: Float32Array): Tensor {
  const shape = [xs.length, 1];
  const wanted = tensor(
    xs.map((x) => Math.sin(3 * x)),
    shape,
  );
  return ops.reduceMean(ops.square(ops.sub(forward(variables, tensor(xs, shape)), wanted)));
}

/** What the network says. */
export function predict(variables: readonly Variable[], xs: Float32Array): number[] {
  const predicted = tidy(() => [...forward(variables, tensor(xs, [xs.length, 1])).data]);
  return predicted;
}
