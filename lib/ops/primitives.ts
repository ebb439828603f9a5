import { newArray } from '../tensor/arrays';
import { binaryFunction, unaryFunction, type BinaryFunction, type UnaryFunction } from '../native';
import { broadcastShapes, sameShape, showShape, sizeOf, stridesOf, type Shape } from '../tensor/shape';
import { isFloat, type TensorDType } from '../tensor/dtype';
import type { AnyTensor, Tensor } from '../tensor/tensor';
import { kernels } from '../tensor/trace';
import { allocate, inScope } from '../autodiff/scope';
import { toTensor } from '../autodiff/tape';
import { derived, operandOf, refuse, wayBack } from '../autodiff/way-back';
import { binaryGradients, unaryGradient } from './derivatives';

// Tensors in, a new tensor out: what ops and their gradients are written with. Ops record themselves; a primitive is recorded
// only where it is part of a way back whose own gradient may be asked for (autodiff/way-back.ts).

/** f(x), element by element. */
export function unary(f: UnaryFunction, x: Tensor): Tensor {
  const out = allocate(x.dtype, x.shape, x.size);
  kernels.unary(unaryFunction[f], out.operand, operandOf(x));
  return wayBack === null ? out : derived([x], out, (dy) => [unaryGradient(f, x, out, dy)]);
}

/** f(a, b), element by element, broadcasting. @throws RangeError for shapes that do not broadcast. */
export function binary(f: BinaryFunction, a: Tensor, b: Tensor): Tensor {
  const id = binaryFunction[f];
  const plain = sameShape(a.shape, b.shape);
  const shape = plain ? a.shape : broadcastShapes(a.shape, b.shape);
  if (shape === null) {
    throw new RangeError(`x has shape ${showShape(a.shape)}, y has shape ${showShape(b.shape)}: they do not broadcast`);
  }
  const size = plain ? a.size : sizeOf(shape);
  const out = allocate(a.dtype, shape, size);
  const [left, right] = [operandOf(a), operandOf(b)];
  if (plain || (a.size === 1 && b.size === size) || (b.size === 1 && a.size === size)) {
    kernels.binary(id, out.operand, left, right);
  } else if (size > 0) {
    kernels.binaryBroadcast(id, out.operand, left, right, broadcastLayout(shape, a.shape, b.shape));
  }
  return wayBack === null ? out : derived([a, b], out, (dz) => binaryGradients(f, a, b, out, dz));
}

/** f(x, constant). */
export function binaryWith(f: BinaryFunction, x: Tensor, constant: number): Tensor {
  const out = allocate(x.dtype, x.shape, x.size);
  const other = newArray(x.dtype, 1).fill(constant);
  kernels.binary(binaryFunction[f], out.operand, operandOf(x), other);
  if (wayBack === null) return out;
  return derived([x], out, (dz) => binaryGradients(f, x, toTensor('constant', constant, x.dtype), out, dz).slice(0, 1));
}

/** Dims and strides for broadcasting, adjacent dimensions merged wherever both inputs run through them alike. */
export function broadcastLayout(shape: Shape, a: Shape, b: Shape): Float64Array {
  // Innermost dimension first: dims, strides of a, strides of b.
  const table: [number, number, number][] = [];
  let [aStride, bStride] = [1, 1];
  for (let d = 1; d <= shape.length; d++) {
    const dim = shape[shape.length - d]!;
    const [aDim = 1, bDim = 1] = [a[a.length - d], b[b.length - d]];
    const [sa, sb] = [aDim === 1 ? 0 : aStride, bDim === 1 ? 0 : bStride];
    aStride *= aDim;
    bStride *= bDim;
    if (dim === 1) continue;
    const inner = table.at(-1);
    if (inner !== undefined && sa === inner[1] * inner[0] && sb === inner[2] * inner[0]) inner[0] *= dim;
    else table.push([dim, sa, sb]);
  }
  const count = table.length;
  const layout = new Float64Array(3 * count);
  table.forEach((row, i) => row.forEach((value, column) => (layout[(column + 1) * count - 1 - i] = value)));
  return layout;
}

/** What a product goes through before it is stored. */
export interface Epilogue {
  /** Added to every row. */
  readonly bias?: Tensor;
  readonly relu?: boolean;
}

/**
 * The matrix product of op(a) and op(b), op being the transpose where asked for, for every index of leading dimensions,
 * which broadcast.
 */
export function multiplied(
  a: Tensor,
  b: Tensor,
  transposeA: boolean,
  transposeB: boolean,
  { bias, relu = false }: Epilogue = none,
): Tensor {
  const m = a.shape[a.shape.length - (transposeA ? 1 : 2)]!;
  const k = a.shape[a.shape.length - (transposeA ? 2 : 1)]!;
  const n = b.shape[b.shape.length - (transposeB ? 2 : 1)]!;
  const withGradient = (c: Tensor): Tensor => {
    if (wayBack === null) return c;
    if (bias !== undefined || relu) refuse();
    return derived([a, b], c, (dc, needed) => productGradients(a, b, transposeA, transposeB, dc, needed));
  };
  const [aData, bData] = [operandOf(a), operandOf(b)];
  if (a.shape.length === 2 && b.shape.length === 2) {
    const c = allocate(a.dtype, [m, n], m * n);
    kernels.gemm(c.operand, aData, bData, m, n, k, transposeA, transposeB, bias?.operand, relu);
    return withGradient(c);
  }
  const [left, right] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const lead = broadcastShapes(left, right)!;
  const shape = [...lead, m, n];
  const c = allocate(a.dtype, shape, sizeOf(shape));
  kernels.task('gemmBatch', a.dtype, [c.operand, aData, bData, bias?.operand], {
    option: Number(transposeA) + 2 * Number(transposeB) + (bias === undefined ? 0 : 4) + 8 * Number(relu),
    sizes: [m, n, k],
    items: [...broadcastLayout(lead, left, right)],
  });
  return withGradient(c);
}

/** The gradients of both sides of a product, whose gradient is dc. */
export function productGradients(
  a: Tensor,
  b: Tensor,
  transposeA: boolean,
  transposeB: boolean,
  dc: Tensor,
  needed: readonly boolean[],
): (Tensor | null)[] {
  const da = (): Tensor => (transposeA ? multiplied(b, dc, transposeB, true) : multiplied(dc, b, false, !transposeB));
  const db = (): Tensor => (transposeB ? multiplied(dc, a, true, transposeA) : multiplied(a, dc, !transposeA, false));
  return [needed[0] ? unbroadcast(da(), a.shape) : null, needed[1] ? unbroadcast(db(), b.shape) : null];
}

const none: Epilogue = {};

/** x * factor. */
export function scaled(x: Tensor, factor: number): Tensor {
  const out = allocate(x.dtype, x.shape, x.size);
  kernels.scale(out.operand, operandOf(x), factor);
  return wayBack === null ? out : derived([x], out, (dy) => [scaled(dy, factor)]);
}

const elementNumber: Readonly<Record<TensorDType, number>> = { float32: 0, float64: 1, int32: 2, bool: 3 };

/** The same values as another type. */
export function castTo<D extends TensorDType>(x: AnyTensor, dtype: D): Tensor<D> {
  const out = allocate(dtype, x.shape, x.size);
  const option = elementNumber[x.dtype] + 4 * elementNumber[dtype];
  kernels.task('cast', dtype, [out.operand, operandOf(x)], { option, sizes: [x.size] });
  const { dtype: own } = x;
  return wayBack === null || !isFloat(own) || !isFloat(dtype) ? out : derived([x], out, (dy) => [castTo(dy, own)]);
}

/** The same values in another shape of the same size, over the same memory. */
export function reshaped<D extends TensorDType>(x: Tensor<D>, shape: Shape): Tensor<D> {
  const out = inScope(x.view(shape));
  return wayBack === null ? out : derived([x], out, (dy) => [reshaped(dy, x.shape)]);
}

/** Dimensions in another order: out's dimension d is x's dimension perm[d]. */
export function permuted(x: Tensor, perm: readonly number[]): Tensor {
  const shape = perm.map((d) => x.shape[d]!);
  const strides = stridesOf(x.shape);
  const out = allocate(x.dtype, shape, x.size);
  if (x.size > 0)
    kernels.permute(out.operand, operandOf(x), Float64Array.from([...shape, ...perm.map((d) => strides[d]!)]));
  if (wayBack === null) return out;
  const inverse = perm.map((_, d) => perm.indexOf(d));
  return derived([x], out, (dy) => [permuted(dy, inverse)]);
}

/**
 * Runs of neighbouring dimensions that are all kept ('k') or all summed ('s'), those of size 1 belonging to any run: what
 * they are, and the sizes of the first three.
 */
export function runsOf(shape: Shape, axes: readonly number[]): { form: string; sizes: [number, number, number] } {
  let form = '';
  const sizes: [number, number, number] = [1, 1, 1];
  for (let d = 0; d < shape.length; d++) {
    const size = shape[d]!;
    if (size === 1) continue;
    const kind = axes.includes(d) ? 's' : 'k';
    if (!form.endsWith(kind)) form += kind;
    if (form.length <= 3) sizes[form.length - 1]! *= size;
  }
  return { form, sizes };
}

/** Sums over `axes` (sorted positions), times `scale`; the result has `shape`. */
export function summed(x: Tensor, axes: readonly number[], shape: Shape, scale = 1): Tensor {
  const out = allocate(x.dtype, shape, sizeOf(shape));
  const { form, sizes } = runsOf(x.shape, axes);
  const [first, second, third] = sizes;
  const data = operandOf(x);
  if (x.size === 0)
    kernels.fill(out.operand, 0 * scale); // the mean of nothing is 0 times Infinity, NaN
  else if (form === '' || form === 'k') kernels.scale(out.operand, data, scale);
  else if (form === 's' || form === 'sk') kernels.sum(out.operand, data, 1, first, second, scale);
  else if (form === 'ks' || form === 'ksk') kernels.sum(out.operand, data, first, second, third, scale);
  else {
    const kept = x.shape.map((_, d) => d).filter((d) => !axes.includes(d));
    const front = permuted(x, [...kept, ...axes]);
    kernels.sum(out.operand, operandOf(front), out.size, x.size / out.size, 1, scale);
  }
  if (wayBack === null) return out;
  const kept = x.shape.map((size, d) => (axes.includes(d) ? 1 : size));
  return derived([x], out, (dy) => [broadcastTo(reshaped(scaled(dy, scale), kept), x.shape)]);
}

/** A gradient of a broadcast input: summed back over what was repeated. */
export function unbroadcast(dy: Tensor, shape: Shape): Tensor {
  if (sameShape(dy.shape, shape)) return dy;
  const lead = dy.shape.length - shape.length;
  const axes = dy.shape.map((_, d) => d).filter((d) => d < lead || (shape[d - lead] === 1 && dy.shape[d] !== 1));
  return summed(dy, axes, shape);
}

/** x, which has as many dimensions as `shape`, repeated along those in which `shape` is larger. */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const out = allocate(x.dtype, shape, sizeOf(shape));
  const strides = stridesOf(x.shape).map((stride, d) => (x.shape[d] === 1 ? 0 : stride));
  const data = operandOf(x);
  if (x.size === 1) kernels.repeat(out.operand, data);
  else if (out.size > 0) kernels.permute(out.operand, data, Float64Array.from([...shape, ...strides]));
  return wayBack === null ? out : derived([x], out, (dy) => [unbroadcast(dy, x.shape)]);
}

/** x's rows, each times its factor; as many rows as there are factors. */
export function scaledRows(x: Tensor, factors: Tensor): Tensor {
  const out = allocate(x.dtype, x.shape, x.size);
  kernels.scaleRows(out.operand, operandOf(x), operandOf(factors));
  if (wayBack === null) return out;
  return derived([x, factors], out, (dy) => [scaledRows(dy, factors), rowSums(binary('multiply', dy, x), factors)]);
}

// The sums of x's rows, of which there are as many as factors.
function rowSums(x: Tensor, factors: Tensor): Tensor {
  const rows = reshaped(x, [factors.size, factors.size === 0 ? 0 : x.size / factors.size]);
  return reshaped(summed(rows, [1], [factors.size]), factors.shape);
}
