import { internals, type StepClip } from 'gradstep';
import { checkBoolean, checkRange, isWhole, shown } from '../../checks';
import { checkOptions, type NamesOf } from '../../options';
import type { Communicator } from '../communicator';

const { clipOf } = internals;

export interface DistributedOptimizerOptions {
  /**
   * How many bytes of dense gradients go together in one call, about: each lot is begun as soon as the way back has all of it.
   * A larger gradient goes by itself, with 0 each one does. Default: 64 MiB.
   */
  fusionBytes?: number;
  /**
   * false: sums may be made in any order, where the communicator has a faster way; then runs are not reproducible. Default: as
   * the communicator has it, which is the order of ranks.
   */
  deterministic?: boolean;
  /**
   * When all ranks compare their variables and the optimizer's state: at the first exchange of these variables (`'start'`), at
   * that and every so many exchanges, or never (false). Default: `'start'`.
   */
  check?: 'start' | number | false;
  /**
   * Whether each rank keeps and steps its part of the slots only (ZeRO, stage 1): the same bytes, in less memory. Takes one of the
   * package's optimizers as it is; wrappers go around. Default: false.
   */
  shardState?: boolean;
  /**
   * How `minimize` clips the means. With `shardState` no rank has all of them: what `computeGradients` returns for you to clip takes
   * half as much time again to exchange. Default: they are not clipped.
   */
  clip?: StepClip;
  /** What `getName` says. Default: the inner optimizer's name. */
  name?: string;
}

const names: NamesOf<DistributedOptimizerOptions> = {
  fusionBytes: true,
  deterministic: true,
  check: true,
  shardState: true,
  clip: true,
  name: true,
};

/** The options, checked. */
export interface CheckedOptions {
  readonly fusionBytes: number;
  readonly deterministic: boolean | undefined;
  readonly check: 'start' | number | false;
  readonly shardState: boolean;
  readonly clip: StepClip | undefined;
  readonly name: string | undefined;
}

/** @throws TypeError for a wrong kind, RangeError for numbers out of range. */
export function checkedOptions(options: DistributedOptimizerOptions | undefined): CheckedOptions {
  checkOptions('options', options, names);
  const { fusionBytes = 64 * 2 ** 20, deterministic, check = 'start', shardState = false, clip, name } = options ?? {};
  checkRange('fusionBytes', fusionBytes, 'a whole number that is not negative', isWhole);
  if (deterministic !== undefined) checkBoolean('deterministic', deterministic);
  if (check !== 'start' && check !== false) {
    if (typeof check !== 'number') {
      throw new TypeError(`check must be 'start', a number of exchanges or false, got ${shown(check)}`);
    }
    checkRange('check', check, "'start', false or a whole number above 0", (n) => isWhole(n) && n > 0);
  }
  checkBoolean('shardState', shardState);
  clipOf(clip);
  return { fusionBytes, deterministic, check, shardState, clip: clip && { ...clip }, name };
}

const methods = [
  ...['allReduce', 'allGather', 'broadcast', 'barrier', 'abort'],
  ...['startAllReduce', 'startReduceScatter', 'startAllGather'],
] as const;

/** @throws TypeError for what is no Communicator. */
export function checkCommunicator(given: unknown): asserts given is Communicator {
  const { rank, size, ...rest } = membersOf(given);
  const isOne = typeof rank === 'number' && typeof size === 'number' && methods.every((name) => isMethod(rest[name]));
  if (!isOne) throw new TypeError(`communicator must be a Communicator, got ${shown(given)}`);
}

const isMethod = (member: unknown): boolean => typeof member === 'function';

/** What of a Communicator's members there is, whatever it is. */
function membersOf(given: unknown): Partial<Record<string, unknown>> {
  if (typeof given !== 'object' || given === null) return {};
  return Object.fromEntries(
    ['rank', 'size', ...methods].map((name) => [name, (given as Record<string, unknown>)[name]]),
  );
}
