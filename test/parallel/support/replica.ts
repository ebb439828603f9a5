import { compiledReplica, defineReplica } from 'gradstep/parallel';
import { threadId } from 'node:worker_threads';
import { mlpBatch, models } from './models';

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
}

defineReplica<ReplicaData>(({ rank, variables, globalStep, data }) => {
  const { optimizer, loss, transform, compiled } = models[data.model]!;
  if (compiled !== undefined) {
    return compiledReplica({
      optimizer: optimizer(globalStep),
      inputs: { x: { shape: [8, 20] }, y: { shape: [8, 3] } },
      loss: ({ x, y }) => compiled(variables, x, y),
      batch: ({ step, share, shares }) => mlpBatch(step * shares + share),
      transform: transform!,
    });
  }
  return {
    optimizer: optimizer(globalStep),
    loss: ({ step, share, shares }) => {
      if (data.failure !== undefined && step === data.at && rank === data.rank) fail(data);
      if (data.pause !== undefined) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, data.pause);
      return loss(variables, step * shares + share);
    },
    ...(transform && { transform }),
  };
});

function fail({ failure, failed }: ReplicaData): void {
  const isFirst = Atomics.exchange(failed!, 0, 1) === 0;
  if (failure === 'always') throw new Error(`it fails always, in thread ${threadId > 0 ? 'of a worker' : 'main'}`);
  if (!isFirst) return;
  if (failure === 'exit') process.exit(3);
  throw new Error('it fails once');
}
