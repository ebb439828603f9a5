import { shown, isIterable } from '../checks';
import { isFloatArray, isInt32Array, lengthOf } from '../tensor/arrays';
import type { GradientAndVariable } from '../autodiff/gradients-and-variables';
import { IndexedSlices, storedValues, type Gradient } from '../tensor/indexed-slices';
import { sameShape, showShape } from '../tensor/shape';
import { aliasOfGiven, checkFloats, isTensor, type Tensor } from '../tensor/tensor';
import { Variable } from '../tensor/variable';

/** A list of pairs, read once: nothing is asked of it again. */
export interface Read {
  readonly gradients: readonly unknown[];
  readonly variables: readonly unknown[];
  /** How many gradients are null. */
  readonly missing: number;
}

/**
 * @param expected the variables of a list that starts with this one, if there is such a list: where they come again, no
 * list of them is made.
 * @throws TypeError for what cannot be iterated and for what is no pair, Error for nothing.
 */
export function readPairs(gradsAndVars: unknown, expected?: (first: unknown) => readonly unknown[] | undefined): Read {
  if (!isIterable(gradsAndVars)) {
    throw new TypeError(`gradsAndVars must be an iterable of [gradient, variable] pairs, got ${shown(gradsAndVars)}`);
  }
  const pairs: readonly unknown[] = Array.isArray(gradsAndVars) ? gradsAndVars : [...gradsAndVars];
  const { length } = pairs; // a getter of one of the pairs could change the list while it is read
  if (length === 0) throw new Error('No variables provided.');
  const gradients = new Array<unknown>(length);
  let variables: unknown[] | null = null;
  let same: readonly unknown[] | undefined;
  let missing = 0;
  for (let i = 0; i < length; i++) {
    const pair = pairs[i];
    if (!Array.isArray(pair) || pair.length !== 2) {
      throw new TypeError(`gradsAndVars must hold [gradient, variable] pairs, got ${shown(pair)}${ofClip(pairs)}`);
    }
    const variable: unknown = pair[1];
    const gradient: unknown = pair[0];
    gradients[i] = gradient;
    if (gradient === null) missing++;
    if (i === 0) same = expected?.(variable);
    if (variables === null) {
      if (same !== undefined && same.length === length && same[i] === variable) continue;
      variables = (same ?? []).slice(0, i);
    }
    variables.push(variable);
  }
  return { gradients, variables: variables ?? same!, missing };
}

/** `[clipped, norm]`, where the first of them was meant. */
function ofClip([first, second, ...more]: readonly unknown[]): string {
  const isResult = Array.isArray(first) && typeof second === 'number' && more.length === 0;
  return isResult ? '; of what clipByGlobalNorm returns take the first: const [clipped, norm] = ...' : '';
}

/**
 * All that is wrong with a list but for its gradients.
 * @throws TypeError for what is no Variable, Error for lists without gradients and variables that occur twice.
 */
export function checkPairs({ gradients, variables, missing }: Read): void {
  const seen = new Set<Variable>();
  variables.forEach((variable, i) => {
    if (!(variable instanceof Variable)) {
      const order = gradients[i] instanceof Variable ? ': pairs are [gradient, variable], in this order' : '';
      throw new TypeError(`gradsAndVars must pair gradients with Variables, got ${shown(variable)}${order}`);
    }
    if (seen.has(variable)) throw new Error(`variable '${variable.name}' occurs twice in gradsAndVars`);
    seen.add(variable);
  });
  if (missing === gradients.length) {
    throw new Error(`No gradients provided for any variable: ${namesOf(seen)}.`);
  }
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
 * @throws what readPairs, checkPairs and checkGradient throw, and Error for memory that is gone.
 */
export function checkedUpdates(gradsAndVars: Iterable<GradientAndVariable>): Update[] {
  return updatesOf(readPairs(gradsAndVars));
}

/** The same of a list that has been read. */
export function updatesOf(read: Read): Update[] {
  checkPairs(read);
  return read.gradients.flatMap((given, i) => {
    if (given === null) return [];
    const variable = read.variables[i] as Variable;
    void variable.memory;
    const gradient = checkGradient(given, variable);
    const values = storedValues(gradient);
    values.memory.locate();
    return { variable, values, indices: gradient instanceof IndexedSlices ? gradient.indices : undefined };
  });
}

/**
 * A list whose gradients are all known to be some; all of them may be null.
 * @throws what readPairs and checkGradient throw, TypeError for what is no Variable, Error for memory that is gone and variables
 * that occur twice.
 */
export function checkedPairs(gradsAndVars: Iterable<GradientAndVariable>): [Gradient | null, Variable][] {
  const read = readPairs(gradsAndVars);
  checkPairs({ ...read, missing: 0 });
  return read.gradients.map((given, i) => {
    const variable = read.variables[i] as Variable;
    if (given === null) return [null, variable];
    const gradient = checkGradient(given, variable);
    storedValues(gradient).memory.locate();
    return [gradient, variable];
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
  // A shape is what somebody has said; the memory is what there is.
  if (values.size !== variable.size) {
    throw new RangeError(`gradient of '${variable.name}' has ${values.size} elements, expected ${variable.size}`);
  }
  return values;
}

function refuseDType(values: Tensor, variable: Variable): never {
  throw new TypeError(`gradient of '${variable.name}' is ${values.dtype}, expected ${variable.dtype}`);
}

/** A dense gradient as a tensor. @throws TypeError for another kind, RangeError for an array of another length. */
export function toGradientTensor(gradient: unknown, variable: Variable): Tensor {
  if (isTensor(gradient)) {
    checkFloats(`gradient of '${variable.name}'`, gradient);
    return gradient;
  }
  if (gradient instanceof Variable) return gradient.value;
  if (isFloatArray(gradient)) {
    const count = lengthOf(gradient);
    if (count !== variable.size) {
      throw new RangeError(`gradient of '${variable.name}' has ${count} elements, expected ${variable.size}`);
    }
    return aliasOfGiven(gradient, variable.shape);
  }
  throw new TypeError(
    `gradient of '${variable.name}' must be a Tensor, IndexedSlices, a typed array or null, got ${shown(gradient)}${
      Array.isArray(gradient) ? ': make it one with tensor() or Float32Array.from()' : ''
    }`,
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
  if (!isInt32Array(indices)) throw new TypeError(`${of} must have an Int32Array of indices, got ${shown(indices)}`);
  const expected = [lengthOf(indices), ...variable.shape.slice(1)];
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
