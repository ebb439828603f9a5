import { shown } from '../../checks';
import { convolutions } from './conv2d';
import { elementwise } from './elementwise';
import { gathers } from './gather';
import type { BackendName, Kernel, KernelConfig, KernelFunction, Place, Tf, TfWithKernels } from './kernel';
import { matMuls } from './mat-mul';
import { cpuMemory, wasmMemory } from './memory';
import { pools } from './pool';
import { rows } from './rows';

export type { TfWithKernels } from './kernel';

/** A kernel of TensorFlow.js that gradstep runs, by the names it is registered under. */
export interface AcceleratedKernel {
  readonly kernelName: string;
  readonly backendName: string;
}

/** The type of `accelerate`. */
export interface Accelerate {
  (tf: TfWithKernels): void;
  /** Registers again what TensorFlow.js had, as it was; what it had not goes. Nothing where nothing is accelerated. */
  off(): void;
  /** What is registered at present. */
  readonly kernels: readonly AcceleratedKernel[];
}

interface Installed extends AcceleratedKernel {
  readonly tf: Tf;
  readonly ours: KernelConfig;
  readonly theirs: KernelConfig | undefined;
}

const kernels: readonly Kernel[] = [...matMuls, ...convolutions, ...pools, ...rows, ...elementwise, ...gathers];
const memories = { cpu: cpuMemory, wasm: wasmMemory };

let installed: Installed[] = [];

/** Ours for what we do, theirs for all else. */
function functionOf(kernel: Kernel, place: Place, theirs: KernelFunction | undefined): KernelFunction {
  const { name, added } = kernel;
  if (theirs !== undefined) return (call) => kernel.run(call, place) ?? theirs(call);
  return (call) => {
    const result = kernel.run(call, place);
    if (result !== undefined) return result;
    throw new Error(`${name} of gradstep/tfjs on the backend '${place.backendName}' takes ${added!.takes}`);
  };
}

function install(tf: Tf, kernel: Kernel, backendName: BackendName): void {
  const kernelName = kernel.name;
  const theirs = tf.getKernel(kernelName, backendName);
  if (installed.some(({ ours }) => ours === theirs)) return;
  if (theirs === undefined) {
    const isThere = tf.getKernel('Identity', backendName) !== undefined;
    if (kernel.added?.backend !== backendName || !isThere) return;
  }
  const kernelFunc = functionOf(kernel, { tf, backendName, memory: memories[backendName] }, theirs?.kernelFunc);
  // What theirs does when a backend starts and ends, ours does too.
  const ours = { ...theirs, kernelName, backendName, kernelFunc };
  if (theirs !== undefined) tf.unregisterKernel(kernelName, backendName);
  tf.registerKernel(ours);
  // One that somebody has replaced since is of no interest any more.
  installed = installed.filter((one) => one.kernelName !== kernelName || one.backendName !== backendName);
  installed.push({ tf, kernelName, backendName, ours, theirs });
}

function checkTf(tf: unknown): asserts tf is Tf {
  const functions = ['getKernel', 'registerKernel', 'unregisterKernel'];
  const isTf =
    typeof tf === 'object' && tf !== null && functions.every((name) => typeof (tf as never)[name] === 'function');
  if (isTf && typeof (tf as { backend_util?: unknown }).backend_util === 'object') return;
  throw new TypeError(`accelerate takes the namespace of TensorFlow.js, as in accelerate(tf), got ${shown(tf)}`);
}

function off(): void {
  for (const { tf, kernelName, backendName, ours, theirs } of installed) {
    if (tf.getKernel(kernelName, backendName) !== ours) continue; // somebody else's by now
    tf.unregisterKernel(kernelName, backendName);
    if (theirs !== undefined) tf.registerKernel(theirs);
  }
  installed = [];
}

/**
 * Lets TensorFlow.js's backends 'cpu' and 'wasm' compute with gradstep's kernels where these are faster, over the same
 * memory: products of matrices, gradients of convolutions and of pooling, `gather`; on the CPU also convolutions, pooling,
 * softmax, sums, transposition and functions of elements. Adds what the WASM backend lacks: `UnsortedSegmentSum`, without which
 * embeddings cannot be trained there, and `Conv2DBackpropFilter`, without which convolutions cannot.
 *
 * Results agree with TensorFlow.js's within the rounding of float32, but for two kernels that are wrong on WASM:
 * `_FusedMatMul` with a bias and a transposed input, and `MaxPoolGrad` where maxima are negative, which are as on the CPU; and
 * `UnsortedSegmentSum` on the CPU, where a NaN is in its own segment only. A filter that is not finite makes NaN also
 * where it lies on padding. What is small, of another dtype than float32 or wrong is left to TensorFlow.js, with its errors.
 *
 * Only kernels that are registered are replaced: load the backends first, or call it again when one has been loaded. To
 * call it twice is harmless.
 *
 * @param tf the namespace of `@tensorflow/tfjs` or of `@tensorflow/tfjs-core`.
 * @throws TypeError for anything else.
 */
export const accelerate: Accelerate = Object.defineProperties(
  (tf: TfWithKernels): void => {
    checkTf(tf);
    for (const kernel of kernels) for (const backendName of kernel.backends) install(tf, kernel, backendName);
  },
  {
    off: { value: off, enumerable: true },
    kernels: {
      get: (): AcceleratedKernel[] => installed.map(({ kernelName, backendName }) => ({ kernelName, backendName })),
      enumerable: true,
    },
  },
) as Accelerate;
