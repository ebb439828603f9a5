import { createGlobalStep } from 'gradstep';

// What the benches step each update rule with. `test/lists.test.ts` names what is missing, so nothing here may load what
// only benches need.

/** Values that let every part of every rule take part; the powers are those of the first step. */
export const hyper: Readonly<Record<string, number>> = {
  learningRate: 2 ** -10,
  momentum: 0.9,
  momentumDecay: 0.004,
  beta1: 0.9,
  beta2: 0.999,
  beta1Power: 0.9,
  beta2Power: 0.999,
  epsilon: 1e-8,
  weightDecay: 0.01,
  rho: 0.95,
  decay: 0.9,
  mu: 0.45,
  nextMu: 0.46,
  muProduct: 0.45,
  learningRatePower: -0.5,
  l1RegularizationStrength: 0.001,
  l2RegularizationStrength: 0.001,
  l2ShrinkageRegularizationStrength: 0.001,
  beta: 0,
  step: 1,
  trustCoefficient: 0.001,
};

/**
 * The optimizers as one calls them, by rule; options beyond the defaults where a rule is one of two of a class. Null for
 * what only TensorFlow.js's tensors step with.
 */
export const optimizers: Readonly<Record<string, readonly [className: string, options: object] | null>> = {
  gradientDescent: ['GradientDescentOptimizer', {}],
  momentum: ['MomentumOptimizer', { momentum: 0.9 }],
  nesterovMomentum: ['MomentumOptimizer', { momentum: 0.9, useNesterov: true }],
  adam: ['AdamOptimizer', {}],
  adamW: ['AdamWOptimizer', { weightDecay: 0.01 }],
  amsGrad: ['AMSGradOptimizer', {}],
  nadam: ['NadamOptimizer', {}],
  adamax: ['AdamaxOptimizer', {}],
  adagrad: ['AdagradOptimizer', {}],
  adagradDA: ['AdagradDAOptimizer', { globalStep: createGlobalStep() }],
  adadelta: ['AdadeltaOptimizer', {}],
  tfjsAdagrad: null,
  tfjsAdadelta: null,
  rmsProp: ['RMSPropOptimizer', {}],
  centeredRMSProp: ['RMSPropOptimizer', { centered: true }],
  ftrl: ['FtrlOptimizer', {}],
  proximalGradientDescent: ['ProximalGradientDescentOptimizer', {}],
  proximalAdagrad: ['ProximalAdagradOptimizer', {}],
  lion: ['LionOptimizer', {}],
  lamb: ['LambOptimizer', { weightDecay: 0.01 }],
  lars: ['LarsOptimizer', {}],
  nesterovLars: ['LarsOptimizer', { useNesterov: true }],
};
