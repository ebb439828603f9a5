import { ops, tidy, type Tensor } from 'gradstep';

/**
 * The two directions in which rows differ most from each other, and where each row lies along them: principal components, by
 * multiplying with the covariance until nothing turns any more.
 *
 * @param rows [count, size]
 * @returns [count, 2]
 */
export function projected(rows: Tensor): Float32Array {
  return tidy(() => {
    const [count, size] = rows.shape as [number, number];
    const mean = ops.reduceMean(rows, 0, { keepDims: true });
    const centered = ops.sub(rows, mean);
    const covariance = ops.mul(ops.matMul(centered, centered, { transposeA: true }), 1 / count);
    let axes: Tensor = ops.eye(size, { numColumns: 2 });
    for (let turn = 0; turn < 100; turn++) axes = orthonormal(ops.matMul(covariance, axes));
    return Float32Array.from(ops.matMul(centered, axes).data);
  });
}

/** Two columns of length 1 at right angles, in the plane of these two (Gram and Schmidt). */
function orthonormal(columns: Tensor): Tensor {
  const [first, second] = ops.unstack(columns, { axis: 1 }) as [Tensor, Tensor];
  const a = ops.l2Normalize(first);
  const b = ops.l2Normalize(ops.sub(second, ops.mul(a, ops.reduceSum(ops.mul(a, second)))));
  return ops.stack([a, b], { axis: 1 });
}
