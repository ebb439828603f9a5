import { native } from '../../native';
import { sizeOf } from '../../tensor/shape';
import { isFloat32, type Kernel, type KernelCall, type Place, type TensorInfo } from './kernel';
import { filled } from './memory';

// What embeddings and batches are taken with, and its gradient. TensorFlow.js has that gradient on the CPU as a masked sum
// for each segment, and not at all on WASM (its issue 8082).

const leastElements = 64;

type Rows = (out: Float32Array, x: Float32Array, indices: Int32Array) => void;

/** A new tensor made of rows of x by a tensor of integers. */
function byIndices(
  { backend }: KernelCall,
  { memory }: Place,
  x: TensorInfo,
  indices: TensorInfo,
  shape: readonly number[],
  compute: Rows,
): TensorInfo {
  return filled(backend, memory, shape, (out) =>
    compute(out, memory.floats(backend, x), memory.integers(backend, indices)),
  );
}

const areBelow = (indices: Int32Array, limit: number): boolean => indices.every((index) => index >= 0 && index < limit);

/** Rows of x along its first axis. */
const gather: Kernel = {
  name: 'GatherV2',
  backends: ['cpu', 'wasm'],
  run(call, place) {
    const { inputs, attrs, backend } = call;
    const { x, indices } = inputs;
    if (!isFloat32(x) || indices?.dtype !== 'int32' || x.shape.length === 0 || attrs['axis'] !== 0) return undefined;
    if ((attrs['batchDims'] ?? 0) !== 0) return undefined;
    const [count, ...row] = x.shape as [number, ...number[]];
    const shape = [...indices.shape, ...row];
    const { memory } = place;
    if (sizeOf(shape) < leastElements || !memory.reach(backend, x) || !memory.reach(backend, indices)) return undefined;
    if (!areBelow(memory.integers(backend, indices), count)) return undefined;
    return byIndices(call, place, x, indices, shape, (out, values, at) =>
      native.gather(out, values, at, count, sizeOf(row)),
    );
  },
};

/** out[ids[i]] += x[i]; what belongs to no segment is left out. */
function addSegments(out: Float32Array, x: Float32Array, ids: Int32Array, count: number, columns: number): void {
  out.fill(0);
  if (areBelow(ids, count)) return native.scatterAdd(out, x, ids, count, columns, 1);
  ids.forEach((id, i) => {
    if (id < 0 || id >= count) return;
    for (let c = 0; c < columns; c++) out[id * columns + c]! += x[i * columns + c]!;
  });
}

/** out [numSegments, ...], out[s] being the sum of all x[i] with segmentIds[i] = s. */
const unsortedSegmentSum: Kernel = {
  name: 'UnsortedSegmentSum',
  backends: ['cpu', 'wasm'],
  added: { backend: 'wasm', takes: 'float32 values and an int32 vector of as many ids' },
  run(call, place) {
    const { x, segmentIds } = call.inputs;
    if (!isFloat32(x) || segmentIds?.dtype !== 'int32' || segmentIds.shape.length !== 1) return undefined;
    if (x.shape[0] !== segmentIds.shape[0]) return undefined;
    const { memory } = place;
    if (!memory.reach(call.backend, x) || !memory.reach(call.backend, segmentIds)) return undefined;
    const count = call.attrs['numSegments'] as number;
    const row = x.shape.slice(1);
    return byIndices(call, place, x, segmentIds, [count, ...row], (out, values, ids) =>
      addSegments(out, values, ids, count, sizeOf(row)),
    );
  },
};

/** Rows by their numbers, and back. */
export const gathers: readonly Kernel[] = [gather, unsortedSegmentSum];
