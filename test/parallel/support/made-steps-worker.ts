import { GradientDescentOptimizer, ops } from 'gradstep';
import { defineReplica } from 'gradstep/parallel';
import { parentPort } from 'node:worker_threads';

/** What `onStep` is: it tells the main thread, it throws, or it is no function. */
export type Hook = 'tells' | 'throws' | 'none';

defineReplica<Hook>(({ variables: [w], data, rank }) => ({
  optimizer: new GradientDescentOptimizer({ learningRate: 0.1 }),
  loss: () => ops.l2Loss(w!),
  onStep: (data === 'none'
    ? 5
    : (made: object) => {
        if (data === 'throws') throw new Error('mine');
        parentPort!.postMessage({ made, rank });
      }) as () => void,
}));
