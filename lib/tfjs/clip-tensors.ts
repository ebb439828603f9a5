import { checkRange, isNotNegative, shown } from '../checks';
import { native } from '../native';
import { factorFor, globalFactorFor, NormTable } from './clipping';
import { theEngine, type Engine, type TfTensor } from './engine';
import type { MadeTensor } from './peer';
import { memoryOf, type BackendMemory } from './memory/memory';

// Clipping of tensors, for loops that do it themselves. Each returns new tensors, as an op does.

/** Options of the functions that clip. */
export interface ClipTensorsOptions {
  /** Works on any backend, by reading the values: slow. Default: false. */
  copy?: boolean;
}

/** Options of clipByGlobalNorm. */
export interface ClipByGlobalNormOptions extends ClipTensorsOptions {
  /** The norm, where it is known. */
  useNorm?: number | TfTensor;
}

const norms = new NormTable();

/**
 * All tensors by one factor, so that their norm together is at most `clipNorm`; NaN where the norm is not finite.
 *
 * @returns the clipped tensors and the norm, a scalar; null stays null.
 * @throws TypeError or RangeError for a clipNorm that is negative or no number, TypeError for what is no float32 tensor,
 * Error while gradients are computed: it has none.
 */
export function clipByGlobalNorm<T extends TfTensor | null | undefined>(
  tensors: readonly T[],
  clipNorm: number,
  options: ClipByGlobalNormOptions = {},
): [clipped: T[], norm: MadeTensor] {
  checkClipNorm(clipNorm);
  const { engine, memory } = begin(tensors, options);
  const { useNorm } = options;
  const norm = useNorm === undefined ? normOf(memory, tensors) : valueOfScalar(engine, useNorm);
  const factor = globalFactorFor(norm, clipNorm);
  const clipped = tensors.map((tensor) => (isTensor(tensor) ? scaled(engine, memory, tensor, factor) : tensor) as T);
  return [clipped, scalar(engine, norm)];
}

/** The norm of all values of all tensors, a scalar. @throws what clipByGlobalNorm throws. */
export function globalNorm(
  tensors: readonly (TfTensor | null | undefined)[],
  options: ClipTensorsOptions = {},
): MadeTensor {
  const { engine, memory } = begin(tensors, options);
  return scalar(engine, normOf(memory, tensors));
}

/** One tensor, so that its norm is at most `clipNorm`. @throws what clipByGlobalNorm throws. */
export function clipByNorm<T extends TfTensor>(tensor: T, clipNorm: number, options: ClipTensorsOptions = {}): T {
  return clipOne(tensor, clipNorm, options, 1);
}

/** One tensor, so that its norm divided by its size is at most `clipNorm`. @throws what clipByGlobalNorm throws. */
export function clipByAverageNorm<T extends TfTensor>(
  tensor: T,
  clipNorm: number,
  options: ClipTensorsOptions = {},
): T {
  return clipOne(tensor, clipNorm, options, tensor.size);
}

function clipOne<T extends TfTensor>(tensor: T, clipNorm: number, options: ClipTensorsOptions, divisor: number): T {
  checkClipNorm(clipNorm);
  const { engine, memory } = begin([tensor], options);
  const factor = factorFor(normOf(memory, [tensor]) / divisor, clipNorm);
  return scaled(engine, memory, tensor, factor) as T;
}

const checkClipNorm = (clipNorm: unknown): void =>
  checkRange('clipNorm', clipNorm, 'a number that is not negative', isNotNegative);

const isTensor = (tensor: TfTensor | null | undefined): tensor is TfTensor => tensor !== null && tensor !== undefined;

function begin(
  tensors: readonly (TfTensor | null | undefined)[],
  { copy = false }: ClipTensorsOptions,
): { engine: Engine; memory: BackendMemory } {
  const list: unknown = tensors;
  if (!Array.isArray(list)) throw new TypeError(`tensors must be an array, got ${shown(list)}`);
  const engine = theEngine();
  if (engine.isTapeOn())
    throw new Error('clipping has no gradient: clip what computeGradients or variableGrads returns');
  const memory = memoryOf(engine, copy);
  for (const tensor of tensors) {
    if (!isTensor(tensor)) continue;
    if (tensor.dtype !== 'float32')
      throw new TypeError(`tensors must be float32, got ${tensor.dtype ?? shown(tensor)}`);
    if (tensor.isDisposed) throw new Error('a tensor to clip has been disposed of');
    memory.reach(tensor);
  }
  return { engine, memory };
}

function normOf(memory: BackendMemory, tensors: readonly (TfTensor | null | undefined)[]): number {
  norms.clear();
  for (const tensor of tensors) {
    if (isTensor(tensor) && tensor.size > 0) norms.add(native.addressOf(memory.arrayOf(tensor)), tensor.size);
  }
  return norms.norm;
}

function scaled(engine: Engine, memory: BackendMemory, tensor: TfTensor, factor: number): TfTensor {
  const out = new Float32Array(tensor.size);
  native.scale(out, memory.arrayOf(tensor), factor);
  return engine.makeTensor(out, tensor.shape, 'float32');
}

const scalar = (engine: Engine, value: number): MadeTensor => engine.makeTensor(Float32Array.of(value), [], 'float32');

function valueOfScalar(engine: Engine, norm: number | TfTensor): number {
  if (typeof norm === 'number') return norm;
  const isScalar = typeof norm === 'object' && norm !== null && norm.size === 1 && norm.dtype === 'float32';
  if (!isScalar || norm.isDisposed) throw new TypeError(`useNorm must be a number or a scalar, got ${shown(norm)}`);
  return engine.readSync(norm.dataId)[0]!;
}
