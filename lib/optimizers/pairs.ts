import { shown } from '../checks';
import { isFloatArray } from '../dtype';
import type { GradientAndVariable } from '../gradients-and-variables';
import { IndexedSlices } from '../indexed-slices';
import { sameShape, showShape } from '../shape';
import { alias, Tensor } from '../tensor';
import { Variable } from '../variable';

/** A variable of this step and its gradient, checked: nothing about it can fail any more. */
export interface Update {
  readonly variable: Variable;
  /** Dense: the whole; sparse: the rows. */
  readonly values: Tensor;
  readonly indices: Int32Array | undefined;
}

/**
 * The pairs that have a gradient, all of them checked.
 * @throws TypeError for a wrong kind, RangeError for shapes, lengths and indices, Error for lists without gradients,
 * variables that occur twice and memory that is gone.
 */
export function checkPairs(gradsAndVars: Iterable<GradientAndVariable>): Update[] {
  if (typeof (gradsAndVars as Partial<Iterable<unknown>> | null)?.[Symbol.iterator] !== 'function') {
    throw new TypeError(`gradsAndVars must be an iterable of [gradient, variable] pairs, got ${shown(gradsAndVars)}`);
  }
  const pairs: readonly unknown[] = Array.isArray(gradsAndVars) ? gradsAndVars : [...gradsAndVars];
  if (pairs.length === 0) throw new Error('No variables provided.');
  const step = ++steps;
  const updates: Update[] = [];
  for (const pair of pairs) {
    if (!Array.isArray(pair) || pair.length !== 2) {
      throw new TypeError(`gradsAndVars must hold [gradient, variable] pairs, got ${shown(pair)}`);
    }
    const gradient: unknown = pair[0];
    const variable: unknown = pair[1];
    if (!(variable instanceof Variable)) {
      throw new TypeError(`gradsAndVars must pair gradients with Variables, got ${shown(variable)}`);
    }
    if (variable.lastStep === step) throw new Error(`variable '${variable.name}' occurs twice in gradsAndVars`);
    variable.lastStep = step;
    if (gradient !== null) updates.push(checkUpdate(gradient, variable));
  }
  if (updates.length === 0) {
    const variables = pairs.map((pair) => (pair as GradientAndVariable)[1]);
    throw new Error(`No gradients provided for any variable: ${namesOf(variables)}.`);
  }
  return updates;
}

// Numbers the lists that are checked: what a variable remembers of it tells one that occurs twice.
let steps = 0;

export function namesOf(variables: Iterable<Variable>): string {
  return `[${[...variables].map(({ name }) => `'${name}'`).join(', ')}]`;
}

function checkUpdate(gradient: unknown, variable: Variable): Update {
  void variable.data; // throws when its memory is gone
  if (gradient instanceof IndexedSlices) return checkSparse(gradient, variable);
  const values = toGradientTensor(gradient, variable);
  if (values.dtype !== variable.dtype) refuseDType(values, variable);
  if (!sameShape(values.shape, variable.shape)) {
    throw new RangeError(
      `gradient of '${variable.name}' has shape ${showShape(values.shape)}, expected ${showShape(variable.shape)}`,
    );
  }
  void values.raw;
  return { variable, values, indices: undefined };
}

function refuseDType(values: Tensor, variable: Variable): never {
  throw new TypeError(`gradient of '${variable.name}' is ${values.dtype}, expected ${variable.dtype}`);
}

function toGradientTensor(gradient: unknown, variable: Variable): Tensor {
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

function checkSparse({ values, indices }: IndexedSlices, variable: Variable): Update {
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
  void values.raw;
  return { variable, values, indices };
}
