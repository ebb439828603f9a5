import {
  GlobalStep,
  Optimizer,
  Variable,
  type GradientAndVariable,
  type GradientsAndVariables,
  type Inputs,
  type RunInputs,
  type Tensor,
  type TracedInputs,
} from 'gradstep';
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { checkFunction, shown } from '../checks';
import { native } from '../native';
import { checkOptions, type NamesOf } from '../options';
import { AsynchronousTraining } from './asynchronous';
import { CommunicatorAborted, type Communicator } from './communicator';
import { tagged, untagged, type FromWorker, type ToWorker, type WorkerStart } from './protocol';
import { ReplicasTraining } from './replicas';
import { SharedMemoryCommunicator } from './shared-memory';
import { SynchronousTraining } from './synchronous';

/** Which part of which step a loss is asked for. */
export interface Share {
  /** How many steps the training has made before: from 0. */
  readonly step: number;
  /** Which micro-batch of the step: from 0. */
  readonly share: number;
  /** How many micro-batches a step has. */
  readonly shares: number;
}

/** What a worker's module is told. */
export interface ReplicaContext<Data = unknown> {
  /** Which worker this is: from 0. One that takes a dead one's place has its rank. */
  readonly rank: number;
  /** How many workers there are. */
  readonly workers: number;
  readonly shares: number;
  /** Those that were given to `trainInWorkers`, in that order, over the same memory. */
  readonly variables: readonly Variable[];
  readonly globalStep: GlobalStep;
  /** A copy of what was given to `trainInWorkers`; shared memory in it is shared. */
  readonly data: Data;
}

/** What a replica is told of a step that it has made. */
export interface MadeStep {
  /** How many steps the training had made before it: from 0. */
  readonly step: number;
  /** As `onStep` of `trainInWorkers` has it. */
  readonly loss: number;
  /** From when this worker began the gradients until the step was made. */
  readonly seconds: number;
  /** Whether it changed the variables: a loss scale leaves some steps out. */
  readonly applied: boolean;
}

/** What a worker's module makes: how a share's gradients are computed, and how a step is made of them. */
export interface Replica {
  /** One like that given to `trainInWorkers`, with its options, new: it takes over that one's state. */
  readonly optimizer: Optimizer;
  /**
   * The loss of one micro-batch. It must depend on nothing but its argument and the variables: when a worker dies, another
   * is asked again for what that one had begun.
   */
  readonly loss: (share: Share) => Tensor;
  /** What becomes of the averaged gradients before they are applied: clipping, say. Default: nothing. */
  readonly transform?: (gradients: GradientsAndVariables) => Iterable<GradientAndVariable>;
  /**
   * Called after each step that this worker has made, in its thread: of a synchronous training rank 0 makes all. What it
   * throws ends the worker, as what `loss` throws does. Default: nothing.
   */
  readonly onStep?: (made: MadeStep) => void;
}

/**
 * One whose loss is compiled: it is run once, to trace it, and each share is one native call from then on. Its results have the
 * bits of a loss that is not compiled; all gradients are dense, and zeros where the loss does not depend on a variable.
 *
 * @typeParam I what each share is given.
 */
export interface CompiledReplica<I extends Inputs = Inputs> extends Omit<Replica, 'loss'> {
  /** As `compile` takes them. */
  readonly inputs: I;
  /** The loss of one micro-batch, of tensors (and `Indices`) that stand for the inputs. */
  loss(inputs: TracedInputs<I>): Tensor;
  /** The values of a share. They must depend on nothing but the argument. */
  batch(share: Share): RunInputs<I>;
}

const replicaNames: NamesOf<Replica> = { optimizer: true, loss: true, transform: true, onStep: true };
const compiledNames: NamesOf<CompiledReplica> = { ...replicaNames, inputs: true, batch: true };

/** What `compiledReplica` makes. */
export interface CompiledReplicaOf<I extends Inputs = Inputs> {
  readonly compiled: CompiledReplica<I>;
}

/**
 * A replica whose loss is compiled, with the types of its inputs.
 * @example
 * import { compiledReplica, defineReplica } from 'gradstep/parallel';
 *
 * defineReplica(({ variables: [w] }) =>
 *   compiledReplica({
 *     optimizer: new AdamOptimizer(),
 *     inputs: { x: { shape: [8, 4] }, y: { shape: [8, 1] } },
 *     loss: ({ x, y }) => ops.reduceMean(ops.square(ops.sub(ops.matMul(x, w!), y))),
 *     batch: ({ step }) => ({ x: new Float32Array(32).fill(step), y: new Float32Array(8) }),
 *   }),
 * );
 */
export function compiledReplica<const I extends Inputs>(replica: CompiledReplica<I>): CompiledReplicaOf<I> {
  return { compiled: replica };
}

/**
 * What the module of a worker calls, once: `setup` is called in each worker of `trainInWorkers`. In a thread that is none
 * of those it does nothing, so that the module can be imported there too.
 *
 * @throws TypeError unless `setup` is a function.
 * @example
 * import { defineReplica } from 'gradstep/parallel';
 *
 * defineReplica<{ rate: number }>(({ variables, data }) => {
 *   const [w] = variables;
 *   return {
 *     optimizer: new AdamOptimizer({ learningRate: data.rate }),
 *     loss: ({ step, share }) => ops.reduceMean(ops.square(ops.sub(w!.value, tensor([step + share])))),
 *   };
 * });
 */
export function defineReplica<Data = unknown>(
  setup: (context: ReplicaContext<Data>) => Replica | CompiledReplicaOf | Promise<Replica | CompiledReplicaOf>,
): void {
  checkFunction('setup', setup);
  const start = untagged<WorkerStart>(workerData);
  if (isMainThread || start === undefined || parentPort === null) return;
  if (isDefined) throw new Error('defineReplica has been called already: a module defines one replica');
  isDefined = true;
  void work(start, setup as (context: ReplicaContext) => AnyReplica | Promise<AnyReplica>);
}

type AnyReplica = Replica | CompiledReplicaOf;

let isDefined = false;

/** How the steps of a mode are made. */
export interface Training {
  /** Makes a step, or a part of one. @returns whether there are more. */
  step(communicator: Communicator | null): boolean;
}

const trainings = {
  synchronous: SynchronousTraining,
  asynchronous: AsynchronousTraining,
  replicas: ReplicasTraining,
} as const;

/** What a worker has, whatever the mode. */
export interface Worker {
  readonly start: WorkerStart;
  readonly replica: Replica | CompiledReplica;
  /** Those that are trained. */
  readonly variables: readonly Variable[];
  readonly globalStep: GlobalStep;
  /** Tells the main thread that there are new losses, now and then. */
  readonly report: () => void;
}

async function work(
  start: WorkerStart,
  setup: (context: ReplicaContext) => AnyReplica | Promise<AnyReplica>,
): Promise<void> {
  const { rank, workers, shares, data } = start;
  native.setThreadsHere(start.threads);
  const variables = start.variables.map((handle) => Variable.from(handle));
  const globalStep = GlobalStep.from(start.globalStep);
  const replica = checkReplica(await setup({ rank, workers, shares, variables, globalStep, data }));
  const trained = variables.filter(({ trainable }) => trainable);
  replica.optimizer.adopt(start.optimizer, trained);
  const worker: Worker = { start, replica, variables: trained, globalStep, report };
  const training: Training = new trainings[start.mode](worker);
  parentPort!.on('message', (message: unknown) => {
    const order = untagged<ToWorker>(message);
    if (order !== undefined) void go(training, rank, order).then(tell);
  });
  tell({ is: 'ready' });
}

/** Trains until all steps are made, with a turn of the event loop now and then for what else the module does. */
async function go(training: Training, rank: number, order: ToWorker): Promise<FromWorker> {
  const communicator = order.communicator && SharedMemoryCommunicator.join(order.communicator, rank);
  try {
    for (let until = performance.now() + turn; training.step(communicator);) {
      if (performance.now() < until) continue;
      await new Promise(setImmediate);
      until = performance.now() + turn;
    }
    return { is: 'done' };
  } catch (error) {
    // Of another communicator, which the module has, there is no other round: that ends the worker.
    if (error instanceof CommunicatorAborted && communicator?.isAborted === true) return { is: 'halted', go: order.go };
    throw error;
  }
}

function tell(message: FromWorker): void {
  parentPort!.postMessage(tagged(message));
}

// Milliseconds from one turn of the event loop to the next, and from one message to the next.
const turn = 20;
const pause = 50;
let lastReport = 0;

function report(): void {
  const now = performance.now();
  if (now - lastReport < pause) return;
  lastReport = now;
  tell({ is: 'going' });
}

function checkReplica(given: unknown): Replica | CompiledReplica {
  if (typeof given !== 'object' || given === null) {
    throw new TypeError(`setup must return { optimizer, loss }, got ${shown(given)}`);
  }
  const isCompiled = 'compiled' in given;
  const replica = isCompiled ? given.compiled : given;
  checkOptions('what setup returns', replica, isCompiled ? compiledNames : replicaNames);
  const { optimizer, loss, transform, onStep, batch } = (replica ?? {}) as Partial<Replica & CompiledReplica>;
  if (!(optimizer instanceof Optimizer)) throw new TypeError(`optimizer must be an Optimizer, got ${shown(optimizer)}`);
  checkFunction('loss', loss);
  if (transform !== undefined) checkFunction('transform', transform);
  if (onStep !== undefined) checkFunction('onStep', onStep);
  if (isCompiled) checkFunction('batch', batch);
  return replica as Replica | CompiledReplica;
}
