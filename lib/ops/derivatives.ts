import { refuse } from '../autodiff/way-back';
import type { BinaryFunction, UnaryFunction } from '../native';
import type { Tensor } from '../tensor/tensor';
import { passToOne } from './pass-to-one';
import { binary, binaryWith, scaled, unary, unbroadcast } from './primitives';

// Gradients of the element-wise functions that gradients are made of, made of these again: so every order has one.

type UnaryGradient = (x: Tensor, y: Tensor, dy: Tensor) => Tensor | null;

const ofUnary: Partial<Record<UnaryFunction, UnaryGradient>> = {
  negative: (_x, _y, dy) => unary('negative', dy),
  square: (x, _y, dy) => binary('squareGradient', x, dy),
  sqrt: (_x, y, dy) => binary('sqrtGradient', y, dy),
  exp: (_x, y, dy) => binary('multiply', y, dy),
  log: (x, _y, dy) => binary('logGradient', x, dy),
  relu: (_x, y, dy) => binary('reluGradient', y, dy),
  sigmoid: (_x, y, dy) => binary('sigmoidGradient', y, dy),
  tanh: (_x, y, dy) => binary('tanhGradient', y, dy),
  abs: (x, _y, dy) => binary('multiply', unary('sign', x), dy),
  sign: () => null,
  sin: (x, _y, dy) => product(unary('cos', x), dy),
  cos: (x, _y, dy) => minus(product(unary('sin', x), dy)),
  sinh: (x, _y, dy) => product(unary('cosh', x), dy),
  cosh: (x, _y, dy) => product(unary('sinh', x), dy),
  reciprocal: (_x, y, dy) => binary('reciprocalGradient', y, dy),
  rsqrt: (_x, y, dy) => binary('rsqrtGradient', y, dy),
  softplus: (x, _y, dy) => binary('softplusGradient', x, dy),
};

type BinaryGradient = (a: Tensor, b: Tensor, z: Tensor, dz: Tensor) => [Tensor | null, Tensor | null];

const product = (...factors: readonly Tensor[]): Tensor => factors.reduce((x, y) => binary('multiply', x, y));
const minus = (x: Tensor): Tensor => unary('negative', x);

// Those of unary functions, which have dy for their second argument, are linear in it.
const ofBinary: Partial<Record<BinaryFunction, BinaryGradient>> = {
  add: (_a, _b, _z, dz) => [dz, dz],
  subtract: (_a, _b, _z, dz) => [dz, minus(dz)],
  multiply: (a, b, _z, dz) => [product(dz, b), product(dz, a)],
  divide: (_a, b, z, dz) => [binary('divide', dz, b), minus(product(dz, binary('divide', z, b)))],
  minimum: (a, b, _z, dz) => toOne(binary('lessEqual', a, b), dz),
  maximum: (a, b, _z, dz) => toOne(binary('greaterEqual', a, b), dz),
  lessEqual: () => [null, null],
  greaterEqual: () => [null, null],
  squareGradient: (x, dy, _z, dz) => [binary('squareGradient', dy, dz), binary('squareGradient', x, dz)],
  sqrtGradient: (y, _dy, z, dz) => [minus(product(binary('divide', dz, y), z)), binary('sqrtGradient', y, dz)],
  logGradient: (x, _dy, z, dz) => [minus(product(binary('logGradient', x, dz), z)), binary('logGradient', x, dz)],
  reluGradient: (y, _dy, _z, dz) => [null, binary('reluGradient', y, dz)],
  sigmoidGradient: (y, dy, _z, dz) => [
    product(dy, dz, binaryWith('add', scaled(y, -2), 1)),
    binary('sigmoidGradient', y, dz),
  ],
  tanhGradient: (y, dy, _z, dz) => [product(scaled(y, -2), dy, dz), binary('tanhGradient', y, dz)],
  sigmoidCrossEntropy: (z, x, _loss, d) => [minus(product(x, d)), product(binary('sigmoidMinus', z, x), d)],
  sigmoidMinus: (_z, x, _d, d) => [minus(d), binary('sigmoidGradient', unary('sigmoid', x), d)],
  equal: () => [null, null],
  notEqual: () => [null, null],
  less: () => [null, null],
  greater: () => [null, null],
  floorDivide: () => [null, null],
  divideNoNan: (_a, b, z, dz) => [binary('divideNoNan', dz, b), minus(product(dz, binary('divideNoNan', z, b)))],
  multiplyNoNan: (a, b, _z, dz) => [binary('multiplyNoNan', dz, b), binary('multiplyNoNan', a, dz)],
  pow: (x, y, z, dz) => [powByBase(x, y, dz), binary('powLog', x, product(dz, z))],
  powLog: (x, z, _p, dp) => [binary('reluGradient', x, product(dp, binary('divide', z, x))), binary('powLog', x, dp)],
  reciprocalGradient: (y, dy, _z, dz) => [product(scaled(y, -2), dy, dz), binary('reciprocalGradient', y, dz)],
  rsqrtGradient: (y, dy, _z, dz) => [product(scaled(unary('square', y), -1.5), dy, dz), binary('rsqrtGradient', y, dz)],
  softplusGradient: (x, dy, _z, dz) => [
    binary('sigmoidGradient', unary('sigmoid', x), product(dy, dz)),
    binary('softplusGradient', x, dz),
  ],
  logSigmoidGradient: (x, dy, _z, dz) => [
    minus(binary('sigmoidGradient', unary('sigmoid', x), product(dy, dz))),
    binary('logSigmoidGradient', x, dz),
  ],
  relu6Gradient: (y, _dy, _z, dz) => [null, binary('relu6Gradient', y, dz)],
  eluGradient: (y, dy, _z, dz) => [whereNegative(y, product(dy, dz)), binary('eluGradient', y, dz)],
  seluGradient: (y, dy, _z, dz) => [whereNegative(y, product(dy, dz)), binary('seluGradient', y, dz)],
  softsignGradient: (x, _dy, z, dz) => [
    product(scaled(unary('sign', x), -2), binary('divide', product(z, dz), binaryWith('add', unary('abs', x), 1))),
    binary('softsignGradient', x, dz),
  ],
  hardSigmoidGradient: (x, _dy, _z, dz) => [null, binary('hardSigmoidGradient', x, dz)],
  hardSwishGradient: (x, dy, _z, dz) => [
    scaled(binary('hardSigmoidGradient', x, product(dy, dz)), 2),
    binary('hardSwishGradient', x, dz),
  ],
  siluGradient: (x, dy, _z, dz) => [product(siluCurve(x), dy, dz), binary('siluGradient', x, dz)],
  geluGradient: (x, dy, _z, dz) => [product(geluCurve(x), dy, dz), binary('geluGradient', x, dz)],
  geluTanhGradient: (x, dy, _z, dz) => [product(geluTanhCurve(x), dy, dz), binary('geluTanhGradient', x, dz)],
  mishGradient: (x, dy, _z, dz) => [product(mishCurve(x), dy, dz), binary('mishGradient', x, dz)],
  preluSlope: (x, _alpha, _z, dz) => [null, whereNotPositive(x, dz)],
  preluAlphaGradient: (x, dy, _z, dz) => [whereNotPositive(x, product(dy, dz)), binary('preluAlphaGradient', x, dz)],
};

/** (dz y) xʸ⁻¹, multiplied in TensorFlow's order: y xʸ⁻¹ alone may be beyond what the dtype holds. */
export const powByBase = (x: Tensor, y: Tensor, dz: Tensor): Tensor =>
  binary('multiplyNoNan', binary('pow', x, binaryWith('subtract', y, 1)), product(dz, y));

const whereNegative = (x: Tensor, value: Tensor): Tensor => binary('reluGradient', minus(x), value);
const whereNotPositive = (x: Tensor, value: Tensor): Tensor =>
  binary('reluGradient', binaryWith('lessEqual', x, 0), value);

// Second derivatives.

/** s (1 - s) (2 + x (1 - 2 s)), s = sigmoid(x). */
function siluCurve(x: Tensor): Tensor {
  const s = unary('sigmoid', x);
  const slope = binaryWith('add', product(x, binaryWith('add', scaled(s, -2), 1)), 2);
  return binary('sigmoidGradient', s, slope);
}

/** p(x) (2 - x²), p being the density of the normal distribution. */
function geluCurve(x: Tensor): Tensor {
  const square = unary('square', x);
  const density = scaled(unary('exp', scaled(square, -0.5)), 1 / Math.sqrt(2 * Math.PI));
  return product(density, binaryWith('add', minus(square), 2));
}

/** Of x s, s = sigmoid(u), u = c (x + k x³): s (1 - s) (2 u' + x ((1 - 2 s) u'² + u'')). */
function geluTanhCurve(x: Tensor): Tensor {
  const [c, k] = [2 * Math.sqrt(2 / Math.PI), 0.044715];
  const square = unary('square', x);
  const s = unary('sigmoid', scaled(product(x, binaryWith('add', scaled(square, k), 1)), c));
  const first = scaled(binaryWith('add', scaled(square, 3 * k), 1), c);
  const second = scaled(x, 6 * k * c);
  const inner = binary('add', product(binaryWith('add', scaled(s, -2), 1), unary('square', first)), second);
  return binary('sigmoidGradient', s, binary('add', scaled(first, 2), product(x, inner)));
}

/** Of x t, t = tanh(softplus(x)): 2 t' + x t'', t' = (1 - t²) s, t'' = t' (1 - s - 2 t s), s = sigmoid(x). */
function mishCurve(x: Tensor): Tensor {
  const s = unary('sigmoid', x);
  const t = unary('tanh', unary('softplus', x));
  const first = binary('tanhGradient', t, s);
  const factor = binaryWith('add', minus(binary('add', s, scaled(product(t, s), 2))), 1);
  return binary('add', scaled(first, 2), product(x, first, factor));
}

const toOne = (toFirst: Tensor, dz: Tensor): [Tensor | null, Tensor | null] => {
  const [first, second] = passToOne(toFirst, dz, dz, dz, [true, true]);
  return [first!, second!];
};

/** Of y = f(x). @throws Error for a function that has none here. */
export function unaryGradient(f: UnaryFunction, x: Tensor, y: Tensor, dy: Tensor): Tensor | null {
  return (ofUnary[f] ?? refuse)(x, y, dy);
}

/** Of z = f(a, b), each of its argument's shape. @throws Error for a function that has none here. */
export function binaryGradients(f: BinaryFunction, a: Tensor, b: Tensor, z: Tensor, dz: Tensor): (Tensor | null)[] {
  const [da, db] = (ofBinary[f] ?? refuse)(a, b, z, dz);
  return [da && unbroadcast(da, a.shape), db && unbroadcast(db, b.shape)];
}
