import type { Engine, TfTensor, TfVariable } from '../engine';
import { CopiedMemory } from './copied';
import { CpuMemory, type CpuBackend } from './cpu';
import { WasmMemory, type WasmBackend } from './wasm';

/**
 * Where a backend has its values. Between `begin` and `end` nothing else runs; what allocates comes before, since memory
 * may move when it grows.
 */
export interface BackendMemory {
  /**
   * Makes sure that nobody else sees what is written to the variable: it gets memory of its own where it shares any.
   * @returns how far after what `begin` returns its values lie, until it is claimed again.
   */
  claim(variable: TfVariable): number;
  /** Makes sure that a tensor is in this memory: it may be in another backend's yet. */
  reach(tensor: TfTensor): void;
  /** Called after everything that allocates and before the first address is asked for. Returns where the memory starts. */
  begin(): number;
  /** Where the values of a float32 tensor lie, which are only read; or undefined, where a variable's are that may be written. */
  addressToRead(tensor: TfTensor): number | undefined;
  /** The values of a float32 tensor, to be read at once. */
  arrayOf(tensor: TfTensor): Float32Array;
  /** Called for each variable, not for its slots, that a step has written to. */
  changed(variable: TfVariable): void;
  /** Called when the step is over. */
  end(): void;
}

const supported = "'cpu' and 'wasm' of TensorFlow.js";
const memories = new WeakMap<object, BackendMemory>();

/**
 * The memory of the active backend.
 *
 * @param copy whether any backend will do, by reading and assigning every value.
 * @throws Error for a backend whose memory cannot be reached.
 */
export function memoryOf(engine: Engine, copy: boolean): BackendMemory {
  const { backend } = engine;
  const known = memories.get(backend);
  if (known !== undefined) return known;
  const made = isCpu(backend)
    ? new CpuMemory(engine, backend)
    : isWasm(backend)
      ? new WasmMemory(engine, backend)
      : undefined;
  if (made !== undefined) {
    memories.set(backend, made);
    return made;
  }
  if (copy) return new CopiedMemory(engine);
  throw new Error(
    `gradstep/tfjs steps in the memory of the backends ${supported}, the active one is '${engine.backendName}': ` +
      `call tf.setBackend('wasm') or tf.setBackend('cpu'), or give the option copy: true, which reads and assigns all values in each step`,
  );
}

/** Whether steps can be made in the memory of the active backend. */
export const isReachable = ({ backend }: Engine): boolean => isCpu(backend) || isWasm(backend);

// By what they are made of rather than by name: a backend may be registered under any.
const isCpu = (backend: object): backend is CpuBackend =>
  'data' in backend && 'makeTensorInfo' in backend && 'blockSize' in backend;
const isWasm = (backend: object): backend is WasmBackend => 'wasm' in backend && 'dataIdMap' in backend;
