import { kindOf, lengthOf } from '../../tensor/arrays';
import { sizeOf } from '../../tensor/shape';
import type { CpuBackend } from '../memory/cpu';
import type { WasmBackend } from '../memory/wasm';
import type { KernelCall, Place, TensorInfo } from './kernel';

// Where kernels find their inputs and put their results. A result is always memory of its own: what is a view of an input
// would share memory in a way that nobody counts.

export interface KernelMemory {
  /** Makes sure that a tensor's values are in this memory; false where they are not what its dtype says. */
  reach(backend: object, tensor: TensorInfo): boolean;
  /** A new float32 tensor whose values are anything. */
  make(backend: object, shape: readonly number[]): TensorInfo;
  /** The values of a float32 tensor, until something else is made. */
  floats(backend: object, tensor: TensorInfo): Float32Array;
  /** The same of an int32 one. */
  integers(backend: object, tensor: TensorInfo): Int32Array;
  dispose(backend: object, tensor: TensorInfo): void;
}

interface Cpu extends CpuBackend {
  makeTensorInfo(shape: readonly number[], dtype: string, values: Float32Array): TensorInfo;
  disposeIntermediateTensorInfo(tensor: TensorInfo): void;
}

const arrayKinds: Readonly<Record<string, string>> = { float32: 'Float32Array', int32: 'Int32Array' };

export const cpuMemory: KernelMemory = {
  reach(backend, { dataId, dtype, shape }) {
    const { values } = (backend as Cpu).data.get(dataId);
    return kindOf(values) === arrayKinds[dtype] && lengthOf(values) === sizeOf(shape);
  },
  make: (backend, shape) => (backend as Cpu).makeTensorInfo(shape, 'float32', new Float32Array(sizeOf(shape))),
  floats: (backend, { dataId }) => (backend as Cpu).data.get(dataId).values,
  integers: (backend, { dataId }) => (backend as Cpu).data.get(dataId).values as unknown as Int32Array,
  dispose: (backend, tensor) => (backend as Cpu).disposeIntermediateTensorInfo(tensor),
};

interface Wasm extends WasmBackend {
  makeOutput(shape: readonly number[], dtype: string): TensorInfo;
  disposeData(dataId: object): void;
}

const offsetOf = (backend: object, { dataId }: TensorInfo): number =>
  (backend as Wasm).dataIdMap.get(dataId).memoryOffset;
const heapOf = (backend: object): ArrayBufferLike => (backend as Wasm).wasm.HEAPU8.buffer; // another after it has grown

export const wasmMemory: KernelMemory = {
  reach(backend, { dataId, dtype }) {
    (backend as Wasm).dataIdMap.get(dataId);
    return dtype in arrayKinds;
  },
  make: (backend, shape) => (backend as Wasm).makeOutput(shape, 'float32'),
  floats: (backend, tensor) => new Float32Array(heapOf(backend), offsetOf(backend, tensor), sizeOf(tensor.shape)),
  integers: (backend, tensor) => new Int32Array(heapOf(backend), offsetOf(backend, tensor), sizeOf(tensor.shape)),
  dispose: (backend, { dataId }) => (backend as Wasm).disposeData(dataId),
};

/**
 * A new tensor of this shape, which `compute` fills from the values of float32 inputs. Nothing may be allocated in the
 * backend meanwhile.
 *
 * @returns undefined where an input has no such values; then nothing has happened.
 */
export function computed(
  { backend }: KernelCall,
  { memory }: Place,
  inputs: readonly TensorInfo[],
  shape: readonly number[],
  compute: (out: Float32Array, ...values: Float32Array[]) => void,
): TensorInfo | undefined {
  for (const input of inputs) if (!memory.reach(backend, input)) return undefined;
  return filled(backend, memory, shape, (out) => compute(out, ...inputs.map((input) => memory.floats(backend, input))));
}

/** A new tensor of this shape with the values that `fill` writes; none where that throws. */
export function filled(
  backend: object,
  memory: KernelMemory,
  shape: readonly number[],
  fill: (out: Float32Array) => void,
): TensorInfo {
  const out = memory.make(backend, shape);
  try {
    fill(memory.floats(backend, out));
  } catch (error) {
    memory.dispose(backend, out);
    throw error;
  }
  return out;
}
