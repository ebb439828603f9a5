/** A map whose values are made when they are asked for, anew each time. */
export abstract class LazyMap<V> implements ReadonlyMap<string, V> {
  abstract readonly size: number;
  /** The value of this key; undefined where there is none. */
  abstract get(key: string): V | undefined;
  /** Whether there is a value of this key. */
  abstract has(key: string): boolean;
  /** The keys, in their order. */
  abstract keys(): Generator<string, undefined>;
  /** The values, in the order of the keys. */
  abstract values(): Generator<V, undefined>;
  /** Both. */
  abstract entries(): Generator<[string, V], undefined>;

  [Symbol.iterator](): Generator<[string, V], undefined> {
    return this.entries();
  }

  forEach(use: (value: V, key: string, map: ReadonlyMap<string, V>) => void, thisArg?: unknown): void {
    for (const [key, value] of this.entries()) use.call(thisArg, value, key, this);
  }

  /** As `console.log` shows it. */
  [Symbol.for('nodejs.util.inspect.custom')](): Map<string, V> {
    return new Map(this.entries());
  }
}
