import { prefixed, Variable } from 'gradstep';
import { isIterable, shown } from '../checks';
import type { GlobalStep } from '../tensor/global-step';
import type { Stateful } from '../tensor/state';
import type { JsonValue } from './json';

/** Something with state, or several in the order in which they are given. */
export type CheckpointPart = Stateful | Iterable<Stateful>;

/** The parts that have a meaning by their names. */
export interface KnownParts {
  /** The model: `model.safetensors` has these under their names. */
  readonly variables?: Iterable<Variable> | undefined;
  /** The optimizer, wrapped or not. */
  readonly optimizer?: Stateful | undefined;
  /** Counts the steps, and so names the checkpoint. */
  readonly globalStep?: GlobalStep | undefined;
  /** Moving averages. */
  readonly averages?: CheckpointPart | undefined;
  /** A loss scale that is not an optimizer's. */
  readonly lossScale?: CheckpointPart | undefined;
  /** Those with state: the schedules of this package have none. */
  readonly schedules?: CheckpointPart | undefined;
  /** Generators of random numbers. */
  readonly random?: CheckpointPart | undefined;
}

/** What a checkpoint is of, by name: these, and whatever else has state under names of yours. */
export interface CheckpointParts extends KnownParts {
  readonly [name: string]: CheckpointPart | undefined;
}

/** What a checkpoint is of, and what is to be remembered with it. */
export interface CheckpointContents extends KnownParts {
  /** Yours: what `restoreCheckpoint` gives back. Default: null. */
  readonly metadata?: JsonValue;
  readonly [name: string]: CheckpointPart | JsonValue | undefined;
}

/** A part, checked. */
export interface Part {
  readonly name: string;
  /** As they were given. */
  readonly members: readonly Stateful[];
  /** The same with the keys that they have in a checkpoint. */
  readonly keyed: readonly Stateful[];
}

// State of these has keys that are nobody else's; that of all others starts with the part's name.
const unprefixed: readonly string[] = ['variables', 'optimizer', 'globalStep'];

/** What the keys of a part's state start with in a checkpoint. */
export const keyPrefixOf = (part: string): string => (unprefixed.includes(part) ? '' : `${part}/`);

/** The parts that are given, in the order in which a checkpoint lists them. @throws TypeError, RangeError for others. */
export function checkedParts(given: unknown): Part[] {
  if (typeof given !== 'object' || given === null || isIterable(given)) {
    throw new TypeError(`parts must be an object of what has state by name, got ${shown(given)}`);
  }
  const parts = Object.entries(given as Record<string, unknown>)
    .filter(([, part]) => part !== undefined)
    .map(([name, part]) => checkedPart(name, part));
  if (parts.length === 0) throw new RangeError('parts must have at least one: { variables }, say');
  return parts;
}

function checkedPart(name: string, given: unknown): Part {
  if (!/^[A-Za-z_][\w-]{0,99}$/.test(name)) {
    throw new RangeError(`parts: a name must be of letters, digits, _ and -, got ${shown(name)}`);
  }
  const members = membersOf(name, given);
  const keyed = keyPrefixOf(name) === '' ? members : members.map((member) => prefixed(name, member));
  return { name, members, keyed };
}

function membersOf(name: string, given: unknown): Stateful[] {
  if (isStateful(given)) {
    if (name === 'variables')
      throw new TypeError(`parts.variables must be an iterable of Variables, got ${shown(given)}`);
    return [given];
  }
  if (!isIterable(given) || typeof given === 'string') {
    throw new TypeError(`parts.${name} must have state() and planRestore(), or be several such, got ${shown(given)}`);
  }
  return Array.from(given, (member, i) => {
    if (name === 'variables' && !(member instanceof Variable)) {
      throw new TypeError(`parts.variables must hold Variables, got ${shown(member)}`);
    }
    if (isStateful(member)) return member;
    throw new TypeError(`parts.${name}[${i}] must have state() and planRestore(), got ${shown(member)}`);
  });
}

function isStateful(given: unknown): given is Stateful {
  const { state, planRestore } = (given ?? {}) as Partial<Record<string, unknown>>;
  return typeof state === 'function' && typeof planRestore === 'function';
}

/** Whether state of this key, which is no variable's, is of the part. */
export function isOf(part: string, key: string, parts: readonly string[]): boolean {
  if (part === 'globalStep') return key === 'global_step';
  const owner = parts.find((other) => !unprefixed.includes(other) && key.startsWith(`${other}/`));
  return owner === undefined ? part === 'optimizer' && key !== 'global_step' : owner === part;
}
