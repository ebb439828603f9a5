import { shown } from '../checks';

/** What JSON can say. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/**
 * Yours, as `state.json` has it and a restore gives it back.
 * @returns a copy. @throws TypeError, RangeError for what would come back as something else.
 */
export function checkedMetadata(metadata: unknown): JsonValue {
  if (metadata === undefined) return null;
  const copy = copyOf('metadata', metadata, 0);
  const { length } = JSON.stringify(copy);
  if (length > mostCharacters)
    throw new RangeError(`metadata must have at most ${mostCharacters} characters, got ${length}`);
  return copy;
}

/** Less than a reader would refuse: large things belong into tensors. */
const mostCharacters = 2 ** 24;

const deepest = 100;

function copyOf(what: string, value: unknown, depth: number): JsonValue {
  if (depth > deepest) throw new RangeError(`${what} is nested more than ${deepest} deep`);
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') {
    if (Number.isFinite(value) && !Object.is(value, -0)) return value;
    throw new RangeError(`${what} must be a number that JSON has, got ${shown(value)}`);
  }
  if (Array.isArray(value)) {
    return Array.from(value as unknown[], (element, i) => copyOf(`${what}[${i}]`, element, depth + 1));
  }
  const prototype: unknown = typeof value === 'object' ? Object.getPrototypeOf(value) : undefined;
  if (prototype !== Object.prototype && prototype !== null) {
    throw new TypeError(`${what} must be a string, number, boolean, null, array or plain object, got ${shown(value)}`);
  }
  const entries = Object.entries(value as object).filter(([, own]) => own !== undefined);
  return Object.fromEntries(entries.map(([key, own]) => [key, copyOf(`${what}.${key}`, own, depth + 1)]));
}
