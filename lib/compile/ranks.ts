import type { NativeExchange } from '../native';
import type { Shards } from '../step/sharding';
import { OptimizerWrapper, type Exchange } from '../wrappers/optimizer-wrapper';

/** How programs exchange gradients with those of other ranks: what a communicator gives what is compiled. */
export interface Ranks {
  readonly handle: NativeExchange;
  /** How many there are. */
  readonly size: number;
  /** How many of them are threads of this process: off the event loop each waits on a thread of libuv's. */
  readonly here: number;
  /** What a run throws when native code says that the ranks did not meet. */
  failure(reason: string): Error;
}

/** What a communicator has for that, if programs can use it. */
export interface CompilableCommunicator {
  /** @internal */
  ranksOfPrograms?(options: { readonly deterministic?: boolean }): Ranks;
}

/** How the gradients of a compiled step are exchanged. */
export interface RankExchange extends Ranks, Pick<Exchange, 'fusionBytes' | 'compare'> {
  /** How the step is divided by ranks, where it is. */
  readonly shards: Shards | null;
  /** What runs have in turn: no two use it at one time. */
  readonly communicator: object;
}

/** @throws TypeError for a communicator that native code does not know. */
export function rankExchangeOf(exchange: Exchange): RankExchange {
  const { communicator, fusionBytes, deterministic, shards } = exchange;
  const ranks = (communicator as CompilableCommunicator).ranksOfPrograms?.({
    ...(deterministic !== undefined && { deterministic }),
  });
  if (ranks === undefined) {
    throw new TypeError(
      'optimizer exchanges gradients by a communicator of your own making, which a compiled step cannot use: call its ' +
        'computeGradients and applyGradients instead',
    );
  }
  return {
    handle: ranks.handle,
    size: ranks.size,
    here: ranks.here,
    failure: (reason) => ranks.failure(reason),
    communicator,
    fusionBytes,
    shards,
    compare: (variables, exchanges) => exchange.compare(variables, exchanges),
  };
}

/**
 * Whether all that an optimizer does differently is to exchange gradients: the class that says how has its methods, and
 * none derived from it others.
 */
export function exchangesOnly(optimizer: OptimizerWrapper): boolean {
  let owner = Object.getPrototypeOf(optimizer) as OptimizerWrapper;
  while (!Object.hasOwn(owner, 'exchange')) owner = Object.getPrototypeOf(owner) as OptimizerWrapper;
  const isOwner = owner !== OptimizerWrapper.prototype; // which tells of the optimizer inside
  return (
    isOwner &&
    optimizer.computeGradients === owner.computeGradients &&
    optimizer.applyGradients === owner.applyGradients
  );
}

/**
 * Ranks that are threads of this process wait for each other on threads of libuv's.
 * @throws Error where they would wait for ever, as there are too few of these.
 */
export function checkThreads(ranks: number): void {
  const threads = Number(process.env['UV_THREADPOOL_SIZE']) || libuvThreads;
  if (ranks <= threads) return;
  throw new Error(
    `${ranks} ranks in this process wait for each other on ${threads} threads of libuv's: use runSync, or start it with ` +
      `UV_THREADPOOL_SIZE=${ranks} or more`,
  );
}

const libuvThreads = 4;
