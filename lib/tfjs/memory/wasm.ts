import { native } from '../../native';
import { assignCopy, type Backend, type DataId, type Engine, type TfTensor, type TfVariable } from '../engine';
import type { BackendMemory } from './memory';

interface WasmData {
  /** The tensor's number inside of the WebAssembly module. */
  readonly id: number;
  readonly memoryOffset: number;
  readonly refCount: number;
}

/** TensorFlow.js's WASM backend, as far as it is used here. */
export interface WasmBackend extends Backend {
  readonly dataIdMap: { get(dataId: DataId): WasmData };
  readonly wasm: {
    readonly HEAPU8: Uint8Array;
    readonly tfjs: {
      disposeData(id: number): void;
      registerTensor(id: number, size: number, memoryOffset: number): void;
    };
  };
}

/**
 * The heap of the WASM backend. What shares memory there is counted, and what leaves the heap is copied; but the heap may
 * grow between any two calls, and with it the buffer that JavaScript sees changes.
 */
export class WasmMemory implements BackendMemory {
  private base = 0;

  constructor(
    private readonly engine: Engine,
    private readonly backend: WasmBackend,
  ) {}

  claim(variable: TfVariable): number {
    const { dataIdMap } = this.backend;
    const data = dataIdMap.get(variable.dataId);
    if (data.refCount === 1) return data.memoryOffset;
    assignCopy(this.engine, variable, this.arrayOf(variable).slice()); // a copy: the heap may grow while it is written
    return dataIdMap.get(variable.dataId).memoryOffset;
  }

  reach(tensor: TfTensor): void {
    this.backend.dataIdMap.get(tensor.dataId);
  }

  begin(): number {
    return (this.base = native.addressOf(new Float32Array(this.backend.wasm.HEAPU8.buffer, 0, 1)));
  }

  addressToRead(tensor: TfTensor): number | undefined {
    // A tensor that is not a variable shares no memory with one that is claimed.
    return 'trainable' in tensor ? undefined : this.base + this.backend.dataIdMap.get(tensor.dataId).memoryOffset;
  }

  arrayOf(tensor: TfTensor): Float32Array {
    const { memoryOffset } = this.backend.dataIdMap.get(tensor.dataId);
    return new Float32Array(this.backend.wasm.HEAPU8.buffer, memoryOffset, tensor.size);
  }

  /** XNNPACK keeps weights packed for matMul, conv2d, depthwiseConv2d and prelu, by the tensor's number. */
  changed(variable: TfVariable): void {
    const { id, memoryOffset } = this.backend.dataIdMap.get(variable.dataId);
    this.backend.wasm.tfjs.disposeData(id);
    this.backend.wasm.tfjs.registerTensor(id, variable.size, memoryOffset);
  }

  end(): void {}
}
