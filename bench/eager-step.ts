import { AdamOptimizer, clipByGlobalNorm, createGlobalStep, type Tensor } from 'gradstep';

/** One training step, op by op: forward, backward, clip by global norm, Adam. @returns the loss. */
export function eagerStep(loss: () => Tensor): () => number {
  const optimizer = new AdamOptimizer();
  const globalStep = createGlobalStep();
  return () => {
    const gradsAndVars = optimizer.computeGradients(loss);
    const [clipped] = clipByGlobalNorm(gradsAndVars, 1);
    optimizer.applyGradients(clipped, { globalStep });
    return gradsAndVars.loss.item();
  };
}
