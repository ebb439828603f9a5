import { shown } from '../checks';
import { isFloatArray, newArray } from '../tensor/arrays';
import type { DType, FloatArray, TensorDType } from '../tensor/dtype';
import type { Gradient } from '../tensor/indexed-slices';
import { aliasOfGiven, checkFloats, isTensor, Tensor, type AnyTensor } from '../tensor/tensor';
import { Variable } from '../tensor/variable';
import { Memory } from '../tensor/memory';
import { callersPlace, trace } from '../tensor/trace';
import { inScope } from './scope';
import { goingBack, wayBack } from './way-back';

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
  /** Where the op was called, as the end of a sentence; told only where gradients of gradients may be asked for. */
  readonly place: string;
}

/** The ops that led from what is watched to a loss, in order. */
export class Tape {
  readonly entries: Entry[] = [];
  /** Trainable variables that were read, in order of first use. */
  readonly variables = new Set<Variable>();
  private readonly alone: readonly object[] = [this];

  /** `watched`: what to follow; null follows every trainable variable that is read. */
  constructor(private readonly watched: readonly Tensor[] | null) {
    for (const tensor of watched ?? []) this.follow(tensor);
  }

  touch(variable: Variable): void {
    if (!variable.trainable || this.variables.has(variable)) return;
    this.variables.add(variable);
    if (this.watched === null) this.follow(variable.value);
  }

  follow(tensor: AnyTensor): void {
    if (tensor.tapes === null) tensor.tapes = this.alone;
    else if (!tensor.tapes.includes(this)) tensor.tapes = [...tensor.tapes, this];
  }

  follows(tensor: AnyTensor): boolean {
    return tensor.tapes !== null && tensor.tapes.includes(this);
  }

  /** Notes how `output` came about, if an input is followed. */
  record(inputs: readonly AnyTensor[], output: AnyTensor, backward: Backward, place: string): void {
    if (!inputs.some((input) => this.follows(input))) return;
    this.follow(output);
    this.entries.push({ inputs: inputs as readonly Tensor[], output: output as Tensor, backward, place });
  }

  /** Forgets everything; entries hold on to whatever their ops used. */
  end(): void {
    this.entries.length = 0;
    for (const tensor of this.watched ?? []) this.leave(tensor);
    for (const { value } of this.variables) this.leave(value);
  }

  private leave(tensor: Tensor): void {
    const others = tensor.tapes?.filter((tape) => tape !== this) ?? [];
    tensor.tapes = others.length === 0 ? null : others;
  }
}

// Those that ops are recorded on, the outermost first: a function whose gradients are asked for may ask for others.
const recorders: Tape[] = [];

/** Whether ops are recorded, on any tape. */
export function isRecording(): boolean {
  return recorders.length > 0;
}

/** Runs `f` on a new tape, which ends with it. `watched` as in Tape. */
export function recording<T>(watched: readonly Tensor[] | null, f: (tape: Tape) => T): T {
  const tape = new Tape(watched);
  recorders.push(tape);
  try {
    return f(tape);
  } finally {
    stopRecording(tape);
    tape.end();
  }
}

/** Nothing more is recorded on this tape, the innermost: `f` walks it back, which is recorded on the others. */
export function goingBackFrom<T>(tape: Tape, f: () => T): T {
  stopRecording(tape);
  return goingBack([...recorders], f);
}

function stopRecording(tape: Tape): void {
  if (recorders.at(-1) === tape) recorders.pop();
}

/** Runs `f` with no op recorded, and tells which trainable variables it has read; those of tapes outside know too. */
export function recordingVariablesOnly<T>(f: () => T): { result: T; variables: Variable[] } {
  const outer = recorders.splice(0);
  const tape = new Tape([]);
  recorders.push(tape);
  try {
    const result = f();
    const variables = [...tape.variables];
    for (const other of outer) for (const variable of variables) other.touch(variable);
    return { result, variables };
  } finally {
    recorders.splice(0, recorders.length, ...outer);
    tape.end();
  }
}

/** Whether a tape that is recorded on follows this tensor: what is made of it has a gradient to pass on. */
export function isFollowed(tensor: AnyTensor): boolean {
  return tensor.tapes !== null && recorders.some((tape) => tape.follows(tensor));
}

export function isAnyFollowed(tensors: readonly (Tensor | null)[]): boolean {
  return recorders.length > 0 && tensors.some((tensor) => tensor !== null && isFollowed(tensor));
}

/**
 * Notes on each tape that follows an input how `output` came about. Returns `output`. Tapes follow floats only, and an op's
 * output is followed where an input is: one of another type is none of an op's that is recorded.
 */
export function record<D extends TensorDType>(
  inputs: readonly AnyTensor[],
  output: Tensor<D>,
  backward: Backward,
): Tensor<D> {
  if (recorders.length === 0) return output;
  if (recorders.length === 1 && wayBack === null) recorders[0]!.record(inputs, output, backward, '');
  else recordOnAll(inputs, output, backward);
  return output;
}

// On a way back that is recorded, what followed primitives made an op of is recorded already.
function recordOnAll(inputs: readonly AnyTensor[], output: AnyTensor, backward: Backward): void {
  const place = callersPlace();
  for (const tape of recorders) {
    if (wayBack === null || !tape.follows(output)) tape.record(inputs, output, backward, place);
  }
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
    for (const tape of recorders) tape.touch(value);
    const { memory } = value; // says so when it is gone
    if (trace !== null) trace.read(memory);
    return value.value;
  }
  if (isFloatArray(value)) return aliasOfGiven(value);
  if (typeof value === 'number') {
    const constant = new Tensor(Memory.of(newArray(dtype, 1).fill(value), dtype), []);
    wayBack?.own.add(constant);
    return constant;
  }
  const hint = Array.isArray(value) ? ': tensor(values) makes one of it' : '';
  throw new TypeError(`${name} must be a Tensor, a Variable, a typed array or a number, got ${shown(value)}${hint}`);
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
export function stopGradient<D extends TensorDType = DType>(x: TensorLike | Tensor<D>): Tensor<D> {
  const source = toAnyTensor<D>('x', x);
  return inScope(source.view(source.shape));
}
