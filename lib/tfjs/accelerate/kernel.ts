import type { DataId } from '../engine';
import type { KernelMemory } from './memory';

// A kernel as TensorFlow.js registers it, and as it is written here.

/** A tensor as kernels see it. */
export interface TensorInfo {
  readonly dataId: DataId;
  readonly shape: number[];
  readonly dtype: string;
}

/** What TensorFlow.js calls a kernel with. */
export interface KernelCall {
  readonly inputs: Readonly<Record<string, TensorInfo | undefined>>;
  readonly attrs: Readonly<Record<string, unknown>>;
  readonly backend: object;
}

export type KernelFunction = (call: KernelCall) => TensorInfo | TensorInfo[];

/** An entry of TensorFlow.js's registry. */
export interface KernelConfig {
  readonly kernelName: string;
  readonly backendName: string;
  readonly kernelFunc: KernelFunction;
}

/** What `backend_util` says of a convolution or a pooling. */
export interface ConvInfo {
  readonly batchSize: number;
  readonly inHeight: number;
  readonly inWidth: number;
  readonly inChannels: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly outChannels: number;
  readonly filterHeight: number;
  readonly filterWidth: number;
  readonly strideHeight: number;
  readonly strideWidth: number;
  readonly dilationHeight: number;
  readonly dilationWidth: number;
  readonly padInfo: { readonly top: number; readonly bottom: number; readonly left: number; readonly right: number };
  readonly inShape: number[];
  readonly outShape: number[];
  readonly filterShape: number[];
}

/** The part of TensorFlow.js's namespace that kernels are registered with, with its own types or without. */
export interface TfWithKernels {
  /** The kernel that is registered, if one is. */
  getKernel(kernelName: string, backendName: string): object | undefined;
  /** Registers a kernel. */
  registerKernel(config: never): void;
  /** Takes a kernel away. */
  unregisterKernel(kernelName: string, backendName: string): void;
  readonly backend_util: object;
}

/** The same as it is called here. */
export interface Tf {
  getKernel(kernelName: string, backendName: string): KernelConfig | undefined;
  registerKernel(config: KernelConfig): void;
  unregisterKernel(kernelName: string, backendName: string): void;
  readonly backend_util: {
    computeConv2DInfo(
      inShape: number[],
      filterShape: number[],
      strides: unknown,
      dilations: unknown,
      pad: unknown,
      roundingMode: unknown,
      depthwise: boolean,
      dataFormat: 'channelsLast',
    ): ConvInfo;
    computePool2DInfo(
      inShape: number[],
      filterSize: unknown,
      strides: unknown,
      dilations: unknown,
      pad: unknown,
      roundingMode: unknown,
    ): ConvInfo;
  };
}

export type BackendName = 'cpu' | 'wasm';

/** Where a kernel runs. */
export interface Place {
  readonly tf: Tf;
  readonly backendName: BackendName;
  readonly memory: KernelMemory;
}

/** One of ours. */
export interface Kernel {
  readonly name: string;
  readonly backends: readonly BackendName[];
  /** A backend that it is registered for even where TensorFlow.js has no such kernel, and what it takes. */
  readonly added?: { readonly backend: BackendName; readonly takes: string };
  /** The result, or undefined for what is left to TensorFlow.js's kernel: small, of another dtype, or wrong. */
  run(call: KernelCall, place: Place): TensorInfo | undefined;
}

export const isFloat32 = (tensor: TensorInfo | undefined): tensor is TensorInfo => tensor?.dtype === 'float32';
