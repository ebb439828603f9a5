// What gradstep knows of TensorFlow.js: the shapes of the few objects it touches, and where its one engine is. Nothing of
// it is imported, so that whichever copy the program has is the one that is used.

/** Marks the memory of one or more tensors. */
export type DataId = object;

/** A tensor of TensorFlow.js, as far as it is used here. */
export interface TfTensor {
  readonly dataId: DataId;
  readonly shape: number[];
  readonly dtype: string;
  readonly size: number;
  readonly isDisposed: boolean;
  /** Its values. */
  data(): Promise<ArrayLike<unknown>>;
  /** Gives its memory back. */
  dispose(): void;
}

/** A variable of TensorFlow.js, as far as it is used here. */
export interface TfVariable extends TfTensor {
  readonly name: string;
  trainable: boolean;
  /** Takes the value of a tensor. */
  assign(value: never): void;
}

/** A list of gradients or of weights, as TensorFlow.js has it. */
export interface TfNamedTensor {
  name: string;
  tensor: TfTensor;
}

/** What is common to all backends. */
export interface Backend {
  epsilon(): number;
}

/** How much of a program's tensors there is; see `tf.memory()`. */
interface EngineState {
  readonly gradientDepth: number;
  readonly tensorInfo: WeakMap<DataId, { readonly backend: Backend }>;
}

/** TensorFlow.js's engine: it has the variables, the tape and the backends. */
export interface Engine {
  readonly backend: Backend;
  readonly backendName: string;
  readonly registeredVariables: Readonly<Record<string, TfVariable | undefined>>;
  readonly state: EngineState;
  makeTensor(values: Float32Array | Int32Array, shape: readonly number[], dtype: string): TfTensor;
  makeVariable(initial: TfTensor, trainable: boolean, name?: string): TfVariable;
  gradients(
    f: () => TfTensor,
    xs: readonly TfVariable[],
    dy: null,
    allowNoGradients: boolean,
  ): { value: TfTensor; grads: (TfTensor | null | undefined)[] };
  isTapeOn(): boolean;
  keep(tensor: TfTensor): TfTensor;
  readSync(dataId: DataId): Float32Array;
  read(dataId: DataId): Promise<Float32Array>;
}

/** @throws Error where TensorFlow.js is not loaded. */
export function theEngine(): Engine {
  const engine = (globalThis as { _tfengine?: Engine })._tfengine;
  if (engine === undefined) {
    throw new Error(
      "gradstep/tfjs works inside TensorFlow.js, which is not loaded: import '@tensorflow/tfjs' (4.x) before an optimizer is made",
    );
  }
  return engine;
}

/** Gives a variable a value of its own, in memory of the active backend. */
export function assignCopy(engine: Engine, variable: TfVariable, values: Float32Array): void {
  const tensor = engine.makeTensor(values, variable.shape, 'float32');
  variable.assign(tensor as never);
  tensor.dispose();
}
