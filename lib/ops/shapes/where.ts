import { allocate, inScope } from '../../autodiff/scope';
import { record, toAnyTensor, type TensorLike } from '../../autodiff/tape';
import { derived, operandOf, wayBack } from '../../autodiff/way-back';
import { shown } from '../../checks';
import { newArray } from '../../tensor/arrays';
import { isFloat, type DType, type TensorDType } from '../../tensor/dtype';
import { broadcastShapes, showShape, sizeOf, stridesOf, type Shape } from '../../tensor/shape';
import { alias, isTensor, type AnyTensor, type BoolTensor, type Int32Tensor, type Tensor } from '../../tensor/tensor';
import { kernels, refuseInTrace, trace } from '../../tensor/trace';
import { zeros } from '../layout';
import { sizeOption } from '../picks';
import { unbroadcast } from '../primitives';

/**
 * Elements of x where the condition is true, else of y. What is not taken counts for nothing, NaN neither.
 *
 * Shapes broadcast as in NumPy, and a bare number takes the other's dtype. Gradients: dz where it was taken from, else 0.
 *
 * @param condition a tensor of bool.
 * @param x of any type, as y.
 * @throws TypeError for inputs of a wrong kind or of different dtypes, RangeError for shapes that do not broadcast.
 * Source: `tf.where_v2`.
 */
export function where(condition: BoolTensor, x: TensorLike, y: TensorLike): Tensor;
/** The same of tensors of any type. */
export function where<D extends TensorDType>(
  condition: BoolTensor,
  x: Tensor<D> | number,
  y: Tensor<D> | number,
): Tensor<D>;
/**
 * The places at which the condition is true, in order: an int32 tensor [n, dimensions]. It has as many rows as there are, so
 * it cannot be part of what is compiled.
 */
export function where(condition: BoolTensor): Int32Tensor;
export function where<D extends TensorDType = DType>(
  condition: BoolTensor,
  x?: TensorLike | Tensor<D>,
  y?: TensorLike | Tensor<D>,
): AnyTensor {
  checkMask('condition', condition);
  if (x === undefined && y === undefined) return placesOf(condition);
  const [a, b] = branches<D>(x!, y!);
  const shape = commonShape(condition.shape, a.shape, b.shape);
  const z = selected(condition, a, b, shape);
  return record([a, b], z, (dz, needed) => {
    const none = zeros(dz.dtype, []);
    return [
      needed[0] ? unbroadcast(selected(condition, dz, none, shape), a.shape) : null,
      needed[1] ? unbroadcast(selected(condition, none, dz, shape), b.shape) : null,
    ];
  });
}

/** @throws TypeError unless it is a tensor of bool. */
export function checkMask(name: string, mask: unknown): asserts mask is BoolTensor {
  if (!isTensor(mask)) throw new TypeError(`${name} must be a Tensor of bool, got ${shown(mask)}`);
  if (mask.dtype !== 'bool')
    throw new TypeError(`${name} is ${mask.dtype}, expected bool: ops.notEqual(${name}, 0) makes it that`);
}

function branches<D extends TensorDType>(x: TensorLike | Tensor<D>, y: TensorLike | Tensor<D>): [Tensor<D>, Tensor<D>] {
  const a = branch('x', x, y);
  const b = branch('y', y, x);
  if (a.dtype !== b.dtype) throw new TypeError(`x is ${a.dtype} and y is ${b.dtype}; they must be the same`);
  return [a, b];
}

function branch<D extends TensorDType>(
  name: string,
  own: TensorLike | Tensor<D>,
  other: TensorLike | Tensor<D>,
): Tensor<D> {
  if (typeof own !== 'number') return toAnyTensor<D>(name, own);
  const dtype: TensorDType = typeof other === 'number' ? 'float32' : toAnyTensor<TensorDType>(name, other).dtype;
  if (isFloat(dtype)) return toAnyTensor<DType>(name, own, dtype) as AnyTensor as Tensor<D>;
  if (own !== (own | 0) || (dtype === 'bool' && own !== 0 && own !== 1)) {
    throw new RangeError(`${name} must be a value of ${dtype}, got ${own}`);
  }
  return alias(newArray(dtype, 1).fill(own), dtype, []) as AnyTensor as Tensor<D>;
}

function commonShape(condition: Shape, x: Shape, y: Shape): Shape {
  const values = broadcastShapes(x, y);
  const all = values === null ? null : broadcastShapes(condition, values);
  if (all !== null) return all;
  throw new RangeError(
    `condition has shape ${showShape(condition)}, x has shape ${showShape(x)}, y has shape ${showShape(y)}: they do not broadcast`,
  );
}

/** Elements of x or y, which broadcast to `shape`. */
export function selected<D extends TensorDType>(
  condition: BoolTensor,
  x: Tensor<D>,
  y: Tensor<D>,
  shape: Shape,
): Tensor<D> {
  const out = allocate(x.dtype, shape, sizeOf(shape));
  const [a, b] = [operandOf(x), operandOf(y)];
  const layout = selectionLayout(shape, [condition.shape, x.shape, y.shape]);
  if (out.size > 0) {
    const parts = { option: sizeOption(x.dtype), items: layout };
    kernels.task('select', x.dtype, [out.operand, condition.operand, a, b], parts);
  }
  if (wayBack === null) return out;
  return derived([x, y], out, (dz) => {
    const none = zeros(dz.dtype, []);
    return [
      unbroadcast(selected(condition, dz, none, shape), x.shape),
      unbroadcast(selected(condition, none, dz, shape), y.shape),
    ];
  });
}

/** Dims, then the steps of each input; dimensions that all run through alike are one. */
function selectionLayout(shape: Shape, inputs: readonly Shape[]): number[] {
  const steps = inputs.map((input) => {
    const own = stridesOf(input);
    const lead = shape.length - input.length;
    return shape.map((_, d) => (d < lead || input[d - lead] === 1 ? 0 : own[d - lead]!));
  });
  const rows: number[][] = []; // size, steps; the innermost first
  for (let d = shape.length - 1; d >= 0; d--) {
    const size = shape[d]!;
    if (size === 1) continue;
    const inner = rows.at(-1);
    if (inner !== undefined && steps.every((of, k) => of[d] === inner[k + 1]! * inner[0]!)) inner[0]! *= size;
    else rows.push([size, ...steps.map((of) => of[d]!)]);
  }
  rows.reverse();
  return [0, 1, 2, 3].flatMap((column) => rows.map((row) => row[column]!));
}

function placesOf(condition: BoolTensor): Int32Tensor {
  if (trace !== null) refuseInTrace('the places at which a condition is true');
  const { data, shape } = condition;
  const rank = shape.length;
  const count = data.reduce((sum, value) => sum + Number(value !== 0), 0);
  const found = new Int32Array(count * rank);
  let next = 0;
  for (let i = 0; i < data.length; i++) {
    if (data[i] === 0) continue;
    let rest = i;
    for (let d = rank - 1; d >= 0; d--) {
      found[next + d] = rest % shape[d]!;
      rest = Math.floor(rest / shape[d]!);
    }
    next += rank;
  }
  return inScope(alias(found, 'int32', [count, rank]));
}
