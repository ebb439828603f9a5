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
};

type BinaryGradient = (a: Tensor, b: Tensor, z: Tensor, dz: Tensor) => [Tensor | null, Tensor | null];

const product = (...factors: readonly Tensor[]): Tensor => factors.reduce((x, y) => binary('multiply', x, y));
const minus = (x: Tensor): Tensor => unary('negative', x);

// Those of unary functions, which have dy for their second argument, are linear in it.
const ofBinary: Partial<Record<BinaryFunction, BinaryGradient>> = {
  add: (_a, _b, _z, dz) => [dz, dz],
  subtract: (_a, _b, _z, dz) => [dz, minus(dz)],
  multiply: (a, b, _z, dz) => [product(dz, b), product(dz, a)],
  divide: (_a, b, z, dz) => [binary('divide', dz, b), minus(product(binary('divide', dz, b), z))],
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
};

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
