import type { FloatArray } from '../tensor/dtype';
import { newArray } from '../tensor/arrays';
import { binaryFunction, unaryFunction, type BinaryFunction, type UnaryFunction } from '../native';
import { broadcastShapes, sameShape, showShape, sizeOf, stridesOf, type Shape } from '../tensor/shape';
import type { Tensor } from '../tensor/tensor';
import { kernels } from '../tensor/trace';
import { allocate, inScope } from '../autodiff/scope';

// Tensors in, a new tensor out: what ops and their gradients are written with. Nothing here is recorded.

/** f(x), element by element. */
export function unary(f: UnaryFunction, x: Tensor): Tensor {
  const out = allocate(x.dtype, x.shape, x.size);
  kernels.unary(unaryFunction[f], out.operand, x.operand);
  return out;
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
  if (plain || (a.size === 1 && b.size === size) || (b.size === 1 && a.size === size)) {
    kernels.binary(id, out.operand, a.operand, b.operand);
  } else if (size > 0) {
    kernels.binaryBroadcast(id, out.operand, a.operand, b.operand, broadcastLayout(shape, a.shape, b.shape));
  }
  return out;
}

/** f(x, constant). */
export function binaryWith(f: BinaryFunction, x: Tensor, constant: number): Tensor {
  const out = allocate(x.dtype, x.shape, x.size);
  const other = newArray(x.dtype, 1).fill(constant);
  kernels.binary(binaryFunction[f], out.operand, x.operand, other);
  return out;
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

/** The matrix product of op(a) and op(b), op being the transpose where asked for, for every index of leading dimensions. */
export function multiplied(
  a: Tensor,
  b: Tensor,
  transposeA: boolean,
  transposeB: boolean,
  { bias, relu = false }: Epilogue = none,
): Tensor {
  const rank = a.shape.length;
  const m = a.shape[rank - (transposeA ? 1 : 2)]!;
  const k = a.shape[rank - (transposeA ? 2 : 1)]!;
  const n = b.shape[rank - (transposeB ? 2 : 1)]!;
  if (rank === 2) {
    const c = allocate(a.dtype, [m, n], m * n);
    kernels.gemm(c.operand, a.operand, b.operand, m, n, k, transposeA, transposeB, bias?.operand, relu);
    return c;
  }
  const lead = a.shape.slice(0, -2);
  const count = sizeOf(lead);
  const c = allocate(a.dtype, [...lead, m, n], count * m * n);
  const part = (array: FloatArray, size: number, i: number): FloatArray => array.subarray(size * i, size * (i + 1));
  const [out, left, right] = [c.operand, a.operand, b.operand];
  for (let i = 0; i < count; i++) {
    const matrices = [part(out, m * n, i), part(left, m * k, i), part(right, k * n, i)] as const;
    kernels.gemm(...matrices, m, n, k, transposeA, transposeB, bias?.operand, relu);
  }
  return c;
}

const none: Epilogue = {};

/** x * factor. */
export function scaled(x: Tensor, factor: number): Tensor {
  const out = allocate(x.dtype, x.shape, x.size);
  kernels.scale(out.operand, x.operand, factor);
  return out;
}

/** The same values in another shape of the same size, over the same memory. */
export function reshaped(x: Tensor, shape: Shape): Tensor {
  return inScope(x.view(shape));
}

/** Dimensions in another order: out's dimension d is x's dimension perm[d]. */
export function permuted(x: Tensor, perm: readonly number[]): Tensor {
  const shape = perm.map((d) => x.shape[d]!);
  const strides = stridesOf(x.shape);
  const out = allocate(x.dtype, shape, x.size);
  if (x.size > 0)
    kernels.permute(out.operand, x.operand, Float64Array.from([...shape, ...perm.map((d) => strides[d]!)]));
  return out;
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
  const data = x.operand;
  if (x.size === 0)
    kernels.fill(out.operand, 0 * scale); // the mean of nothing is 0 times Infinity, NaN
  else if (form === '' || form === 'k') kernels.scale(out.operand, data, scale);
  else if (form === 's' || form === 'sk') kernels.sum(out.operand, data, 1, first, second, scale);
  else if (form === 'ks' || form === 'ksk') kernels.sum(out.operand, data, first, second, third, scale);
  else {
    const kept = x.shape.map((_, d) => d).filter((d) => !axes.includes(d));
    const front = permuted(x, [...kept, ...axes]);
    kernels.sum(out.operand, front.operand, out.size, x.size / out.size, 1, scale);
  }
  return out;
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
  if (x.size === 1) kernels.repeat(out.operand, x.operand);
  else if (out.size > 0) kernels.permute(out.operand, x.operand, Float64Array.from([...shape, ...strides]));
  return out;
}

/** x's rows, each times its factor; as many rows as there are factors. */
export function scaledRows(x: Tensor, factors: Tensor): Tensor {
  const out = allocate(x.dtype, x.shape, x.size);
  kernels.scaleRows(out.operand, x.operand, factors.operand);
  return out;
}

/** A tensor like x, all of the same value. */
export function filled(x: Tensor, value: number): Tensor {
  const out = allocate(x.dtype, x.shape, x.size);
  kernels.fill(out.operand, value);
  return out;
}
