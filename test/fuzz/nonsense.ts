import type { Picks } from './picks';

/** What the fuzzer's own functions throw: not the library's business, it lets it through. */
export class Mine extends Error {}

const trap = (): never => {
  throw new Mine('a trap');
};
const cyclic: unknown[] = [];
cyclic.push(cyclic);

type Make = () => unknown;

/** Values that are none of what any argument may be, or hardly. */
const makers: readonly [Make, ...Make[]] = [
  () => undefined,
  () => null,
  () => NaN,
  () => Infinity,
  () => -1,
  () => 0.5,
  () => 2 ** 53,
  () => 'x',
  () => '',
  () => true,
  () => ({}),
  () => [],
  () => [[1], [2, 3]],
  () => [undefined],
  () => Symbol('s'),
  () => 10n,
  () => () => 1,
  () => trap,
  () => new Map(),
  () => new Date(0),
  () => Object.create(null) as unknown,
  () => new Proxy({}, { get: trap, has: trap, ownKeys: trap }),
  () => new Proxy([], { get: trap }),
  () => ({ [Symbol.iterator]: trap }),
  () => ({ length: 3 }),
  () => new Int32Array(4),
  () => new DataView(new ArrayBuffer(8)),
  () => new ArrayBuffer(16),
  () => Promise.resolve(1),
  () => new Array(3) as unknown,
  () => Object.defineProperty(new Float32Array(4), 'length', { value: 2 ** 20 }),
  () =>
    new (class extends Float32Array {
      override get length(): number {
        return 2 ** 20;
      }
    })(4),
  () => cyclic,
];

export function nonsense(picks: Picks): unknown {
  return picks.of(makers)();
}

/** What is given, or once in a while nonsense in its place. */
export function perhaps<T>(picks: Picks, value: T, percent = 3): T {
  return picks.isRare(percent) ? (nonsense(picks) as T) : value;
}

/** Messages of the engine's own about what the library did, where the library should have said what is wrong. */
const internal =
  /Cannot (read|perform|destructure|convert|set prop|mix|assign to|create|define)|is not (a function|iterable|a constructor|defined)|Invalid (array length|typed array|array buffer)|call stack|detached ArrayBuffer|out of bounds|incompatible receiver|before initialization|not extensible|bad_alloc/;

/** What is wrong with an error that a call threw; undefined when it is a clear one. */
export function faultOf(error: unknown): string | undefined {
  if (error instanceof Mine) return undefined;
  if (!(error instanceof Error)) return 'what was thrown is no Error';
  if (![Error, TypeError, RangeError].includes(error.constructor as ErrorConstructor)) {
    return `it is a ${error.constructor.name}`;
  }
  if (error.message === '' || internal.test(error.message)) return "it is not one of the library's own";
  return undefined;
}
