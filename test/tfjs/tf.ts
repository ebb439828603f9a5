import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

// TensorFlow.js as `npm run test:tfjs` and `npm run bench` install it: beside the project, for its tests and benches alone.
// Its own types are not there when the tests are compiled, so here are those of the part that they use.

export interface Tensor {
  readonly shape: number[];
  readonly dtype: string;
  readonly size: number;
  readonly dataId: object;
  readonly isDisposed: boolean;
  dataSync(): Float32Array;
  data(): Promise<Float32Array>;
  bufferSync(): { readonly values: Float32Array };
  clone(): Tensor;
  dispose(): void;
  reshape(shape: number[]): Tensor;
  slice(begin: number | number[], size?: number | number[]): Tensor;
}

export interface Variable extends Tensor {
  readonly name: string;
  trainable: boolean;
  assign(value: Tensor): void;
}

export interface NamedTensor {
  name: string;
  tensor: Tensor;
}

export interface Optimizer {
  readonly iterations: number;
  learningRate: number;
  minimize(f: () => Tensor, returnCost?: boolean, varList?: Variable[]): Tensor | null;
  computeGradients(f: () => Tensor, varList?: Variable[]): { value: Tensor; grads: Record<string, Tensor> };
  applyGradients(gradients: Record<string, Tensor> | NamedTensor[]): void;
  getWeights(): Promise<NamedTensor[]>;
  saveIterations(): Promise<NamedTensor>;
  setWeights(weights: NamedTensor[]): Promise<void>;
  getClassName(): string;
  getConfig(): Record<string, unknown>;
  dispose(): void;
}

export interface Layer {
  trainable: boolean;
  getWeights(): Tensor[];
  setWeights(weights: Tensor[]): void;
}

export interface Model {
  optimizer: Optimizer;
  readonly layers: Layer[];
  compile(options: { optimizer: unknown; loss: string }): void;
  fit(x: Tensor, y: Tensor, options: object): Promise<{ history: { loss: number[] } }>;
  trainOnBatch(x: Tensor, y: Tensor): Promise<number>;
  evaluate(x: Tensor, y: Tensor, options?: object): Tensor;
  predict(x: Tensor): Tensor;
  getWeights(): Tensor[];
  setWeights(weights: Tensor[]): void;
  save(handler: unknown, options: object): Promise<unknown>;
  dispose(): void;
}

export interface Tf {
  readonly version_core: string;
  setBackend(name: string): Promise<boolean>;
  enableProdMode(): void;
  engine(): {
    startScope(): void;
    endScope(): void;
    readonly registryFactory: object;
    readonly registeredVariables: Readonly<Record<string, Variable | undefined>>;
  };
  backend(): object;
  memory(): { numTensors: number; numBytes: number; numDataBuffers: number };
  tidy<T>(f: () => T): T;
  keep<T extends Tensor>(tensor: T): T;
  dispose(tensors: unknown): void;
  tensor(values: readonly number[] | Float32Array, shape?: number[], dtype?: string): Tensor;
  scalar(value: number): Tensor;
  zeros(shape: number[]): Tensor;
  ones(shape: number[]): Tensor;
  oneHot(indices: Tensor, depth: number): Tensor;
  cast(x: Tensor, dtype: string): Tensor;
  reshape(x: Tensor, shape: number[]): Tensor;
  transpose(x: Tensor, axes?: number[]): Tensor;
  variable(initial: Tensor, trainable?: boolean, name?: string): Variable;
  add(a: Tensor, b: Tensor): Tensor;
  sub(a: Tensor, b: Tensor): Tensor;
  mul(a: Tensor, b: Tensor): Tensor;
  div(a: Tensor, b: Tensor): Tensor;
  sum(x: Tensor): Tensor;
  mean(x: Tensor): Tensor;
  square(x: Tensor): Tensor;
  sqrt(x: Tensor): Tensor;
  minimum(a: Tensor, b: Tensor): Tensor;
  moments(x: Tensor, axis: number, keepDims: boolean): { mean: Tensor; variance: Tensor };
  tanh(x: Tensor): Tensor;
  relu(x: Tensor): Tensor;
  prelu(x: Tensor, alpha: Tensor): Tensor;
  softmax(x: Tensor): Tensor;
  gather(x: Tensor, indices: Tensor): Tensor;
  matMul(a: Tensor, b: Tensor, transposeA?: boolean, transposeB?: boolean): Tensor;
  conv2d(x: Tensor, filter: Tensor, strides: number, pad: string): Tensor;
  depthwiseConv2d(x: Tensor, filter: Tensor, strides: number, pad: string): Tensor;
  einsum(equation: string, ...tensors: Tensor[]): Tensor;
  complex(real: Tensor, imag: Tensor): Tensor;
  real(x: Tensor): Tensor;
  imag(x: Tensor): Tensor;
  split(x: Tensor, parts: number): Tensor[];
  unstack(x: Tensor): Tensor[];
  stridedSlice(x: Tensor, begin: number[], end: number[]): Tensor;
  expandDims(x: Tensor): Tensor;
  unsortedSegmentSum(x: Tensor, segmentIds: Tensor, count: number): Tensor;
  variableGrads(f: () => Tensor, varList?: Variable[]): { value: Tensor; grads: Record<string, Tensor> };
  grads(f: (...xs: Tensor[]) => Tensor): (xs: Tensor[]) => Tensor[];
  registerBackend(name: string, factory: () => object): boolean;
  copyRegisteredKernels(from: string, to: string): void;
  readonly Optimizer: abstract new () => Optimizer;
  readonly AdamOptimizer: new (learningRate: number, beta1: number, beta2: number, epsilon?: number) => Optimizer;
  readonly fused: { matMul(options: { a: Tensor; b: Tensor; bias?: Tensor; activation?: string }): Tensor };
  readonly train: Readonly<Record<string, (...options: unknown[]) => Optimizer>>;
  readonly losses: { softmaxCrossEntropy(labels: Tensor, logits: Tensor): Tensor };
  readonly layers: Readonly<Record<string, (options: object) => Layer>>;
  sequential(options: { layers: Layer[] }): Model;
  loadLayersModel(handler: unknown): Promise<Model>;
  readonly io: {
    withSaveHandler(save: (artifacts: unknown) => Promise<object>): unknown;
    fromMemory(artifacts: object): unknown;
  };
  readonly serialization: {
    SerializationMap: { getMap(): { classNameMap: Record<string, readonly [object, unknown]> } };
  };
}

/** Where it is installed. */
export const peersFolder = join(__dirname, '..', '..', '..', '..', 'build', 'bench', 'peers');
const modules = join(peersFolder, 'node_modules');
const isInstalled = existsSync(join(modules, '@tensorflow', 'tfjs', 'package.json'));
/** The folder of its packages, or null where it is not installed. */
export const tfjsModules = isInstalled ? modules : null;

let loaded: Tf | undefined;

/** TensorFlow.js with its WASM backend, or null where it is not installed. */
export function loadTf(): Tf | null {
  if (!isInstalled) return null;
  if (loaded === undefined) {
    const requirePeer = createRequire(join(peersFolder, 'package.json'));
    loaded = requirePeer('@tensorflow/tfjs') as Tf;
    requirePeer('@tensorflow/tfjs-backend-wasm');
    loaded.enableProdMode(); // no advice on the console
  }
  return loaded;
}

export const backends = ['cpu', 'wasm'] as const;

/** Tests on each backend; where TensorFlow.js is not installed they are pending. */
export function describeOnBackends(what: string, tests: (tf: Tf, backend: string) => void): void {
  const tf = loadTf();
  for (const backend of backends) {
    describe(`${what}, TensorFlow.js on ${backend}`, () => {
      if (tf === null) return void it('is not installed: npm run test:tfjs installs it');
      before(async () => void (await tf.setBackend(backend)));
      beforeEach(() => tf.engine().startScope());
      afterEach(() => tf.engine().endScope());
      tests(tf, backend);
    });
  }
}
