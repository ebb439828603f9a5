import { clipByGlobalNorm } from 'gradstep';
import { Metrics, TrainingMetrics, type MetricsHandle } from 'gradstep/metrics';
import { compiledReplica, defineReplica, type Replica } from 'gradstep/parallel';
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
}

defineReplica<ReplicaData>(({ rank, variables, globalStep, data }) => {
  const { optimizer, loss, compiled, ...model } = models[data.model]!;
  const { transform, onStep }: Hooks = data.metrics === undefined ? model : counted(data.metrics, rank);
  const hooks = { ...(transform && { transform }), ...(onStep && { onStep }) };
  if (compiled !== undefined) {
    return compiledReplica({
      optimizer: optimizer(globalStep),
      inputs: { x: { shape: [8, 20] }, y: { shape: [8, 3] } },
      loss: ({ x, y }) => compiled(variables, x, y),
      batch: ({ step, share, shares }) => mlpBatch(step * shares + share),
      ...hooks,
    });
  }
  return {
    optimizer: optimizer(globalStep),
    loss: ({ step, share, shares }) => {
      if (data.failure !== undefined && step === data.at && rank === data.rank) fail(data);
      if (data.pause !== undefined) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, data.pause);
      return loss(variables, step * shares + share);
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
