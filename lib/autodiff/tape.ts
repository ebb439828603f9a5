import { shown } from '../checks';
import { isFloatArray, newArray } from '../tensor/arrays';
import type { DType, FloatArray, TensorDType } from '../tensor/dtype';
import type { Gradient } from '../tensor/indexed-slices';
import { aliasOfGiven, checkFloats, isTensor, Tensor, type AnyTensor } from '../tensor/tensor';
import { Variable } from '../tensor/variable';
import { Memory } from '../tensor/memory';
import { trace } from '../tensor/trace';
import { inScope } from './scope';

/** What an op takes: a typed array counts as a tensor of one dimension, a number as one of none. */
export type TensorLike = Tensor | Variable | FloatArray | number;

/**
 * From the gradient of an op's output to those of its inputs, in the inputs' order. `needed[i]` tells whether input
 * i's is asked for; one that is not may be null, as may one that is zero.
 */
export type Backward = (dy: Tensor, needed: readonly boolean[]) => readonly (Gradient | null)[];

export interface Entry {
  readonly inputs: readonly Tensor[];
  readonly output: Tensor;
  readonly backward: Backward;
}

/** The ops that led from what is watched to a loss, in order. */
export class Tape {
  readonly entries: Entry[] = [];
  /** Trainable variables that were read, in order of first use. */
  readonly variables = new Set<Variable>();

  /** `watched`: what to follow; null follows every trainable variable that is read. */
  constructor(private readonly watched: readonly Tensor[] | null) {
    for (const tensor of watched ?? []) tensor.tape = this;
  }

  touch(variable: Variable): void {
    if (!variable.trainable || this.variables.has(variable)) return;
    this.variables.add(variable);
    if (this.watched === null) variable.value.tape = this;
  }

  follows(tensor: AnyTensor): boolean {
    return tensor.tape === this;
  }

  /** Forgets everything; entries hold on to whatever their ops used. */
  end(): void {
    this.entries.length = 0;
    for (const tensor of this.watched ?? []) tensor.tape = null;
    for (const variable of this.variables) variable.value.tape = null;
  }
}

let active: Tape | null = null;

/** Runs `f` on a new tape, which ends with it. `watched` as in Tape. */
export function recording<T>(watched: readonly Tensor[] | null, f: (tape: Tape) => T): T {
  if (active !== null) {
    throw new Error('gradients are being computed already; gradients of gradients are not supported');
  }
  const tape = new Tape(watched);
  active = tape;
  try {
    return f(tape);
  } finally {
    active = null;
    tape.end();
  }
}

/** Whether the active tape, if any, follows this tensor: what is made of it has a gradient to pass on. */
export function isFollowed(tensor: AnyTensor): boolean {
  return active !== null && active.follows(tensor);
}

export function isAnyFollowed(tensors: readonly (Tensor | null)[]): boolean {
  return active !== null && tensors.some((tensor) => tensor !== null && isFollowed(tensor));
}

/**
 * Notes on the active tape, if any follows an input, how `output` came about. Returns `output`. A tape follows floats only,
 * and what an op makes of them may be followed if it is of floats too.
 */
export function record<D extends TensorDType>(
  inputs: readonly AnyTensor[],
  output: Tensor<D>,
  backward: Backward,
): Tensor<D> {
  const tape = active;
  if (tape !== null && inputs.some((input) => tape.follows(input))) {
    output.tape = tape;
    tape.entries.push({ inputs: inputs as readonly Tensor[], output: output as AnyTensor as Tensor, backward });
  }
  return output;
}

/**
 * An op's input as a tensor of floats.
 * @param dtype what a bare number becomes.
 * @throws TypeError for anything else.
 */
export function toTensor(name: string, value: TensorLike, dtype: DType = 'float32'): Tensor {
  const tensor = toAnyTensor(name, value, dtype);
  checkFloats(name, tensor);
  return tensor;
}

/** The input of an op that takes elements of any type: see toTensor. */
export function toAnyTensor<D extends TensorDType = DType>(
  name: string,
  value: TensorLike | Tensor<D>,
  dtype: DType = 'float32',
): Tensor<D> {
  return isTensor(value) ? (value as Tensor<D>) : (fromOther(name, value, dtype) as AnyTensor as Tensor<D>);
}

function fromOther(name: string, value: Variable | FloatArray | number, dtype: DType): Tensor {
  if (value instanceof Variable) {
    active?.touch(value);
    const { memory } = value; // says so when it is gone
    if (trace !== null) trace.read(memory);
    return value.value;
  }
  if (isFloatArray(value)) return aliasOfGiven(value);
  if (typeof value === 'number') {
    return new Tensor(Memory.of(newArray(dtype, 1).fill(value), dtype), []);
  }
  throw new TypeError(`${name} must be a Tensor, a Variable, a typed array or a number, got ${shown(value)}`);
}

/** Two inputs of one op; a bare number takes the other's dtype. @throws TypeError when their dtypes differ. */
export function toTensors(nameA: string, a: TensorLike, nameB: string, b: TensorLike): [Tensor, Tensor] {
  const first = typeof a === 'number' ? toTensor(nameB, b) : toTensor(nameA, a); // a variable is read in a's turn
  const left = toTensor(nameA, a, first.dtype);
  const right = toTensor(nameB, b, first.dtype);
  if (left.dtype !== right.dtype) {
    throw new TypeError(`${nameA} is ${left.dtype} and ${nameB} is ${right.dtype}; they must be the same`);
  }
  return [left, right];
}

/** The same values, as a constant: no gradient flows through. */
export function stopGradient(x: TensorLike): Tensor {
  const source = toTensor('x', x);
  return inScope(source.view(source.shape));
}
