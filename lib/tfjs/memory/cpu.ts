import { native } from '../../native';
import { assignCopy, type Backend, type DataId, type Engine, type TfTensor, type TfVariable } from '../engine';
import type { BackendMemory } from './memory';

// On the CPU backend a tensor is a typed array, and others may have the same memory: tensors with the same data id, which
// are counted; views that `slice`, `split` or `unstack` made of the array, and whoever was handed it by `dataSync`, which
// nobody counts. So a variable's values move into an array of ours before its first step, and what leaves that array from
// then on is copied: three hooks see to it. They know our arrays by where they start in their buffers.

interface CpuData {
  values: Float32Array;
  readonly refCount: number;
}

/** TensorFlow.js's CPU backend, as far as it is used here. */
export interface CpuBackend extends Backend {
  readonly data: { get(dataId: DataId): CpuData; has(dataId: DataId): boolean };
  write(values: unknown, shape: readonly number[], dtype: string): DataId;
}

/** Our arrays start here: anybody else's start at 0, but for views, which hardly ever start from here on. */
const startByte = 64;
const buffers = new WeakSet<ArrayBufferLike>();

function isOurs(values: unknown): values is Float32Array {
  const array = values as Float32Array | null | undefined;
  return array !== null && array !== undefined && array.byteOffset >= startByte && buffers.has(array.buffer);
}

/** A copy of the values that only we have. Ours, and known to the hooks, once `adopt` has been called with it. */
function copied(values: Float32Array): Float32Array {
  const copy = new Float32Array(new ArrayBuffer(startByte + values.byteLength), startByte, values.length);
  copy.set(values);
  return copy;
}

const adopt = (array: Float32Array): unknown => buffers.add(array.buffer);

export class CpuMemory implements BackendMemory {
  // Where an array lies, which is ours and goes nowhere.
  private readonly addresses = new WeakMap<Float32Array, number>();

  constructor(
    private readonly engine: Engine,
    private readonly backend: CpuBackend,
  ) {
    copyWhatIsRead(engine);
    copyWhatIsWritten(backend);
  }

  claim(variable: TfVariable): number {
    const data = this.backend.data.get(variable.dataId);
    const isShared = data.refCount > 1;
    const known = isShared ? undefined : this.addresses.get(data.values);
    if (known !== undefined) return known;
    const own = copied(data.values);
    if (isShared) assignCopy(this.engine, variable, own);
    else data.values = own;
    adopt(own);
    const address = native.addressOf(own);
    this.addresses.set(own, address);
    return address;
  }

  reach(tensor: TfTensor): void {
    this.backend.data.get(tensor.dataId);
  }

  begin(): number {
    return 0;
  }

  addressToRead(tensor: TfTensor): number | undefined {
    const { values } = this.backend.data.get(tensor.dataId);
    return isOurs(values) ? undefined : native.addressOf(values);
  }

  arrayOf(tensor: TfTensor): Float32Array {
    return this.backend.data.get(tensor.dataId).values;
  }

  changed(): void {}

  end(): void {}
}

const hooked = new WeakSet<object>();

/** What `dataSync`, `data` and `bufferSync` hand out is the array itself: of ours, a copy. */
function copyWhatIsRead(engine: Engine): void {
  if (hooked.has(engine)) return;
  hooked.add(engine);
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called on the engine, below
  const { readSync, read } = engine;
  const out = (values: Float32Array): Float32Array => (isOurs(values) ? values.slice() : values);
  engine.readSync = function (this: Engine, dataId) {
    return out(readSync.call(this, dataId));
  };
  engine.read = function (this: Engine, dataId) {
    const { backend } = this.state.tensorInfo.get(dataId)!;
    // Now rather than when the promise is asked: a step may come in between.
    if (hooked.has(backend)) {
      const { values } = (backend as CpuBackend).data.get(dataId);
      if (isOurs(values)) return Promise.resolve(values.slice());
    }
    return read.call(this, dataId);
  };
}

/** A kernel's result that is a view of one of our arrays becomes a copy. */
function copyWhatIsWritten(backend: CpuBackend): void {
  if (hooked.has(backend)) return;
  hooked.add(backend);
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called on the backend, below
  const { write } = backend;
  backend.write = function (this: CpuBackend, values, shape, dtype) {
    return write.call(this, isOurs(values) ? values.slice() : values, shape, dtype);
  };
}
