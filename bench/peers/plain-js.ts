/**
 * The update rules as plain JavaScript loops: a peer, and what every kernel is checked against before it is timed.
 * Hyperparameters come in the order the native rule declares.
 */
type Loop = (w: Float32Array, g: Float32Array, slots: readonly Float32Array[], h: readonly number[]) => void;

/** Called with one element at a time, returns the new weight and sets the slots. Slow; fine for checking. */
type Rule = (w: number, g: number, s: number[]) => number;

const { abs, max, pow, sign, sqrt } = Math;

/** Adam as one would write it for speed: numbers leave float64 only where they are stored. */
export function adam(
  w: Float32Array,
  g: Float32Array,
  [m, v]: readonly Float32Array[],
  [lr, beta1, beta2, epsilon, beta1Power, beta2Power]: readonly number[],
): void {
  const alpha = (lr! * sqrt(1 - beta2Power!)) / (1 - beta1Power!);
  const a = 1 - beta1!;
  const b = 1 - beta2!;
  for (let i = 0; i < w.length; i++) {
    const gi = g[i]!;
    const mi = m![i]! + (gi - m![i]!) * a;
    const vi = v![i]! + (gi * gi - v![i]!) * b;
    m![i] = mi;
    v![i] = vi;
    w[i]! -= (alpha * mi) / (sqrt(vi) + epsilon!);
  }
}

const soft = (x: number, l: number): number => sign(x) * max(abs(x) - l, 0);

/** A rule that looks at nothing but its own element. */
function elementwise(rule: (h: readonly number[]) => Rule): Loop {
  return (w, g, slots, h) => each(w, g, slots, rule(h));
}

function each(w: Float32Array, g: Float32Array, slots: readonly Float32Array[], update: Rule): void {
  const s: number[] = [];
  for (let i = 0; i < w.length; i++) {
    slots.forEach((slot, k) => (s[k] = slot[i]!));
    w[i] = update(w[i]!, g[i]!, s);
    slots.forEach((slot, k) => (slot[i] = s[k]!));
  }
}

function norm(length: number, at: (i: number) => number): number {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += at(i) ** 2;
  return sqrt(sum);
}

/** m and v of Adam, in place. */
function moments(s: number[], g: number, beta1: number, beta2: number): void {
  s[0]! += (1 - beta1) * (g - s[0]!);
  s[1]! += (1 - beta2) * (g * g - s[1]!);
}

function rmsProp(isCentered: boolean): Loop {
  return elementwise(([lr, rho, mu, epsilon]) => (w, g, s) => {
    const last = isCentered ? 2 : 1;
    s[0]! += (1 - rho!) * (g * g - s[0]!);
    if (isCentered) s[1]! += (1 - rho!) * (g - s[1]!);
    const variance = s[0]! - (isCentered ? s[1]! ** 2 : 0);
    s[last] = mu! * s[last]! + (lr! * g) / sqrt(variance + epsilon!);
    return w - s[last];
  });
}

const lamb: Loop = (w, g, [m, v], [lr, beta1, beta2, epsilon, decay, beta1Power, beta2Power]) => {
  each(w, g, [m!, v!], (w, g, s) => (moments(s, g, beta1!, beta2!), w));
  const direction = (i: number): number =>
    m![i]! / (1 - beta1Power!) / (sqrt(v![i]! / (1 - beta2Power!)) + epsilon!) + decay! * w[i]!;
  const rate = (lr! * norm(w.length, (i) => w[i]!)) / norm(w.length, direction);
  for (let i = 0; i < w.length; i++) w[i]! -= rate * direction(i);
};

function lars(isNesterov: boolean): Loop {
  return (w, g, slots, [lr, mu, decay, trust, epsilon]) => {
    const wNorm = norm(w.length, (i) => w[i]!);
    const rate = (lr! * trust! * wNorm) / (norm(w.length, (i) => g[i]!) + decay! * wNorm + epsilon!);
    each(w, g, slots, (w, g, s) => {
      const step = rate * (g + decay! * w);
      s[0] = mu! * s[0]! + step;
      return w - (isNesterov ? mu! * s[0] + step : s[0]);
    });
  };
}

/** By the native rules' names. */
export const plainRules: Readonly<Record<string, Loop>> = {
  gradientDescent: elementwise(
    ([lr]) =>
      (w, g) =>
        w - lr! * g,
  ),
  momentum: elementwise(
    ([lr, mu]) =>
      (w, g, s) =>
        w - lr! * (s[0] = mu! * s[0]! + g),
  ),
  nesterovMomentum: elementwise(
    ([lr, mu]) =>
      (w, g, s) =>
        w - lr! * (g + mu! * (s[0] = mu! * s[0]! + g)),
  ),
  adam,
  adamW: elementwise(([lr, beta1, beta2, epsilon, decay, beta1Power, beta2Power]) => (w, g, s) => {
    moments(s, g, beta1!, beta2!);
    return w - lr! * (s[0]! / (1 - beta1Power!) / (sqrt(s[1]! / (1 - beta2Power!)) + epsilon!) + decay! * w);
  }),
  amsGrad: elementwise(([lr, beta1, beta2, epsilon, beta1Power, beta2Power]) => (w, g, s) => {
    moments(s, g, beta1!, beta2!);
    s[2] = max(s[2]!, s[1]!);
    return w - (((lr! * sqrt(1 - beta2Power!)) / (1 - beta1Power!)) * s[0]!) / (sqrt(s[2]) + epsilon!);
  }),
  nadam: elementwise(([lr, beta1, beta2, epsilon, , beta2Power, mu, nextMu, product]) => (w, g, s) => {
    moments(s, g, beta1!, beta2!);
    const step = (nextMu! * s[0]!) / (1 - product! * nextMu!) + ((1 - mu!) * g) / (1 - product!);
    return w - (lr! * step) / (sqrt(s[1]! / (1 - beta2Power!)) + epsilon!);
  }),
  adamax: elementwise(([lr, beta1, beta2, epsilon, beta1Power]) => (w, g, s) => {
    s[0]! += (1 - beta1!) * (g - s[0]!);
    s[1] = max(beta2! * s[1]!, abs(g));
    return w - ((lr! / (1 - beta1Power!)) * s[0]!) / (s[1] + epsilon!);
  }),
  adagrad: elementwise(
    ([lr]) =>
      (w, g, s) =>
        w - (lr! * g) / sqrt((s[0]! += g * g)),
  ),
  adagradDA: elementwise(([lr, l1, l2, step]) => (_, g, s) => {
    s[0]! += g;
    s[1]! += g * g;
    return (-lr! * soft(s[0]!, l1! * step!)) / (l2! * step! * lr! + sqrt(s[1]!));
  }),
  adadelta: elementwise(([lr, rho, epsilon]) => (w, g, s) => {
    s[0] = rho! * s[0]! + (1 - rho!) * g * g;
    const u = (g * sqrt(s[1]! + epsilon!)) / sqrt(s[0] + epsilon!);
    s[1] = rho! * s[1]! + (1 - rho!) * u * u;
    return w - lr! * u;
  }),
  tfjsAdagrad: elementwise(
    ([lr, epsilon]) =>
      (w, g, s) =>
        w - (lr! * g) / sqrt((s[0]! += g * g) + epsilon!),
  ),
  tfjsAdadelta: elementwise(([lr, rho, epsilon]) => (w, g, s) => {
    const u = (g * sqrt(s[1]! + epsilon!)) / sqrt(s[0]! + epsilon!);
    s[0] = rho! * s[0]! + (1 - rho!) * g * g;
    s[1] = rho! * s[1]! + (1 - rho!) * u * u;
    return w - lr! * u;
  }),
  rmsProp: rmsProp(false),
  centeredRMSProp: rmsProp(true),
  ftrl: elementwise(([lr, power, l1, l2, shrinkage, beta]) => (w, g, s) => {
    const n = s[0]! + g * g;
    s[1]! += g + 2 * shrinkage! * w - ((pow(n, -power!) - pow(s[0]!, -power!)) / lr!) * w;
    s[0] = n;
    return -soft(s[1]!, l1!) / ((pow(n, -power!) + beta!) / lr! + 2 * l2!);
  }),
  proximalGradientDescent: elementwise(
    ([lr, l1, l2]) =>
      (w, g) =>
        soft(w - lr! * g, lr! * l1!) / (1 + lr! * l2!),
  ),
  proximalAdagrad: elementwise(([lr, l1, l2]) => (w, g, s) => {
    const rate = lr! / sqrt((s[0]! += g * g));
    return soft(w - rate * g, rate * l1!) / (1 + rate * l2!);
  }),
  lion: elementwise(([lr, beta1, beta2, decay]) => (w, g, s) => {
    const c = s[0]! + (1 - beta1!) * (g - s[0]!);
    s[0]! += (1 - beta2!) * (g - s[0]!);
    return w - lr! * (sign(c) + decay! * w);
  }),
  lamb,
  lars: lars(false),
  nesterovLars: lars(true),
};
