import { expect } from 'chai';
import * as gradstep from 'gradstep';
import { clipByValue, createGlobalStep, ops, runtime, tensor, variable, type Optimizer, type Tensor } from 'gradstep';

/** Float32 numbers by their bits: NaNs of either sign with payloads, infinities, ones and zero. */
const float32 = (...bits: readonly number[]): Float32Array => new Float32Array(Uint32Array.from(bits).buffer);
const [n1, n2, signaling] = [0x7fc11111, 0xffc22222, 0x7f800001];
const [inf, minusInf, one, minusOne] = [0x7f800000, 0xff800000, 0x3f800000, 0xbf800000];
const xs = (): Float32Array => float32(n1, n2, n1, n2, inf, minusInf, inf, one, one, n1, n2, minusOne, 0, signaling);
const ys = (): Float32Array => float32(n2, n1, one, one, inf, inf, minusInf, n1, n2, minusInf, inf, minusOne, 0, one);

/** The bits of a result, 'NaN' for any NaN: its sign and payload are the machine's choice. */
const bitsOf = (array: ArrayLike<number>): string =>
  Array.from(array, (x) =>
    Number.isNaN(x) ? 'NaN' : new Uint32Array(Float32Array.of(x).buffer)[0]!.toString(16),
  ).join();

function expectSameBits(compute: () => ArrayLike<number>): void {
  const { isa } = runtime;
  try {
    const found = runtime.availableIsas.map((name) => {
      runtime.useIsa(name);
      return bitsOf(compute());
    });
    expect(new Set(found).size, found.join('\n')).to.equal(1);
  } finally {
    runtime.useIsa(isa);
  }
}

type Unary = (x: Float32Array) => Tensor;
type Binary = (x: Float32Array, y: Float32Array) => Tensor;

describe('NaN comes out in the same places on every instruction set, and all else has the same bits', () => {
  for (const name of ['add', 'sub', 'mul', 'div', 'maximum', 'minimum'] as const) {
    it(`ops.${name}`, () => expectSameBits(() => (ops[name] as Binary)(xs(), ys()).data));
  }
  const unary = ['abs', 'exp', 'log', 'neg', 'relu', 'sigmoid', 'sqrt', 'square', 'tanh'] as const;
  const overAll = ['softmax', 'logSoftmax', 'reduceSum', 'reduceMean', 'l2Loss'] as const;
  for (const name of [...unary, ...overAll]) {
    it(`ops.${name}`, () => {
      expectSameBits(() => (ops[name] as Unary)(xs()).data);
      expectSameBits(() => (ops[name] as Unary)(Float32Array.of(1, 2, 3, -1, -2, -0)).data);
    });
  }
  it('ops.matMul', () => expectSameBits(() => ops.matMul(tensor(xs(), [1, 14]), tensor(ys(), [14, 1])).data));
  it('clipByValue', () => expectSameBits(() => clipByValue(xs(), -1, 1)));

  const isOptimizer = (name: string): boolean =>
    /Optimizer$/.test(name) &&
    !/^(Optimizer|OptimizerWrapper|MixedPrecision.*|SyncReplicas.*|RuleOptimizer)$/.test(name);
  for (const name of Object.keys(gradstep).filter(isOptimizer)) {
    it(name, () => {
      const Class = gradstep[name as 'AdamOptimizer'] as new (options: object) => Optimizer;
      expectSameBits(() => {
        const v = variable(xs());
        const needed = /Momentum|RMSProp|Lars/.test(name) ? { momentum: 0.9 } : {};
        const globalStep = /AdagradDA/.test(name) ? { globalStep: createGlobalStep() } : {};
        const optimizer = new Class({ learningRate: 0.1, ...needed, ...globalStep });
        for (let step = 0; step < 2; step++) optimizer.applyGradients([[ys(), v]]);
        return [v, ...optimizer.variables()].flatMap(({ data }) => [...data]);
      });
    });
  }
});
