import { isWhole, shown } from '../checks';
import type { Nested, NestedBooleans } from './dtype';

export type Shape = readonly number[];

export function sizeOf(shape: Shape): number {
  let size = 1;
  for (let d = 0; d < shape.length; d++) size *= shape[d]!; // iterators cost an object for each element
  return size;
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let d = 0; d < a.length; d++) if (a[d] !== b[d]) return false;
  return true;
}

const known = new Map<string, Shape>();
const mostKnown = 1024;

/** The same shape, never to change; mostly one array for all shapes that are equal, so that these compare at once. */
export function frozen(shape: Shape): Shape {
  const key = shape.join();
  const equal = known.get(key);
  if (equal !== undefined) return equal;
  const copy = Object.freeze([...shape]);
  if (known.size === mostKnown) known.clear();
  known.set(key, copy);
  return copy;
}

export function showShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

/** @throws TypeError or RangeError unless `shape` is an array of sizes. */
export function checkShape(name: string, shape: unknown): asserts shape is Shape {
  if (!Array.isArray(shape)) {
    const hint = typeof shape === 'number' ? `: write [${shape}]` : '';
    throw new TypeError(`${name} must be an array of sizes, got ${shown(shape)}${hint}`);
  }
  for (const dim of shape as unknown[]) {
    if (typeof dim !== 'number') throw new TypeError(`${name} must hold numbers, got ${shown(dim)}`);
    if (!isWhole(dim)) throw new RangeError(`${name} must hold whole numbers that are not negative, got ${shown(dim)}`);
  }
}

/** Axes as sorted positions; negative ones count from the end, undefined means all. */
export function normalizeAxes(
  name: string,
  axes: number | readonly number[] | undefined | null,
  rank: number,
): number[] {
  if (axes === undefined || axes === null) return Array.from({ length: rank }, (_, i) => i);
  const list: readonly unknown[] = Array.isArray(axes) ? axes : [axes];
  const positions = list.map((axis) => {
    if (typeof axis !== 'number' || !Number.isInteger(axis)) {
      const isOptions = typeof axis === 'object' && axis !== null;
      const hint = isOptions && !Array.isArray(axis) ? ': options come after them' : '';
      throw new TypeError(`${name} must be whole numbers, got ${shown(axis)}${hint}`);
    }
    if (axis < -rank || axis >= rank) {
      throw new RangeError(`${name} must lie in [${-rank}, ${rank}) for ${rank} dimensions, got ${axis}`);
    }
    return axis < 0 ? axis + rank : axis;
  });
  const sorted = [...new Set(positions)].sort((a, b) => a - b);
  if (sorted.length !== positions.length) throw new RangeError(`${name} must not repeat, got [${list.join(', ')}]`);
  return sorted;
}

/** Steps, in elements, from one index to the next along each dimension of a row-major array. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    strides[d] = stride;
    stride *= shape[d]!;
  }
  return strides;
}

/** The shape two shapes broadcast to, or null when they do not fit. */
export function broadcastShapes(a: Shape, b: Shape): Shape | null {
  const rank = Math.max(a.length, b.length);
  const shape = new Array<number>(rank);
  for (let d = 0; d < rank; d++) {
    const left = a[d - rank + a.length] ?? 1;
    const right = b[d - rank + b.length] ?? 1;
    if (left !== right && left !== 1 && right !== 1) return null;
    shape[d] = left === 1 ? right : left;
  }
  return shape;
}

// Deeper than any shape in use; an array that holds itself has no end.
const deepest = 32;
const mostNested = 2 ** 28;

/** The first element of nested arrays. */
export function firstOf(values: unknown): unknown {
  let first = values;
  for (let depth = 0; depth <= deepest && Array.isArray(first); depth++) first = first[0];
  return first;
}

/**
 * Shape and numbers of nested arrays, row-major; true is 1 and false is 0.
 * @param what what the elements are, for messages, and whether one is.
 * @throws TypeError for what is no element, RangeError for rows of different lengths.
 */
export function flatten(
  name: string,
  values: Nested | NestedBooleans,
  what: string,
  isElement: (value: unknown) => boolean,
): { shape: number[]; numbers: number[] } {
  const shape: number[] = [];
  for (let level: unknown = values; Array.isArray(level); level = level[0]) {
    if (shape.push(level.length) > deepest) throw new RangeError(`${name} must be nested to ${deepest} levels at most`);
  }
  // Rows that are one and the same array can stand for more numbers than there is memory.
  if (sizeOf(shape) > mostNested) {
    throw new RangeError(
      `${name} has ${sizeOf(shape)} numbers, in nested arrays at most ${mostNested}: give a typed array`,
    );
  }
  const numbers: number[] = [];
  const walk = (value: unknown, depth: number): void => {
    if (Array.isArray(value) && depth < shape.length) {
      if (value.length !== shape[depth]) throw new RangeError(`${name} must have rows of one length`);
      for (const item of value) walk(item, depth + 1);
    } else if (isElement(value) && depth === shape.length) {
      numbers.push(Number(value));
    } else if (isElement(value) || Array.isArray(value)) {
      throw new RangeError(`${name} must be nested to one depth`);
    } else {
      throw new TypeError(`${name} must hold ${what}, got ${shown(value)}`);
    }
  };
  walk(values, 0);
  return { shape, numbers };
}
