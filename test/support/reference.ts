// Every update rule again, in float64 and as its paper writes it: slow, plain, and sharing nothing with the library.

/** All hyperparameters there are; each rule reads its own. */
export interface Hyper {
  learningRate: number;
  momentum: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
  momentumDecay: number;
  rho: number;
  decay: number;
  learningRatePower: number;
  l1RegularizationStrength: number;
  l2RegularizationStrength: number;
  l2ShrinkageRegularizationStrength: number;
  beta: number;
  initialAccumulatorValue: number;
  initialGradientSquaredAccumulatorValue: number;
  trustCoefficient: number;
}

/** The variable `w` and its slots. */
export type State = Readonly<Record<string, readonly number[]>>;

export interface Reference {
  /** What slots start from. */
  readonly slots: Readonly<Record<string, number | keyof Hyper>>;
  /** The state after step t = 1, 2, ... */
  readonly step: (state: State, gradient: readonly number[], hyper: Hyper, t: number) => State;
}

type Element<Slot extends string> = Record<Slot | 'w', number>;

function elementwise<Slot extends string>(
  slots: Record<Slot, number | keyof Hyper>,
  step: (state: Element<Slot>, g: number, hyper: Hyper, t: number) => Element<Slot>,
): Reference {
  const names = ['w', ...Object.keys(slots)] as (Slot | 'w')[];
  return {
    slots,
    step: (state, gradient, hyper, t) => {
      const after = gradient.map((g, i) => {
        const before = Object.fromEntries(names.map((name) => [name, state[name]![i]!])) as Element<Slot>;
        return step(before, g, hyper, t);
      });
      return Object.fromEntries(names.map((name) => [name, after.map((element) => element[name])]));
    },
  };
}

const norm = (x: readonly number[]) => Math.sqrt(x.reduce((sum, value) => sum + value * value, 0));
const shrink = (x: number, l: number) => Math.sign(x) * Math.max(Math.abs(x) - Math.max(l, 0), 0);

/** m and v of Adam, and both with their bias corrected. */
function moments(m: number, v: number, g: number, { beta1, beta2 }: Hyper, t: number) {
  const next = { m: beta1 * m + (1 - beta1) * g, v: beta2 * v + (1 - beta2) * g ** 2 };
  return { ...next, mHat: next.m / (1 - beta1 ** t), vHat: next.v / (1 - beta2 ** t) };
}

const gradientDescent = elementwise({}, ({ w }, g, { learningRate }) => ({ w: w - learningRate * g }));

const momentum = (nesterov: boolean) =>
  elementwise({ momentum: 0 }, ({ w, momentum: a }, g, { learningRate, momentum: mu }) => {
    const next = mu * a + g;
    return { w: w - learningRate * (nesterov ? g + mu * next : next), momentum: next };
  });

const adam = elementwise({ m: 0, v: 0 }, ({ w, m: m0, v: v0 }, g, hyper, t) => {
  const { m, v } = moments(m0, v0, g, hyper, t);
  const alpha = (hyper.learningRate * Math.sqrt(1 - hyper.beta2 ** t)) / (1 - hyper.beta1 ** t);
  return { w: w - (alpha * m) / (Math.sqrt(v) + hyper.epsilon), m, v };
});

const adamW = elementwise({ m: 0, v: 0 }, ({ w, m: m0, v: v0 }, g, hyper, t) => {
  const { m, v, mHat, vHat } = moments(m0, v0, g, hyper, t);
  const direction = mHat / (Math.sqrt(vHat) + hyper.epsilon) + hyper.weightDecay * w;
  return { w: w - hyper.learningRate * direction, m, v };
});

const amsGrad = elementwise({ m: 0, v: 0, vhat: 0 }, ({ w, m: m0, v: v0, vhat: u0 }, g, hyper, t) => {
  const { m, v } = moments(m0, v0, g, hyper, t);
  const vhat = Math.max(u0, v);
  const alpha = (hyper.learningRate * Math.sqrt(1 - hyper.beta2 ** t)) / (1 - hyper.beta1 ** t);
  return { w: w - (alpha * m) / (Math.sqrt(vhat) + hyper.epsilon), m, v, vhat };
});

const nadam = elementwise({ m: 0, v: 0 }, ({ w, m: m0, v: v0 }, g, hyper, t) => {
  const { m, v, vHat } = moments(m0, v0, g, hyper, t);
  const mu = (i: number) => hyper.beta1 * (1 - 0.5 * 0.96 ** (i * hyper.momentumDecay));
  let product = 1;
  for (let i = 1; i <= t; i++) product *= mu(i);
  const mBar = (mu(t + 1) * m) / (1 - product * mu(t + 1)) + ((1 - mu(t)) * g) / (1 - product);
  return { w: w - (hyper.learningRate * mBar) / (Math.sqrt(vHat) + hyper.epsilon), m, v };
});

const adamax = elementwise({ m: 0, u: 0 }, ({ w, m: m0, u: u0 }, g, { learningRate, beta1, beta2, epsilon }, t) => {
  const m = beta1 * m0 + (1 - beta1) * g;
  const u = Math.max(beta2 * u0, Math.abs(g));
  return { w: w - ((learningRate / (1 - beta1 ** t)) * m) / (u + epsilon), m, u };
});

const lion = elementwise({ m: 0 }, ({ w, m }, g, { learningRate, beta1, beta2, weightDecay }) => {
  const direction = Math.sign(beta1 * m + (1 - beta1) * g) + weightDecay * w;
  return { w: w - learningRate * direction, m: beta2 * m + (1 - beta2) * g };
});

const adagrad = elementwise({ accumulator: 'initialAccumulatorValue' }, ({ w, accumulator }, g, { learningRate }) => {
  const a = accumulator + g ** 2;
  return { w: w - (learningRate * g) / Math.sqrt(a), accumulator: a };
});

const adagradDA = elementwise(
  { gradient_accumulator: 0, gradient_squared_accumulator: 'initialGradientSquaredAccumulatorValue' },
  (state, g, { learningRate: lr, l1RegularizationStrength: l1, l2RegularizationStrength: l2 }, T) => {
    const G = state.gradient_accumulator + g;
    const Q = state.gradient_squared_accumulator + g ** 2;
    const w = (-lr * shrink(G, T * l1)) / (l2 * T * lr + Math.sqrt(Q));
    return { w, gradient_accumulator: G, gradient_squared_accumulator: Q };
  },
);

const adadelta = elementwise(
  { accum: 0, accum_update: 0 },
  ({ w, accum, accum_update: d }, g, { learningRate, rho, epsilon }) => {
    const a = rho * accum + (1 - rho) * g ** 2;
    const u = (Math.sqrt(d + epsilon) / Math.sqrt(a + epsilon)) * g;
    return { w: w - learningRate * u, accum: a, accum_update: rho * d + (1 - rho) * u ** 2 };
  },
);

const tfjsAdagrad = elementwise(
  { accumulator: 'initialAccumulatorValue' },
  ({ w, accumulator }, g, { learningRate, epsilon }) => {
    const a = accumulator + g ** 2;
    return { w: w - (learningRate * g) / Math.sqrt(a + epsilon), accumulator: a };
  },
);

const tfjsAdadelta = elementwise(
  { accum_grad: 0, accum_var: 0 },
  ({ w, accum_grad: a, accum_var: d }, g, { learningRate, rho, epsilon }) => {
    const u = (Math.sqrt(d + epsilon) / Math.sqrt(a + epsilon)) * g;
    return {
      w: w - learningRate * u,
      accum_grad: rho * a + (1 - rho) * g ** 2,
      accum_var: rho * d + (1 - rho) * u ** 2,
    };
  },
);

const rmsProp = elementwise(
  { rms: 1, momentum: 0 },
  ({ w, rms, momentum: a }, g, { learningRate, decay: rho, momentum: mu, epsilon }) => {
    const r = rho * rms + (1 - rho) * g ** 2;
    const next = mu * a + (learningRate * g) / Math.sqrt(r + epsilon);
    return { w: w - next, rms: r, momentum: next };
  },
);

const centeredRMSProp = elementwise(
  { rms: 1, mg: 0, momentum: 0 },
  ({ w, rms, mg, momentum: a }, g, { learningRate, decay: rho, momentum: mu, epsilon }) => {
    const r = rho * rms + (1 - rho) * g ** 2;
    const c = rho * mg + (1 - rho) * g;
    const next = mu * a + (learningRate * g) / Math.sqrt(r - c ** 2 + epsilon);
    return { w: w - next, rms: r, mg: c, momentum: next };
  },
);

const ftrl = elementwise({ accum: 'initialAccumulatorValue', linear: 0 }, ({ w, accum, linear }, g, hyper) => {
  const { learningRate: lr, learningRatePower, l1RegularizationStrength: l1, beta } = hyper;
  const p = -learningRatePower;
  const n = accum + g ** 2;
  const z = linear + g + 2 * hyper.l2ShrinkageRegularizationStrength * w - ((n ** p - accum ** p) / lr) * w;
  const solved = (Math.sign(z) * l1 - z) / ((n ** p + beta) / lr + 2 * hyper.l2RegularizationStrength);
  return { w: Math.abs(z) > l1 ? solved : 0, accum: n, linear: z };
});

function proximal(w: number, g: number, e: number, hyper: Hyper): number {
  return shrink(w - e * g, e * hyper.l1RegularizationStrength) / (1 + e * hyper.l2RegularizationStrength);
}

const proximalGradientDescent = elementwise({}, ({ w }, g, hyper) => ({
  w: proximal(w, g, hyper.learningRate, hyper),
}));

const proximalAdagrad = elementwise({ accumulator: 'initialAccumulatorValue' }, ({ w, accumulator }, g, hyper) => {
  const a = accumulator + g ** 2;
  return { w: proximal(w, g, hyper.learningRate / Math.sqrt(a), hyper), accumulator: a };
});

const lamb: Reference = {
  slots: { m: 0, v: 0 },
  step: ({ w, m, v }, gradient, hyper, t) => {
    const next = gradient.map((g, i) => moments(m![i]!, v![i]!, g, hyper, t));
    const u = next.map(({ mHat, vHat }, i) => mHat / (Math.sqrt(vHat) + hyper.epsilon) + hyper.weightDecay * w![i]!);
    const ratio = norm(w!) > 0 && norm(u) > 0 ? norm(w!) / norm(u) : 1;
    return {
      w: w!.map((value, i) => value - hyper.learningRate * ratio * u[i]!),
      m: next.map((element) => element.m),
      v: next.map((element) => element.v),
    };
  },
};

const lars = (nesterov: boolean): Reference => ({
  slots: { momentum: 0 },
  step: ({ w, momentum: v }, g, { learningRate, momentum: mu, weightDecay, trustCoefficient, epsilon }) => {
    const [wNorm, gNorm] = [norm(w!), norm(g)];
    const trust = wNorm > 0 && gNorm > 0 ? (trustCoefficient * wNorm) / (gNorm + weightDecay * wNorm + epsilon) : 1;
    const step = g.map((value, i) => learningRate * trust * (value + weightDecay * w![i]!));
    const next = v!.map((value, i) => mu * value + step[i]!);
    return { w: w!.map((value, i) => value - (nesterov ? mu * next[i]! + step[i]! : next[i]!)), momentum: next };
  },
});

/** By the names of the native rules. */
export const references = {
  gradientDescent,
  momentum: momentum(false),
  nesterovMomentum: momentum(true),
  adam,
  adamW,
  amsGrad,
  nadam,
  adamax,
  adagrad,
  tfjsAdagrad,
  adagradDA,
  adadelta,
  tfjsAdadelta,
  rmsProp,
  centeredRMSProp,
  ftrl,
  proximalGradientDescent,
  proximalAdagrad,
  lion,
  lamb,
  lars: lars(false),
  nesterovLars: lars(true),
} satisfies Readonly<Record<string, Reference>>;
