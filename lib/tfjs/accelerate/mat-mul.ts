import { native } from '../../native';
import { broadcastShapes, sameShape, sizeOf } from '../../tensor/shape';
import { activated, activationOf, isPlainBias } from './activation';
import { isFloat32, type Kernel, type KernelCall, type Place, type TensorInfo } from './kernel';
import { computed } from './memory';

// Below so many multiplications in one product TensorFlow.js is done before we have started.
const leastProducts = 512;

interface Shapes {
  readonly out: number[];
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly batchA: number;
  readonly batchB: number;
}

/** Undefined for what does not fit, and for batches that broadcast in another way than one matrix for all of the others. */
function shapesOf(a: TensorInfo, b: TensorInfo, transposeA: boolean, transposeB: boolean): Shapes | undefined {
  const rankA = a.shape.length;
  const rankB = b.shape.length;
  if (rankA < 2 || rankB < 2) return undefined;
  const m = a.shape[rankA - (transposeA ? 1 : 2)]!;
  const k = a.shape[rankA - (transposeA ? 2 : 1)]!;
  const n = b.shape[rankB - (transposeB ? 2 : 1)]!;
  if (k !== b.shape[rankB - (transposeB ? 1 : 2)] || m * n * k < leastProducts) return undefined;
  if (rankA === 2 && rankB === 2) return { out: [m, n], m, n, k, batchA: 1, batchB: 1 };
  const leadA = a.shape.slice(0, -2);
  const leadB = b.shape.slice(0, -2);
  const batchA = sizeOf(leadA);
  const batchB = sizeOf(leadB);
  if (batchA !== 1 && batchB !== 1 && !sameShape(leadA, leadB)) return undefined;
  const lead = broadcastShapes(leadA, leadB)!;
  return { out: [...lead, m, n], m, n, k, batchA, batchB };
}

/** The product of a call's `a` and `b`, and what it adds to each row. */
function product(call: KernelCall, place: Place, bias: TensorInfo | undefined, relu: boolean): TensorInfo | undefined {
  const { a, b } = call.inputs;
  if (!isFloat32(a) || !isFloat32(b)) return undefined;
  const transposeA = call.attrs['transposeA'] === true;
  const transposeB = call.attrs['transposeB'] === true;
  const shapes = shapesOf(a, b, transposeA, transposeB);
  if (shapes === undefined || !isPlainBias(bias, shapes.n)) return undefined;
  const { out: shape, m, n, k, batchA, batchB } = shapes;
  return computed(call, place, bias ? [a, b, bias] : [a, b], shape, (out, left, right, added) => {
    const batch = Math.max(batchA, batchB);
    if (batch === 1 || (batchB === 1 && !transposeA)) {
      native.gemm(out, left, right, batch * m, n, k, transposeA, transposeB, added, relu);
      return;
    }
    const part = (values: Float32Array, size: number, i: number): Float32Array =>
      values.length === size ? values : values.subarray(i * size, (i + 1) * size);
    for (let i = 0; i < batch; i++) {
      const matrices = [part(out, m * n, i), part(left, m * k, i), part(right, k * n, i)] as const;
      native.gemm(...matrices, m, n, k, transposeA, transposeB, added, relu);
    }
  });
}

const batchMatMul: Kernel = {
  name: 'BatchMatMul',
  backends: ['cpu', 'wasm'],
  run: (call, place) => product(call, place, undefined, false),
};

const fusedMatMul: Kernel = {
  name: '_FusedMatMul',
  backends: ['cpu', 'wasm'],
  run(call, place) {
    const activation = activationOf(call, place);
    if (activation === undefined) return undefined;
    const result = product(call, place, call.inputs['bias'], activation.relu);
    return result && activated(call, place, activation, result);
  },
};

/** Matrix products. */
export const matMuls: readonly Kernel[] = [batchMatMul, fusedMatMul];
