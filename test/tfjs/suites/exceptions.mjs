// Tests of TensorFlow.js's that end otherwise with gradstep's optimizers, and why; by suite, without the backend's name.
const saved = 'the saved options say whose optimizer it is (`gradstep: true`), so that a loaded model gets it again';
const scalar = 'counts tensors: TensorFlow.js keeps the momentum as one, which gradstep has as a number';
const powers =
  'counts tensors: TensorFlow.js keeps the powers of beta1 and beta2 as two, which gradstep has as numbers';

const optimizers = {
  'AdadeltaOptimizer serialization round-trip': saved,
  'AdagradOptimizer serialization round-trip': `${saved}, and epsilon is an option`,
  'AdagradOptimizer Continue training after loading weights':
    "sets Adagrad's weights to an Adam, which gradstep refuses: one slot for each variable, where Adam has two",
  'AdamOptimizer serialization round-trip': saved,
  'AdamaxOptimizer serialization round-trip': saved,
  'MomentumOptimizer basic': scalar,
  'MomentumOptimizer basic - with Nesterov': scalar,
  'MomentumOptimizer serialization round-trip': saved,
  'RMSPropOptimizer serialization round-trip': saved,
  'RMSPropOptimizer must define learning rate': 'wants the words of the message, which gradstep has in its own way',
  'SGDOptimizer serialization round-trip': saved,
};

export const exceptions = {
  optimizers,
  core: optimizers,
  layers: {
    'LayersModel.fit Model.dispose() cleans up owned optimizer: Functional': powers,
    'LayersModel.fit Model.dispose() cleans up owned optimizer: Sequential': powers,
  },
};
