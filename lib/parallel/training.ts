import { createGlobalStep, GlobalStep, internals, Optimizer, runtime, Variable, type OptimizerHandle } from 'gradstep';
import { Worker } from 'node:worker_threads';
import { checkBoolean, checkFunction, checkRange, isWhole, shown } from '../checks';
import { checkOptions, type NamesOf } from '../options';
import { Board } from './board';
import { tagged, untagged, type FromWorker, type Mode, type WorkerStart } from './protocol';
import { SharedMemoryCommunicator, type CommunicatorHandle } from './shared-memory';

/** What is told of each step. */
export interface StepReport {
  /** How many steps had been made before it: from 0. */
  readonly step: number;
  /** The mean of its shares' losses, or in an asynchronous training the loss of its share. */
  readonly loss: number;
}

export interface TrainInWorkersOptions {
  /** How many. Default: one for each CPU that this process may use. */
  workers?: number;
  /** The module that each worker runs, as `new Worker` takes it: an absolute path, one that starts with `./` from the working
   * directory, or a URL. It calls `defineReplica`. */
  module: string | URL;
  /** What is trained, and what else the module needs, in the order in which it finds them. They stay usable here. */
  variables: readonly Variable[];
  /** Whose state the steps change. It must not step here meanwhile. */
  optimizer: Optimizer;
  /** Counts the steps. Default: one of its own. */
  globalStep?: GlobalStep;
  /** How many steps to make. Default: until `stop`. */
  steps?: number;
  /** How many micro-batches a step has. The result is the same for any number of workers. Default: one for each worker. */
  shares?: number;
  /**
   * `'synchronous'`: all wait for each other, a step is made of the mean of all shares' gradients. `'asynchronous'`: each
   * worker steps by itself, as soon as it has the gradients of a share. `'replicas'`: a step is made of the first gradients
   * that come, as TensorFlow's SyncReplicasOptimizer has it. Default: `'synchronous'`.
   */
  mode?: Mode;
  /** Whether the steps of an asynchronous training exclude each other. Default: false. */
  useLocking?: boolean;
  /** Of replicas: how many gradients make a step at least; those that come later are dropped. Default: one for each worker. */
  replicasToAggregate?: number;
  /** Of replicas: tokens that they find before the first step; with 0 each waits for it. Default: replicasToAggregate, as in
   * TensorFlow, after which every replica has one gradient dropped. */
  numTokens?: number;
  /** How many threads share the work of each worker's kernels. Default: the CPUs divided by the workers, at least 1. */
  threads?: number;
  /** Anything that can be cloned, for the module. */
  data?: unknown;
  /** How often in a row, without a step in between, a worker may fail or end before the training does. Default: 3. */
  retries?: number;
  /** Called in this thread for every step, in order, some time after it. */
  onStep?: (report: StepReport) => void;
}

const names: NamesOf<TrainInWorkersOptions> = {
  workers: true,
  module: true,
  variables: true,
  optimizer: true,
  globalStep: true,
  steps: true,
  shares: true,
  mode: true,
  useLocking: true,
  replicasToAggregate: true,
  numTokens: true,
  threads: true,
  data: true,
  retries: true,
  onStep: true,
};

/**
 * What is used most of a `Worker` of `node:worker_threads`, which it is: `as Worker` shows the rest. Said here, so that
 * programs without the types of Node compile.
 */
export interface WorkerThread {
  readonly threadId: number;
  /** Calls the listener each time: at `'message'`, `'error'`, `'exit'`. */
  on(event: string, listener: (...values: never[]) => void): this;
  /** Calls the listener the next time. */
  once(event: string, listener: (...values: never[]) => void): this;
  /** What the replica's module gets from its `parentPort`, as a copy. */
  postMessage(message: unknown): void;
  /** Ends the thread; the training starts another in its place. @returns its exit code. */
  terminate(): Promise<number>;
}

/** A training in workers, as the thread that started it sees it. */
export interface Training {
  /** Fulfilled with the number of steps when all have been made, or after `stop`; rejected with what a worker threw. */
  readonly finished: Promise<number>;
  /** How many steps have been made. */
  readonly steps: number;
  /** How many gradients of replicas came too late, and were dropped. */
  readonly dropped: number;
  /** The workers by their ranks, as they are now: one that dies is replaced. */
  readonly workers: readonly WorkerThread[];
  /** Ends the training after the step that is being made. @returns `finished`. */
  stop(): Promise<number>;
  /**
   * Copies of all variables as they are between two steps, while others go on: consistent, unless the training is
   * asynchronous without locking.
   *
   * @param into what to copy to, like the variables in their order. Default: new variables of the same names.
   * @throws RangeError for variables of other shapes.
   */
  snapshot(into?: readonly Variable[]): readonly Variable[];
}

/**
 * Trains in worker threads, each of which computes gradients of its share of every batch, while this thread is free. What
 * the workers change are the variables given, where they are.
 *
 * In a synchronous training the gradients of all shares are averaged, in their order, and applied once: the result has the
 * bits that one thread has which gathers the same shares one after the other (`GradientAccumulator`). A worker that dies,
 * wherever it is, is replaced, and what it had begun is begun again: variables, slots, powers, the loss scale and the step
 * counter change together or not at all. Whoever holds them here (`holdState`, `saveCheckpoint`) does so between two steps.
 *
 * @throws TypeError for a wrong kind, RangeError for numbers out of range, Error for variables or an optimizer that cannot
 * be shared. What a worker throws comes by `finished`.
 * @example
 * import { trainInWorkers } from 'gradstep/parallel';
 *
 * const training = trainInWorkers({
 *   workers: 2,
 *   module: './worker.js',
 *   variables: [v, w],
 *   optimizer,
 *   steps: 1000,
 *   onStep: ({ step, loss }) => console.log(step, loss),
 * });
 * training.finished.then((steps) => console.log(`${steps} steps`));
 */
export function trainInWorkers(options: TrainInWorkersOptions): Training {
  return new WorkerTraining(checked(options));
}

type Checked = Required<TrainInWorkersOptions> & { readonly trained: readonly Variable[] };

/** A worker, and what it is doing. */
interface Member {
  worker: Worker;
  /** `starting`, then `online` when its module runs, `ready` when that has made its replica. */
  is: 'starting' | 'online' | 'ready' | 'going' | 'done';
  error: unknown;
}

class WorkerTraining implements Training {
  readonly finished: Promise<number>;
  private readonly board: Board;
  private readonly members: Member[];
  private readonly optimizer: OptimizerHandle;
  /** The number of the present communicator: each serves until it is aborted. */
  private round = 0;
  private communicator: CommunicatorHandle | null = null;
  private failures = 0;
  private stepsAtFailure = 0;
  private reported = 0;
  private isOver = false;
  private settle!: { resolve: (steps: number) => void; reject: (error: unknown) => void };

  constructor(private readonly options: Checked) {
    this.optimizer = options.optimizer.share(options.trained);
    const { variables: all, trained, mode, numTokens } = options;
    this.board = new Board(all, trained, mode === 'replicas' ? numTokens : null);
    const variables = options.variables.map((variable) => variable.share());
    this.finished = new Promise((resolve, reject) => (this.settle = { resolve, reject }));
    const shared = { variables, globalStep: options.globalStep.share() };
    this.members = Array.from({ length: options.workers }, (_, rank) => ({
      worker: this.startWorker(rank, shared),
      is: 'starting',
      error: undefined,
    }));
    this.shared = shared;
    const keys = new Set(internals.keysOfParts([...all, options.optimizer, options.globalStep]));
    this.conceal = internals.announceSteps({ keys, hold: () => this.board.hold() });
  }

  private readonly shared: Pick<WorkerStart, 'variables' | 'globalStep'>;
  /** Ends what tells this thread of the steps. */
  private readonly conceal: () => void;

  get steps(): number {
    return this.board.version;
  }

  get dropped(): number {
    return this.board.dropped;
  }

  get workers(): readonly Worker[] {
    return this.members.map(({ worker }) => worker);
  }

  stop(): Promise<number> {
    this.board.stop();
    return this.finished;
  }

  snapshot(into?: readonly Variable[]): readonly Variable[] {
    return this.board.snapshot(into);
  }

  private startWorker(rank: number, shared: Pick<WorkerStart, 'variables' | 'globalStep'>): Worker {
    const { workers, shares, steps, mode, useLocking, threads, data, module, replicasToAggregate } = this.options;
    const start: WorkerStart = {
      ...{ rank, workers, shares, steps, mode, useLocking, replicasToAggregate, threads, data },
      ...shared,
      optimizer: this.optimizer,
      board: this.board.memory,
    };
    const worker = new Worker(module, { workerData: tagged(start) });
    worker.on('online', () => {
      const member = this.members[rank];
      if (member?.worker === worker && member.is === 'starting') member.is = 'online';
    });
    worker.on('message', (message: unknown) => {
      const told = untagged<FromWorker>(message);
      if (told !== undefined && this.members[rank]?.worker === worker) this.hear(this.members[rank], told);
    });
    worker.on('error', (error: unknown) => {
      if (this.members[rank]?.worker === worker) this.members[rank].error = error;
    });
    worker.on('exit', (code) => {
      if (this.members[rank]?.worker === worker) this.lose(rank, code);
    });
    return worker;
  }

  private hear(member: Member, told: FromWorker): void {
    if (this.isOver) return;
    this.tellSteps();
    if (told.is === 'ready') member.is = 'ready';
    if (told.is === 'halted' && told.go === this.round) member.is = 'ready';
    if (told.is === 'done') member.is = 'done';
    this.goOn();
  }

  /** Lets all go when all are ready; ends when all are done. */
  private goOn(): void {
    const { members } = this;
    // Once one has come to the end nobody has anything to begin.
    const isAtEnd = this.board.version >= this.options.steps || members.some(({ is }) => is === 'done');
    if (isAtEnd) for (const member of members) if (member.is !== 'going') member.is = 'done';
    if (members.every(({ is }) => is === 'done')) return this.end();
    if (this.options.mode !== 'synchronous') {
      for (const member of members) if (member.is === 'ready') this.send(member);
      return;
    }
    if (!members.every(({ is }) => is === 'ready')) return;
    this.round++;
    this.communicator = SharedMemoryCommunicator.create(members.length);
    members.forEach((member) => this.send(member));
  }

  private send(member: Member): void {
    member.is = 'going';
    member.worker.postMessage(tagged({ go: this.round, communicator: this.communicator }));
  }

  /** A worker has ended. */
  private lose(rank: number, code: number): void {
    const member = this.members[rank]!;
    if (this.isOver) return;
    const isAtEnd = this.board.version >= this.options.steps || this.members.some(({ is }) => is === 'done');
    if (isAtEnd) {
      member.is = 'done';
      this.abort(`rank ${rank} has ended`);
      return this.goOn();
    }
    if (this.steps > this.stepsAtFailure) this.failures = 0;
    this.stepsAtFailure = this.steps;
    // One that is terminated before it is online ends with 0 too.
    const neverBegan = member.is === 'online' && code === 0 && member.error === undefined;
    if (neverBegan) return this.end(new Error(`the module ${String(this.options.module)} did not call defineReplica`));
    if (++this.failures > this.options.retries) {
      return this.end(
        member.error ?? new Error(`worker ${rank} has ended ${this.failures} times, last with code ${code}`),
      );
    }
    this.abort(`rank ${rank} has ended`);
    this.members[rank] = { worker: this.startWorker(rank, this.shared), is: 'starting', error: undefined };
  }

  private abort(reason: string): void {
    if (this.communicator !== null) SharedMemoryCommunicator.abort(this.communicator, reason);
  }

  private end(error?: unknown): void {
    if (this.isOver) return;
    this.isOver = true;
    this.abort('the training is over');
    this.tellSteps();
    const steps = this.steps;
    void Promise.all(this.workers.map((worker) => worker.terminate())).then(() => {
      this.conceal();
      if (error === undefined) this.settle.resolve(steps);
      else this.settle.reject(error);
    });
  }

  /** What `onStep` throws ends the training. */
  private tellSteps(): void {
    const from = this.reported;
    this.reported = this.board.version;
    try {
      this.board.report(from, this.reported, this.options.onStep);
    } catch (error) {
      this.end(error);
    }
  }
}

const nothing = (): void => {};

function checked(options: TrainInWorkersOptions): Checked {
  checkOptions('options', options, names);
  const { workers = runtime.threads, module, variables, optimizer, globalStep = createGlobalStep() } = options ?? {};
  const { steps = Infinity, mode = 'synchronous', useLocking = false, data, retries = 3, onStep = nothing } = options;
  checkRange('workers', workers, 'a whole number from 1 to 256', (n) => isWhole(n) && n >= 1 && n <= 256);
  const { shares = workers, threads = Math.max(1, Math.floor(runtime.threads / workers)) } = options;
  if (typeof module !== 'string' && !(module instanceof URL)) {
    throw new TypeError(`module must be a path or a URL, got ${shown(module)}`);
  }
  const list = checkedVariables(variables);
  if (!(optimizer instanceof Optimizer)) throw new TypeError(`optimizer must be an Optimizer, got ${shown(optimizer)}`);
  if (!(globalStep instanceof GlobalStep)) {
    throw new TypeError(`globalStep must be a GlobalStep, got ${shown(globalStep)}`);
  }
  checkRange('steps', steps, 'a whole number or Infinity', (n) => (isWhole(n) && n < 2 ** 32) || n === Infinity);
  checkRange(
    'shares',
    shares,
    `a whole number from ${workers}, the number of workers`,
    (n) => isWhole(n) && n >= workers,
  );
  if (!['synchronous', 'asynchronous', 'replicas'].includes(mode)) {
    throw new RangeError(`mode must be 'synchronous', 'asynchronous' or 'replicas', got ${shown(mode)}`);
  }
  const { replicasToAggregate = workers } = options;
  const { numTokens = replicasToAggregate } = options;
  checkRange('replicasToAggregate', replicasToAggregate, 'a whole number from 1', (n) => isWhole(n) && n >= 1);
  const fewest = Math.max(0, replicasToAggregate - workers);
  checkRange('numTokens', numTokens, `a whole number from ${fewest}`, (n) => isWhole(n) && n >= fewest);
  checkBoolean('useLocking', useLocking);
  checkRange('threads', threads, 'a whole number from 1 to 256', (n) => isWhole(n) && n >= 1 && n <= 256);
  checkRange('retries', retries, 'a whole number or Infinity', (n) => isWhole(n) || n === Infinity);
  checkFunction('onStep', onStep);
  const trained = list.filter(({ trainable }) => trainable);
  if (trained.length === 0) throw new Error('No variables to train: none of them is trainable.');
  const constrained = trained.find(({ constraint }) => constraint !== null);
  if (constrained !== undefined) {
    throw new Error(`'${constrained.name}' has a constraint, a function, which workers cannot be given`);
  }
  return {
    ...{ workers, module, variables: list, trained, optimizer, globalStep },
    ...{ steps, shares, mode, useLocking, replicasToAggregate, numTokens, threads, data, retries, onStep },
  };
}

function checkedVariables(variables: unknown): readonly Variable[] {
  if (!Array.isArray(variables))
    throw new TypeError(`variables must be an array of Variables, got ${shown(variables)}`);
  const list = [...(variables as readonly unknown[])];
  for (const variable of list) {
    if (!(variable instanceof Variable)) throw new TypeError(`variables must hold Variables, got ${shown(variable)}`);
  }
  return list as Variable[];
}
