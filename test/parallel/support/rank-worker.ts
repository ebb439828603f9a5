import { clipByGlobalNorm } from 'gradstep';
import {
  defineReplica,
  DistributedOptimizer,
  SharedMemoryCommunicator,
  type CommunicatorHandle,
} from 'gradstep/parallel';
import { models } from './models';

/** What the workers of a rank are told: where the first of them meets those of other ranks. */
export interface RankData {
  readonly model: string;
  readonly handle: CommunicatorHandle;
  readonly rank: number;
  /** At which step the loss of the first worker of rank 1 throws, time and again. */
  readonly failsAt?: number;
}

defineReplica<RankData>(({ rank: worker, variables, globalStep, data }) => {
  const model = models[data.model]!;
  const optimizer = model.optimizer(globalStep);
  const loss = (step: number, share: number, shares: number) => {
    const all = shares * data.handle.size;
    return model.loss(variables, step * all + data.rank * shares + share);
  };
  if (worker !== 0) return { optimizer, loss: ({ step, share, shares }) => loss(step, share, shares) };
  const communicator = SharedMemoryCommunicator.join(data.handle, data.rank);
  const distributed = new DistributedOptimizer(optimizer, communicator);
  return {
    optimizer,
    loss: ({ step, share, shares }) => {
      if (step === data.failsAt && data.rank === 1) throw new Error('no more');
      return loss(step, share, shares);
    },
    transform: (gradients) => clipByGlobalNorm(distributed.averageGradients(gradients), 0.5)[0],
  };
});
