import { checkOptions, type NamesOf } from '../options';
import { shown } from '../checks';
import { isFloatArray } from '../tensor/arrays';
import type { FloatArray } from '../tensor/dtype';
import { IndexedSlices, storedValues, type Gradient } from '../tensor/indexed-slices';
import { sameShape, showShape } from '../tensor/shape';
import { alias, aliasOfGiven, checkFloats, isTensor, Tensor } from '../tensor/tensor';
import { kernels, trace } from '../tensor/trace';
import { Variable } from '../tensor/variable';
import { aggregate, AggregationMethod, checkAggregationMethod, toDense } from './aggregate';
import { FinalTargets, takeObserver, type WayBackObserver } from './observed';
import { allocate, inScope, withScope } from './scope';
import { goingBackFrom, record, recording, type Entry, type Tape } from './tape';
import { backwardOf, derived } from './way-back';

export interface Differentiation {
  /** The value of the function. */
  readonly value: Tensor;
  /** What the gradients are of: the sources given, else the trainable variables that were read. */
  readonly sources: readonly (Tensor | Variable)[];
  /** In the sources' order; null where the value does not depend on the source. */
  readonly gradients: readonly (Gradient | null)[];
}

/**
 * Runs `f` on a tape and walks it back. Every intermediate tensor goes back to the pool; value and gradients are the
 * caller's, each with memory of its own.
 */
export function differentiate(
  name: 'loss' | 'ys',
  f: () => Tensor,
  sources: readonly (Tensor | Variable)[] | null,
  givenGradY: Tensor | FloatArray | null,
  method: AggregationMethod,
): Differentiation {
  const watched = sources?.map(tensorOf) ?? null;
  const observer = takeObserver(); // what is differentiated inside of f is not its business
  return recording(watched, (tape) =>
    withScope(
      () => {
        const value = f();
        checkValue(name, value);
        const targets = sources ?? [...tape.variables];
        const gradY = gradYFor(name, givenGradY, value);
        observer?.begin(targets);
        const found = walkBack(tape, value, gradY, targets, method, observer);
        return { value: plainCopy(value), sources: targets, gradients: ownMemory(found) };
      },
      (result, escape) => {
        for (const gradient of result.gradients) {
          if (gradient !== null) escape(storedValues(gradient));
        }
      },
      { holdsAll: true },
    ),
  );
}

const tensorOf = (target: Tensor | Variable): Tensor => (target instanceof Variable ? target.value : target);

export function checkValue(name: string, value: unknown): asserts value is Tensor {
  if (isTensor(value)) return checkFloats(name, value);
  if (value instanceof Promise) throw new TypeError(`${name} must return a Tensor, got a Promise; it cannot be async`);
  throw new TypeError(`${name} must return a Tensor, got ${shown(value)}`);
}

/** @throws RangeError or TypeError where it does not fit the value. */
export function gradYFor(name: 'loss' | 'ys', given: Tensor | FloatArray | null, value: Tensor): Tensor | null {
  const gradY = isFloatArray(given) ? shapedLike(given, value) : given;
  checkGradY(name, gradY, value);
  return gradY;
}

// A typed array has no shape of its own; one of the right size fits any.
function shapedLike(array: FloatArray, value: Tensor): Tensor {
  return aliasOfGiven(array, array.length === value.size ? value.shape : undefined);
}

function checkGradY(name: 'loss' | 'ys', gradY: Tensor | null, value: Tensor): void {
  if (gradY === null) return;
  const gradName = { loss: 'gradLoss', ys: 'gradYs' }[name];
  if (!sameShape(gradY.shape, value.shape)) {
    throw new RangeError(
      `${gradName} has shape ${showShape(gradY.shape)}, ${name} has shape ${showShape(value.shape)}: they must be equal`,
    );
  }
  if (gradY.dtype !== value.dtype) {
    throw new TypeError(`${gradName} is ${gradY.dtype} and ${name} is ${value.dtype}; they must be the same`);
  }
}

export function walkBack(
  tape: Tape,
  value: Tensor,
  gradY: Tensor | null,
  targets: readonly (Tensor | Variable)[],
  method: AggregationMethod,
  observer: WayBackObserver | null = null,
): (Gradient | null)[] {
  const tensors = targets.map(tensorOf);
  const terms = new Map<Tensor, Gradient[]>();
  const sumOf = (tensor: Tensor): Gradient | null => {
    const parts = terms.get(tensor);
    if (parts === undefined) return null;
    if (parts.length > 1) parts.splice(0, parts.length, aggregate(parts, method));
    return parts[0]!;
  };
  const finals = observer === null ? null : new FinalTargets(tape, tensors);
  const tell = (known: readonly number[]): void => {
    for (const i of known) observer!.final(i, plainFactor(sumOf(tensors[i]!)));
  };
  return goingBackFrom(tape, () => {
    if (tape.follows(value)) terms.set(value, [gradY === null ? ones(value) : shared(gradY)]);
    if (finals !== null) tell(finals.atOnce);
    for (let i = tape.entries.length - 1; i >= 0; i--) {
      const entry = tape.entries[i]!;
      const dy = sumOf(entry.output);
      if (dy !== null) distribute(tape, entry, toDense(dy), terms);
      if (finals !== null) tell(finals.knownAfter(i));
    }
    return tensors.map(sumOf);
  });
}

// As `ownMemory` will give it: with the factor multiplied in.
function plainFactor(gradient: Gradient | null): Gradient | null {
  if (gradient === null || storedValues(gradient).factor === 1) return gradient;
  if (gradient instanceof Tensor) return copied(gradient);
  return new IndexedSlices(copied(gradient.values), gradient.indices, gradient.denseShape);
}

function distribute(tape: Tape, entry: Entry, dy: Tensor, terms: Map<Tensor, Gradient[]>): void {
  const { inputs } = entry;
  const needed = inputs.map((input) => tape.follows(input));
  const found = backwardOf(entry, dy, needed);
  for (let i = 0; i < inputs.length; i++) {
    const gradient = found[i] ?? null;
    if (gradient === null || needed[i] !== true) continue;
    const parts = terms.get(inputs[i]!);
    if (parts === undefined) terms.set(inputs[i]!, [gradient]);
    else parts.push(gradient);
  }
}

function ones(like: Tensor): Tensor {
  const result = allocate(like.dtype, like.shape, like.size);
  kernels.fill(result.operand, 1);
  return result;
}

// A caller's tensor that may be handed on: a view marks its memory as one that is not ours to give away.
function shared(tensor: Tensor): Tensor {
  return derived([tensor], inScope(tensor.view(tensor.shape)), (dy) => [dy]);
}

// The value outlives the step and is small as a rule: an array of the engine's own, so that nothing need be given back.
function plainCopy(value: Tensor): Tensor {
  if (trace === null) return record([value], alias(value.data.slice(), value.dtype, value.shape), (dy) => [dy]);
  return copied(value);
}

function copied(tensor: Tensor): Tensor {
  const copy = allocate(tensor.dtype, tensor.shape, tensor.size);
  kernels.copy(copy.operand, tensor.operand);
  return record([tensor], copy, (dy) => [dy]);
}

/**
 * An op may hand one gradient on to several inputs, or hand on what the caller passed in. Each gradient gets memory
 * that no other has, so that changing one in place changes nothing else.
 */
export function ownMemory(gradients: readonly (Gradient | null)[]): (Gradient | null)[] {
  const seen = new Set<Tensor>();
  const own = (tensor: Tensor): Tensor => {
    if (tensor.ownsMemory && tensor.factor === 1 && !seen.has(tensor)) {
      seen.add(tensor);
      return tensor;
    }
    return copied(tensor);
  };
  return gradients.map((gradient) => {
    if (gradient === null) return null;
    if (gradient instanceof Tensor) return own(gradient);
    return new IndexedSlices(own(gradient.values), gradient.indices, gradient.denseShape);
  });
}

export interface GradientsOptions {
  /** The gradient of the ys, of their shape. Default: ones. */
  gradYs?: Tensor | FloatArray;
  aggregationMethod?: AggregationMethod;
}

const gradientsNames: NamesOf<GradientsOptions> = { gradYs: true, aggregationMethod: true };

/**
 * Gradients of the sum of `ys()` with respect to each of `xs`: d sum(ys · gradYs) / d x.
 *
 * @param ys computes a tensor of any shape, with ops.
 * @param xs tensors or variables it reads.
 * @returns in the order of `xs`; null where `ys` does not depend on x. The memory is the caller's.
 * @throws TypeError for arguments of a wrong kind, RangeError when gradYs has another shape than ys.
 * Source: `tf.gradients`.
 * @example
 * const x = tensor([1, 2, 3]);
 * const [dx] = gradients(() => ops.square(x), [x]); // [2, 4, 6]
 */
export function gradients(
  ys: () => Tensor,
  xs: readonly (Tensor | Variable)[],
  options: GradientsOptions = {},
): (Gradient | null)[] {
  if (typeof ys !== 'function') throw new TypeError(`ys must be a function, got ${shown(ys)}`);
  if (!Array.isArray(xs)) throw new TypeError(`xs must be an array, got ${shown(xs)}`);
  for (const x of xs as unknown[]) {
    if (isTensor(x)) checkFloats('one of xs', x);
    else if (!(x instanceof Variable)) throw new TypeError(`xs must hold Tensors and Variables, got ${shown(x)}`);
  }
  checkOptions('options', options, gradientsNames);
  const { gradYs, aggregationMethod = AggregationMethod.ADD_N } = options;
  checkAggregationMethod(aggregationMethod);
  return [...differentiate('ys', ys, xs, toGradY('gradYs', gradYs), aggregationMethod).gradients];
}

/** @throws TypeError unless `value` is a tensor, a typed array or undefined. */
export function toGradY(name: string, value: unknown): Tensor | FloatArray | null {
  if (value === undefined || value === null) return null;
  if (isTensor(value)) checkFloats(name, value);
  if (isTensor(value) || isFloatArray(value)) return value as Tensor | FloatArray;
  throw new TypeError(`${name} must be a Tensor or a typed array, got ${shown(value)}`);
}
