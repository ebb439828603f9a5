import { clipByGlobalNorm } from 'gradstep';
import { Metrics, TrainingMetrics, type MetricsHandle } from 'gradstep/metrics';
import {
  compiledReplica,
  defineReplica,
  DistributedOptimizer,
  SharedMemoryCommunicator,
  type CommunicatorHandle,
  type Replica,
} from 'gradstep/parallel';
import { threadId } from 'node:worker_threads';
import { mlpBatch, models } from './models';

type Hooks = Pick<Replica, 'transform' | 'onStep'>;

/** What a worker is to do beside its work. */
export interface ReplicaData {
  readonly model: string;
  /** How it fails, and at which step of which rank. */
  readonly failure?: 'throw' | 'exit' | 'always';
  readonly at?: number;
  readonly rank?: number;
  /** Whether it has failed: shared memory. */
  readonly failed?: Int32Array;
  /** Milliseconds that the loss of each share takes. */
  readonly pause?: number;
  /** Where steps are counted, with their norms, which are clipped to 0.5. */
  readonly metrics?: MetricsHandle;
  /** What stands for processes, which train together: each has workers of its own. */
  readonly processes?: { readonly handle: CommunicatorHandle; readonly rank: number };
}

defineReplica<ReplicaData>(({ rank, variables, globalStep, data }) => {
  const { optimizer, loss, compiled, ...model } = models[data.model]!;
  const { transform, onStep }: Hooks = data.metrics === undefined ? model : counted(data.metrics, rank);
  const hooks = { ...(transform && { transform }), ...(onStep && { onStep }) };
  const { handle: among, rank: process = 0 } = data.processes ?? {};
  const made = optimizer(globalStep);
  const own =
    among === undefined || rank > 0
      ? made
      : new DistributedOptimizer(made, SharedMemoryCommunicator.join(among, process));
  const batchOf = (step: number, share: number, shares: number) =>
    (step * (among?.size ?? 1) + process) * shares + share;
  if (compiled !== undefined) {
    return compiledReplica({
      optimizer: own,
      inputs: { x: { shape: [8, 20] }, y: { shape: [8, 3] } },
      loss: ({ x, y }) => compiled(variables, x, y),
      batch: ({ step, share, shares }) => mlpBatch(batchOf(step, share, shares)),
      ...hooks,
    });
  }
  return {
    optimizer: own,
    loss: ({ step, share, shares }) => {
      if (data.failure !== undefined && step === data.at && rank === data.rank) fail(data);
      if (data.pause !== undefined) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, data.pause);
      return loss(variables, batchOf(step, share, shares));
    },
    ...hooks,
  };
});

function counted(handle: MetricsHandle, worker: number): Hooks {
  const training = new TrainingMetrics(Metrics.from(handle).withLabels({ worker }));
  let norm = NaN;
  return {
    transform: (gradients) => {
      const [clipped, found] = clipByGlobalNorm(gradients, 0.5);
      norm = found;
      return clipped;
    },
    onStep: (made) => training.observeStep({ ...made, norm, clipNorm: 0.5, examples: 8 }),
  };
}

function fail({ failure, failed }: ReplicaData): void {
  const isFirst = Atomics.exchange(failed!, 0, 1) === 0;
  if (failure === 'always') throw new Error(`it fails always, in thread ${threadId > 0 ? 'of a worker' : 'main'}`);
  if (!isFirst) return;
  if (failure === 'exit') process.exit(3);
  throw new Error('it fails once');
}
