import { expect } from 'chai';
import fc from 'fast-check';
import * as gradstep from 'gradstep';
import {
  AdamOptimizer,
  clipByGlobalNorm,
  clipByNorm,
  createGlobalStep,
  GradientDescentOptimizer,
  ops,
  Tensor,
  tensor,
  tidy,
  unzip,
  variable,
  Variable,
  type GradientAndVariable,
} from 'gradstep';

// What people write who come from elsewhere, and what they are told. The types would refuse most of it.
/* eslint-disable @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-return, @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-call */
const any = (value: unknown): any => value;

describe('what is no option', () => {
  const w = variable([1, 2], { name: 'w' });
  const loss = () => ops.l2Loss(w);
  const adam = new AdamOptimizer();
  const sgd = new GradientDescentOptimizer({ learningRate: 1 });
  const globalStep = createGlobalStep();
  const g = Float32Array.of(1, 1);
  const gradsAndVars = [[g, w]] as const;

  const slips: [code: string, slip: () => unknown, message: string][] = [
    ['new AdamOptimizer({ lr })', () => new AdamOptimizer(any({ lr: 0.1 })), "'learningRate'"],
    ['new AdamOptimizer({ learningrate })', () => new AdamOptimizer(any({ learningrate: 0.1 })), "'learningRate'"],
    ['new AdamOptimizer({ learning_rate })', () => new AdamOptimizer(any({ learning_rate: 0.1 })), "'learningRate'"],
    ['new AdamOptimizer({ beta_1 })', () => new AdamOptimizer(any({ beta_1: 0.1 })), "'beta1'"],
    ['new AdamOptimizer({ betas })', () => new AdamOptimizer(any({ betas: [0.9, 0.99] })), 'beta1 and beta2'],
    ['new AdamOptimizer({ eps })', () => new AdamOptimizer(any({ eps: 0.1 })), "'epsilon'"],
    ['new AdamOptimizer({ clipnorm })', () => new AdamOptimizer(any({ clipnorm: 1 })), 'clipByNorm'],
    [
      'new AdamWOptimizer({ weight_decay })',
      () => new gradstep.AdamWOptimizer(any({ weight_decay: 1 })),
      "'weightDecay'",
    ],
    ['new AdamOptimizer(0.01)', () => new AdamOptimizer(any(0.01)), '{ learningRate: 0.01 }'],
    ['new AdamOptimizer([w], options)', () => new (any(AdamOptimizer))([w], { learningRate: 1 }), 'options come first'],
    ['minimize(loss, [w])', () => adam.minimize(loss, any([w])), '{ varList: [...] }'],
    ['minimize(loss, globalStep)', () => adam.minimize(loss, any(globalStep)), '{ globalStep }'],
    ['applyGradients(gv, globalStep)', () => adam.applyGradients(gradsAndVars, any(globalStep)), '{ globalStep }'],
    [
      'applyGradients(gv, { global_step })',
      () => adam.applyGradients(gradsAndVars, any({ global_step: 1 })),
      "'globalStep'",
    ],
    ['computeGradients(loss, { var_list })', () => adam.computeGradients(loss, any({ var_list: [w] })), "'varList'"],
    ['clipByNorm(t, 5, { axis })', () => clipByNorm(g, 5, any({ axis: 0 })), "'axes'"],
    ['variable(x, { trainble })', () => variable([1], any({ trainble: false })), "'trainable'"],
    ['minimize(a tensor)', () => adam.minimize(any(loss())), 'write () =>'],
    ['a plain array as gradient', () => sgd.applyGradients([[any([1, 1]), w]]), 'tensor()'],
    [
      'applyGradients(clipByGlobalNorm(gv, 5))',
      () => sgd.applyGradients(any(clipByGlobalNorm(gradsAndVars as unknown as GradientAndVariable[], 5))),
      'take the first',
    ],
    ['swapped pairs', () => sgd.applyGradients([any([w, g])]), '[gradient, variable]'],
    ['new Tensor([1, 2])', () => new (any(Tensor))([1, 2]), 'tensor('],
    ['new Variable([1, 2])', () => new (any(Variable))([1, 2]), 'variable('],
    ['tidy(5)', () => tidy(any(5)), 'must be a function'],
    ['unzip(5)', () => unzip(any(5)), 'list of pairs'],
    ['createSlots(w)', () => adam.createSlots(any(w)), 'iterable of Variables'],
  ];
  for (const [code, slip, message] of slips) {
    it(`is refused, and says what was meant: ${code}`, () => {
      expect(slip).to.throw(TypeError, message);
      expect(w.toArray()).to.deep.equal([1, 2]);
      expect(adam.variables()).to.deep.equal([]);
      expect(globalStep.value).to.equal(0);
    });
  }

  it('is answered with the right name when it is one letter off', () => {
    const names = ['learningRate', 'beta1', 'beta2', 'epsilon', 'groups', 'useLocking'];
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.nat(), fc.constantFrom('x', ''), (name, at, letter) => {
        const i = at % name.length;
        const wrong = name.slice(0, i) + letter + name.slice(i + 1);
        if (names.includes(wrong) || /^beta/.test(name)) return;
        expect(() => new AdamOptimizer(any({ [wrong]: 0.5 }))).to.throw(TypeError, `'${name}'`);
      }),
    );
  });

  it('is refused by every optimizer', () => {
    for (const [name, Class] of Object.entries(gradstep)) {
      if (typeof Class !== 'function' || !(Class.prototype instanceof gradstep.Optimizer) || /Wrapper|Mixed/.test(name))
        continue;
      const options = { learningRate: 1, nonsense: 1 };
      const make = () => new (any(Class))(...(name.startsWith('Sync') ? [sgd, options] : [options]));
      expect(make, name).to.throw(TypeError, /there is no '(nonsense|learningRate)'/);
    }
  });
});

describe('an array that holds itself', () => {
  it('is refused', () => {
    const cyclic: unknown[] = [];
    cyclic.push(cyclic);
    expect(() => tensor(any(cyclic))).to.throw(RangeError, 'levels');
  });
});
