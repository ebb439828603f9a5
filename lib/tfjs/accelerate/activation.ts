import type { KernelCall, KernelFunction, Place, TensorInfo } from './kernel';

// What fused kernels do to a product at the end.

const kernelNames: Readonly<Record<string, string>> = {
  relu: 'Relu',
  relu6: 'Relu6',
  elu: 'Elu',
  sigmoid: 'Sigmoid',
  leakyrelu: 'LeakyRelu',
  prelu: 'Prelu',
};

/** The activation that a call asks for, whether it is the product's own or a kernel's. */
export interface Activation {
  /** Of those that the product does by itself. */
  readonly relu: boolean;
  /** To be run over the product. */
  readonly kernel: KernelFunction | undefined;
}

/** The activation of a fused kernel, or undefined for one that is not known. */
export function activationOf({ attrs }: KernelCall, { tf, backendName }: Place): Activation | undefined {
  const name = attrs['activation'];
  if (name === undefined || name === null || name === 'linear') return { relu: false, kernel: undefined };
  if (name === 'relu') return { relu: true, kernel: undefined };
  const kernelName = kernelNames[name as string];
  const kernel = kernelName === undefined ? undefined : tf.getKernel(kernelName, backendName)?.kernelFunc;
  return kernel && { relu: false, kernel };
}

/** Runs an activation over a product, which is disposed of. */
export function activated(
  { inputs, attrs, backend }: KernelCall,
  { memory }: Place,
  { kernel }: Activation,
  x: TensorInfo,
): TensorInfo {
  if (kernel === undefined) return x;
  try {
    return kernel({
      inputs: { x, alpha: inputs['preluActivationWeights'] },
      attrs: { alpha: attrs['leakyreluAlpha'] },
      backend,
    }) as TensorInfo;
  } finally {
    memory.dispose(backend, x);
  }
}

/** Whether there is none, or one that products add by themselves: a float32 vector as long as their rows. */
export function isPlainBias(bias: TensorInfo | undefined, columns: number): boolean {
  if (bias === undefined || bias === null) return true;
  return bias.dtype === 'float32' && bias.shape.length === 1 && bias.shape[0] === columns;
}
