/** What PyTorch calls the state of an optimizer, and how it differs. */
export interface TorchState {
  /** Its names by ours. */
  readonly slots: Readonly<Record<string, string>>;
  /** Our scalars that are powers of these hyperparameters, β^(t + 1) after t steps. */
  readonly powersOf: readonly string[];
  /** Whether it counts steps. */
  readonly hasStep: boolean;
  /** A slot that has the learning rate in it here and not there, and the hyperparameter without which it has no meaning. */
  readonly withRate?: { readonly slot: string; readonly unless: string };
}

const adam: TorchState = { slots: { m: 'exp_avg', v: 'exp_avg_sq' }, powersOf: ['beta1', 'beta2'], hasStep: true };
const momentum: TorchState = { slots: { momentum: 'momentum_buffer' }, powersOf: [], hasStep: false };
const rmsProp: TorchState = {
  slots: { rms: 'square_avg', momentum: 'momentum_buffer' },
  powersOf: [],
  hasStep: true,
  withRate: { slot: 'momentum', unless: 'momentum' },
};

/** By the names of native rules. */
export const torchStates: Readonly<Record<string, TorchState>> = {
  adam,
  adamW: adam,
  amsGrad: { ...adam, slots: { ...adam.slots, vhat: 'max_exp_avg_sq' } },
  adamax: { slots: { m: 'exp_avg', u: 'exp_inf' }, powersOf: ['beta1'], hasStep: true },
  momentum,
  nesterovMomentum: momentum,
  adagrad: { slots: { accumulator: 'sum' }, powersOf: [], hasStep: true },
  adadelta: { slots: { accum: 'square_avg', accum_update: 'acc_delta' }, powersOf: [], hasStep: true },
  rmsProp,
  centeredRMSProp: { ...rmsProp, slots: { ...rmsProp.slots, mg: 'grad_avg' } },
};
