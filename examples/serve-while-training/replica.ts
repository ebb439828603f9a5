import { AdamOptimizer } from 'gradstep';
import { defineReplica } from 'gradstep/parallel';
import { loss, sizes } from './model';

defineReplica(({ variables }) => ({
  optimizer: new AdamOptimizer({ learningRate: 0.005 }),
  loss: ({ step, share, shares }) => {
    const first = (step * shares + share) * sizes.batch;
    // Points in [-1, 1) that never come twice: the golden ratio spreads them evenly.
    const xs = Float32Array.from({ length: sizes.batch }, (_, i) => (((first + i) * 0.6180339887498949) % 1) * 2 - 1);
    return loss(variables, xs);
  },
}));
