import { internals, type RuleOptimizer, type StateEntry, type Variable } from 'gradstep';
import type { PartEntry, Sharding, WantedPart } from '../../step/sharding';
import type { StateSource as Source } from '../../tensor/state';
import type { Communicator } from '../communicator';
import type { Part, Parts } from './parts';

const { pieceOf, sharedArrays, StateSource, uniqueEntries } = internals;

/** What state of a part is called: by the whole's key where it is all of it, else with its elements, as `w/Adam[0:16384]`. */
function ownKeyOf(key: string, { whole: { size }, range: [begin, end] }: Part): string {
  return begin === 0 && end === size ? key : `${key}[${begin}:${end}]`;
}

const isAll = (key: string, ownKey: string): boolean => key === ownKey;

/** The key of the whole. */
const wholeKeyOf = (key: string): string => /^(.*)\[\d+:\d+\]$/s.exec(key)?.[1] ?? key;

/** The state of an optimizer of which this rank has parts. */
export class ShardedState implements Sharding {
  constructor(
    private readonly optimizer: RuleOptimizer,
    private readonly parts: Parts,
    readonly ranks: Communicator,
  ) {}

  entries(): PartEntry[] {
    const { slots } = this.optimizer.mechanism;
    return this.parts.all().flatMap((part) => {
      return slots.namesAndKeys(part.own).map(({ name, key }): PartEntry => {
        const { dtype, data } = slots.get(part.own, name)!;
        const { shape } = part.whole;
        return { key, ownKey: ownKeyOf(key, part), dtype, shape, ranges: part.ranges, memory: data };
      });
    });
  }

  /** Slots by what of them is here, and what belongs to no variable, sorted by key. */
  state(): StateEntry[] {
    const slots = this.entries().map(({ key, ownKey, dtype, shape, memory }) => {
      const own = isAll(key, ownKey) ? shape : [memory.length];
      return [`a slot '${key}'`, { key: ownKey, dtype, shape: own, memory }] as const;
    });
    const others = this.undivided().map((entry) => ['the optimizer', entry] as const);
    return uniqueEntries([...slots, ...others]);
  }

  /** What all ranks have: that belongs to no variable. */
  undivided(): StateEntry[] {
    const variables = this.optimizer.nonSlotVariables();
    return variables.map(({ name, dtype, shape, data }) => ({ key: name, dtype, shape, memory: data }));
  }

  wanted(keys: ReadonlySet<string>, variables: readonly Variable[]): Map<string, WantedPart> {
    const wanted = new Map<string, WantedPart>();
    for (const part of this.planned(keys, variables).values()) {
      const [begin, end] = part.range;
      for (const { key } of this.keysOf(part)) {
        if (keys.has(key)) wanted.set(key, { ownKey: ownKeyOf(key, part), begin, end });
      }
    }
    return wanted;
  }

  /** Takes what is here, as it is listed by `state()`, or out of the whole. */
  planRestore(source: Source): () => void {
    if (source.replaces) throw new Error('a sharded optimizer cannot adopt the state of another thread');
    const { optimizer, parts } = this;
    const planned = this.planned(new Set(source.unclaimed().map(wholeKeyOf)), source.variables);
    const entries: StateEntry[] = [...planned.values()].flatMap((part) => {
      void part.whole.data; // throws when it is disposed of
      return this.keysOf(part).map(({ key }) => taken(source, key, part));
    });
    for (const key of optimizer.nonSlotKeys()) {
      if (source.has(key)) entries.push(source.take(key, 'float64', []));
    }
    const own = StateSource.of(
      entries,
      [...planned.values()].map((part) => part.own),
      source.adopts,
    ).for(`optimizer '${optimizer.getName()}'`);
    // The inner optimizer knows variables by their parts.
    const restore = optimizer.planRestore(own);
    return () => {
      parts.adopt(planned.values());
      restore();
    };
  }

  private keysOf({ own }: Part): readonly { key: string }[] {
    return this.optimizer.mechanism.slots.namesAndKeys(own);
  }

  /** The parts of those variables that have slots or for whose slots there are keys. */
  private planned(keys: ReadonlySet<string>, variables: readonly Variable[]): Map<Variable, Part> {
    const { parts, optimizer } = this;
    const stepped = parts.all().map(({ whole }) => whole);
    const others = variables.filter((variable) => {
      return optimizer.mechanism.slots.namesAndKeys(variable).some(({ key }) => keys.has(key));
    });
    return parts.plan([...new Set([...stepped, ...others])]);
  }
}

/** The entry of a part, under the whole's key, as the inner optimizer knows it. */
function taken(source: Source, key: string, part: Part): StateEntry {
  const { whole, own, range } = part;
  const { dtype, shape } = own;
  const ownKey = ownKeyOf(key, part);
  if (isAll(key, ownKey) || !source.has(key)) {
    const { memory } = source.take(ownKey, dtype, isAll(key, ownKey) ? whole.shape : [own.size]);
    return { key, dtype, shape, memory };
  }
  const { memory } = source.take(key, dtype, whole.shape);
  const copy = sharedArrays([own])[0]!; // which does not hold on to the rest
  copy.set(pieceOf(memory, range[0], range[1]));
  return { key, dtype, shape, memory: copy };
}
