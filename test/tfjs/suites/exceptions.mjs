// Tests of TensorFlow.js's that end otherwise with gradstep's optimizers, and why; by suite, without the backend's name.
const scalar = 'counts tensors: TensorFlow.js keeps the momentum as one, which gradstep has as a number';
const powers =
  'counts tensors: TensorFlow.js keeps the powers of beta1 and beta2 as two, which gradstep has as numbers';

const optimizers = {
  'MomentumOptimizer basic': scalar,
  'MomentumOptimizer basic - with Nesterov': scalar,
};

export const exceptions = {
  optimizers,
  core: optimizers,
  layers: {
    'LayersModel.fit Model.dispose() cleans up owned optimizer: Functional': powers,
    'LayersModel.fit Model.dispose() cleans up owned optimizer: Sequential': powers,
  },
};
