import { shown } from '../checks';
import { isFloatArray } from '../tensor/dtype';
import type { GradientAndVariable } from '../autodiff/gradients-and-variables';
import { IndexedSlices, storedValues, type Gradient } from '../tensor/indexed-slices';
import { sameShape, showShape } from '../tensor/shape';
import { alias, Tensor } from '../tensor/tensor';
import { Variable } from '../tensor/variable';

export type Pairs = readonly GradientAndVariable[];

/** @throws TypeError for what cannot be iterated, Error for nothing. */
export function pairsOf(gradsAndVars: Iterable<GradientAndVariable>): Pairs {
  if (typeof (gradsAndVars as Partial<Iterable<unknown>> | null)?.[Symbol.iterator] !== 'function') {
    throw new TypeError(`gradsAndVars must be an iterable of [gradient, variable] pairs, got ${shown(gradsAndVars)}`);
  }
  const pairs: Pairs = Array.isArray(gradsAndVars) ? (gradsAndVars as Pairs) : [...gradsAndVars];
  if (pairs.length === 0) throw new Error('No variables provided.');
  return pairs;
}

/**
 * All that is wrong with a list but for its gradients.
 * @throws TypeError for what is no pair, Error for lists without gradients and variables that occur twice.
 */
export function checkPairs(pairs: readonly unknown[]): asserts pairs is Pairs {
  const variables = new Set<Variable>();
  let hasGradient = false;
  for (const pair of pairs) {
    if (!Array.isArray(pair) || pair.length !== 2) {
      throw new TypeError(`gradsAndVars must hold [gradient, variable] pairs, got ${shown(pair)}`);
    }
    const [gradient, variable] = pair as unknown[];
    if (!(variable instanceof Variable)) {
      throw new TypeError(`gradsAndVars must pair gradients with Variables, got ${shown(variable)}`);
    }
    if (variables.has(variable)) throw new Error(`variable '${variable.name}' occurs twice in gradsAndVars`);
    variables.add(variable);
    hasGradient ||= gradient !== null;
  }
  if (!hasGradient) throw new Error(`No gradients provided for any variable: ${namesOf(variables)}.`);
}

/** A variable and its gradient, both checked. */
export interface Update {
  readonly variable: Variable;
  /** Dense: the whole; sparse: the rows. */
  readonly values: Tensor;
  readonly indices: Int32Array | undefined;
}

/**
 * The pairs that have a gradient, of which nothing can fail any more.
 * @throws what pairsOf, checkPairs and checkGradient throw, and Error for memory that is gone.
 */
export function checkedUpdates(gradsAndVars: Iterable<GradientAndVariable>): Update[] {
  const pairs = pairsOf(gradsAndVars);
  checkPairs(pairs);
  return pairs.flatMap(([given, variable]) => {
    if (given === null) return [];
    void variable.data;
    const gradient = checkGradient(given, variable);
    const values = storedValues(gradient);
    void values.raw;
    return { variable, values, indices: gradient instanceof IndexedSlices ? gradient.indices : undefined };
  });
}

export function namesOf(variables: Iterable<Variable>): string {
  return `[${[...variables].map(({ name }) => `'${name}'`).join(', ')}]`;
}

/**
 * A variable's gradient, known to be one but for its memory, which may be gone.
 * @throws TypeError for a wrong kind, RangeError for shapes, lengths and indices.
 */
export function checkGradient(gradient: unknown, variable: Variable): Gradient {
  if (gradient instanceof IndexedSlices) return checkSparse(gradient, variable);
  const values = toGradientTensor(gradient, variable);
  if (values.dtype !== variable.dtype) refuseDType(values, variable);
  if (!sameShape(values.shape, variable.shape)) {
    throw new RangeError(
      `gradient of '${variable.name}' has shape ${showShape(values.shape)}, expected ${showShape(variable.shape)}`,
    );
  }
  return values;
}

function refuseDType(values: Tensor, variable: Variable): never {
  throw new TypeError(`gradient of '${variable.name}' is ${values.dtype}, expected ${variable.dtype}`);
}

/** A dense gradient as a tensor. @throws TypeError for another kind, RangeError for an array of another length. */
export function toGradientTensor(gradient: unknown, variable: Variable): Tensor {
  if (gradient instanceof Tensor) return gradient;
  if (gradient instanceof Variable) return gradient.value;
  if (isFloatArray(gradient)) {
    if (gradient.length !== variable.size) {
      throw new RangeError(`gradient of '${variable.name}' has ${gradient.length} elements, expected ${variable.size}`);
    }
    return alias(gradient, variable.shape);
  }
  throw new TypeError(
    `gradient of '${variable.name}' must be a Tensor, IndexedSlices, a typed array or null, got ${shown(gradient)}`,
  );
}

function checkSparse(gradient: IndexedSlices, variable: Variable): IndexedSlices {
  const { values, indices } = gradient;
  const of = `gradient of '${variable.name}'`;
  if (variable.shape.length === 0) throw new RangeError(`${of} is sparse, but the variable has no rows`);
  if (variable.constraint !== null) {
    throw new Error(`${of} is sparse, but the variable has a constraint: it needs a dense gradient`);
  }
  if (values.dtype !== variable.dtype) refuseDType(values, variable);
  const expected = [indices.length, ...variable.shape.slice(1)];
  if (!sameShape(values.shape, expected)) {
    throw new RangeError(`${of} has values of shape ${showShape(values.shape)}, expected ${showShape(expected)}`);
  }
  const rows = variable.shape[0]!;
  const bad = indices.findIndex((index) => index < 0 || index >= rows);
  if (bad >= 0) {
    throw new RangeError(`${of} has indices[${bad}] = ${indices[bad]}, expected 0 to ${rows} (exclusive)`);
  }
  return gradient;
}
