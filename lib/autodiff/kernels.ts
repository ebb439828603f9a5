import { native, binaryFunction, unaryFunction } from '../native';
import { broadcastShapes, sameShape, showShape, sizeOf, stridesOf, type Shape } from '../shape';
import type { Tensor } from '../tensor';
import { allocate, inScope } from './scope';

// Tensors in, a new tensor out: what ops and their gradients are written with. Nothing here is recorded.

/** f(x), element by element. */
export function unary(f: string, x: Tensor): Tensor {
  const out = allocate(x.dtype, x.shape, x.size);
  native.unary(unaryFunction[f]!, out.raw, x.data);
  return out;
}

/** f(a, b), element by element, broadcasting. @throws RangeError for shapes that do not broadcast. */
export function binary(f: string, a: Tensor, b: Tensor): Tensor {
  const id = binaryFunction[f]!;
  const plain = sameShape(a.shape, b.shape);
  const shape = plain ? a.shape : broadcastShapes(a.shape, b.shape);
  if (shape === null) {
    throw new RangeError(`x has shape ${showShape(a.shape)}, y has shape ${showShape(b.shape)}: they do not broadcast`);
  }
  const size = plain ? a.size : sizeOf(shape);
  const out = allocate(a.dtype, shape, size);
  if (plain || (a.size === 1 && b.size === size) || (b.size === 1 && a.size === size)) {
    native.binary(id, out.raw, a.data, b.data);
  } else if (size > 0) {
    native.binaryBroadcast(id, out.raw, a.data, b.data, layoutOf(shape, a.shape, b.shape));
  }
  return out;
}

/** f(x, constant). */
export function binaryWith(f: string, x: Tensor, constant: number): Tensor {
  const out = allocate(x.dtype, x.shape, x.size);
  const other = x.dtype === 'float32' ? Float32Array.of(constant) : Float64Array.of(constant);
  native.binary(binaryFunction[f]!, out.raw, x.data, other);
  return out;
}

/** Dims and strides for broadcasting, adjacent dimensions merged wherever both inputs run through them alike. */
function layoutOf(shape: Shape, a: Shape, b: Shape): Float64Array {
  const strides = (of: Shape): number[] => {
    const own = stridesOf(of);
    const lead = shape.length - of.length;
    return shape.map((_, d) => (d < lead || of[d - lead] === 1 ? 0 : own[d - lead]!));
  };
  const all = { dims: [] as number[], a: [] as number[], b: [] as number[] };
  const [aStrides, bStrides] = [strides(a), strides(b)];
  for (let d = shape.length - 1; d >= 0; d--) {
    const [dim, sa, sb] = [shape[d]!, aStrides[d]!, bStrides[d]!];
    if (dim === 1) continue;
    const last = all.dims.length - 1;
    const outer = all.dims[last];
    if (outer !== undefined && sa === all.a[last]! * outer && sb === all.b[last]! * outer) {
      all.dims[last] = outer * dim;
    } else {
      all.dims.push(dim);
      all.a.push(sa);
      all.b.push(sb);
    }
  }
  return Float64Array.from([...all.dims.reverse(), ...all.a.reverse(), ...all.b.reverse()]);
}

/** x * factor. */
export function scaled(x: Tensor, factor: number): Tensor {
  const out = allocate(x.dtype, x.shape, x.size);
  native.scale(out.raw, x.data, factor);
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
  if (x.size > 0) native.permute(out.raw, x.data, Float64Array.from([...shape, ...perm.map((d) => strides[d]!)]));
  return out;
}

/** Sums over `axes` (sorted positions), times `scale`; the result has `shape`. */
export function summed(x: Tensor, axes: readonly number[], shape: Shape, scale = 1): Tensor {
  const out = allocate(x.dtype, shape, sizeOf(shape));
  const axisSet = new Set(axes);
  // Runs of neighbouring dimensions that are all kept or all summed, those of size 1 belonging to any run.
  const runs: { summed: boolean; size: number }[] = [];
  x.shape.forEach((size, d) => {
    const isSummed = axisSet.has(d);
    const last = runs.at(-1);
    if (size === 1) return;
    if (last?.summed === isSummed) last.size *= size;
    else runs.push({ summed: isSummed, size });
  });
  const form = runs.map((run) => (run.summed ? 's' : 'k')).join('');
  const size = (i: number): number => runs[i]?.size ?? 1;
  const data = x.data;
  if (x.size === 0)
    out.raw.fill(0 * scale); // the mean of nothing is 0 times Infinity, NaN
  else if (form === '' || form === 'k') native.scale(out.raw, data, scale);
  else if (form === 's' || form === 'sk') native.sum(out.raw, data, 1, size(0), size(1), scale);
  else if (form === 'ks' || form === 'ksk') native.sum(out.raw, data, size(0), size(1), size(2), scale);
  else {
    const kept = x.shape.map((_, d) => d).filter((d) => !axisSet.has(d));
    const front = permuted(x, [...kept, ...axes]);
    native.sum(out.raw, front.data, out.size, x.size / out.size, 1, scale);
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
  if (x.size === 1) out.raw.fill(x.data[0]!);
  else if (out.size > 0) native.permute(out.raw, x.data, Float64Array.from([...shape, ...strides]));
  return out;
}

/** x's rows, each times its factor; as many rows as there are factors. */
export function scaledRows(x: Tensor, factors: Tensor): Tensor {
  const out = allocate(x.dtype, x.shape, x.size);
  native.scaleRows(out.raw, x.data, factors.data);
  return out;
}
