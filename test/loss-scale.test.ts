import { expect } from 'chai';
import * as fc from 'fast-check';
import {
  AdamOptimizer,
  clipByGlobalNorm,
  createGlobalStep,
  customGradient,
  DynamicLossScale,
  FixedLossScale,
  GradientDescentOptimizer,
  IndexedSlices,
  LossScale,
  MixedPrecisionLossScaleOptimizer,
  MomentumOptimizer,
  ops,
  Optimizer,
  tensor,
  variable,
  type GradientAndVariable,
  type Gradients,
  type Tensor,
} from 'gradstep';

const sgd = (): GradientDescentOptimizer => new GradientDescentOptimizer({ learningRate: 1 });

describe('FixedLossScale', () => {
  it('accepts every step and never changes', () => {
    const scale = new FixedLossScale(123);
    expect(scale.update(null)).to.equal(true);
    expect(scale.update([tensor([NaN])])).to.equal(true);
    expect(scale.value).to.equal(123);
    expect(String(scale)).to.equal('FixedLossScale(123)');
  });

  it('is at least 1', () => {
    expect(() => new FixedLossScale(0.5)).to.throw(RangeError, 'lossScale must be finite and at least 1, got 0.5');
    expect(() => new FixedLossScale('1' as unknown as number)).to.throw(TypeError, 'lossScale must be a number');
  });
});

describe('DynamicLossScale', () => {
  it('starts at 2^15 and doubles after 2000 good steps', () => {
    const scale = new DynamicLossScale();
    for (let i = 0; i < 1999; i++) scale.update(null);
    expect([scale.value, scale.goodSteps]).to.deep.equal([2 ** 15, 1999]);
    scale.update([]);
    expect([scale.value, scale.goodSteps]).to.deep.equal([2 ** 16, 0]);
  });

  it('stays between 1 and the largest float32 whatever comes', () => {
    const steps = fc.array(fc.boolean(), { maxLength: 400 });
    fc.assert(
      fc.property(steps, fc.double({ min: 1, max: 1e20, noNaN: true }), (good, multiplier) => {
        const scale = new DynamicLossScale({ incrementPeriod: 1, multiplier });
        for (const isGood of good) scale.update(tensor([isGood ? 1 : NaN]));
        return scale.value >= 1 && Number.isFinite(Math.fround(scale.value));
      }),
    );
  });

  const isFinite = (gradients: Gradients) => new DynamicLossScale().accepts(gradients);

  it('sees one value that is not finite in any form of gradients, and no large one as such', () => {
    const v = variable([0]);
    for (const dtype of ['float32', 'float64'] as const) {
      const largest = dtype === 'float32' ? (2 - 2 ** -23) * 2 ** 127 : Number.MAX_VALUE;
      expect(isFinite(tensor([largest, -largest, 1], [3], dtype))).to.equal(true);
      for (const bad of [NaN, Infinity, -Infinity]) {
        const gradient = tensor([1, bad, 2], [3], dtype);
        const slices = new IndexedSlices(tensor([[1], [bad]], [2, 1], dtype), [0, 1]);
        expect(isFinite(gradient)).to.equal(false);
        expect(isFinite(slices)).to.equal(false);
        expect(isFinite([null, tensor([1]), gradient.data])).to.equal(false);
        expect(isFinite([[tensor([1]), v], [slices, v]])).to.equal(false); // prettier-ignore
      }
    }
    expect(isFinite([null, null])).to.equal(true);
    expect(() => isFinite('x' as unknown as null)).to.throw(TypeError, 'gradients must be gradients');
  });

  it('sees that a norm which is not finite has made a clipped gradient NaN', () => {
    const [clipped] = clipByGlobalNorm([tensor([1, 2]), tensor([Infinity])], 1);
    expect(isFinite(clipped[0])).to.equal(false);
  });

  it('refuses options by name', () => {
    const make = (options: object) => () => new DynamicLossScale(options);
    expect(make({ initialLossScale: 1e39 })).to.throw(RangeError, 'initialLossScale');
    expect(make({ incrementPeriod: 0 })).to.throw(RangeError, 'incrementPeriod must be a whole number from 1, got 0');
    expect(make({ multiplier: 0.5 })).to.throw(RangeError, 'multiplier');
  });
});

describe('LossScale.get', () => {
  it('makes a scale of its short forms', () => {
    expect(LossScale.get(8)).to.be.instanceOf(FixedLossScale).with.property('value', 8);
    expect(LossScale.get('dynamic')).to.be.instanceOf(DynamicLossScale);
    const scale = new DynamicLossScale();
    expect(LossScale.get(scale)).to.equal(scale);
    expect(LossScale.get(null)).to.equal(null);
    expect(() => LossScale.get('static' as 'dynamic')).to.throw(TypeError, 'lossScale must be a LossScale');
  });
});

describe('MixedPrecisionLossScaleOptimizer', () => {
  const inner = () => new AdamOptimizer({ learningRate: 0.1 });

  it('steps as the inner optimizer would have alone, to the last bit, for scales that are powers of two', () => {
    const results = [inner(), new MixedPrecisionLossScaleOptimizer(inner(), 2 ** 10)].map((optimizer) => {
      const v = variable([1, -2, 3]);
      for (let i = 0; i < 5; i++) {
        const [clipped] = clipByGlobalNorm(
          optimizer.computeGradients(() => ops.l2Loss(v)),
          0.5,
        );
        optimizer.applyGradients(clipped);
      }
      return v.toArray();
    });
    expect(results[1]).to.deep.equal(results[0]);
  });

  it('keeps gradients that would have vanished on the way', () => {
    const v = variable([1]);
    const small = 1e-30;
    const loss = () => ops.mul(ops.mul(v, small), small); // the gradient is 1e-60, too small for float32
    const through = (optimizer: Optimizer) => (optimizer.computeGradients(loss)[0]![0] as Tensor).factor;
    expect((sgd().computeGradients(loss)[0]![0] as Tensor).toArray()).to.deep.equal([0]);
    const scaled = new MixedPrecisionLossScaleOptimizer(sgd(), 2 ** 90);
    const { raw } = scaled.computeGradients(loss)[0]![0] as Tensor;
    expect(raw[0]).to.be.closeTo(1e-60 * 2 ** 90, 1e-37);
    expect(through(scaled)).to.equal(2 ** -90);
  });

  it('returns the loss as it was, not scaled, and null where there is no gradient', () => {
    const [v, w] = [variable([3]), variable([4])];
    const optimizer = new MixedPrecisionLossScaleOptimizer(sgd(), 8);
    const pairs = optimizer.computeGradients(() => ops.mul(v, 2), { varList: [v, w] });
    expect(pairs.loss.toArray()).to.deep.equal([6]);
    expect((pairs[0]![0] as Tensor).toArray()).to.deep.equal([2]);
    expect(pairs[1]![0]).to.equal(null);
    expect(optimizer.minimize(() => ops.mul(v, 2)).toArray()).to.deep.equal([6]);
  });

  it('keeps sparse gradients sparse', () => {
    const v = variable([[1], [2], [3]]);
    const optimizer = new MixedPrecisionLossScaleOptimizer(sgd(), 4);
    const [[gradient]] = optimizer.computeGradients(() => ops.gather(v, [2, 0])) as unknown as [[IndexedSlices]];
    expect([...gradient.indices]).to.deep.equal([2, 0]);
    expect(gradient.values.toArray()).to.deep.equal([[1], [1]]);
  });

  describe('leaves out a step whose gradients are not finite:', () => {
    const setting = () => {
      const v = variable([1, 2]);
      const globalStep = createGlobalStep();
      const scale = new DynamicLossScale({ initialLossScale: 8, incrementPeriod: 3 });
      return { v, globalStep, scale, optimizer: new MixedPrecisionLossScaleOptimizer(inner(), scale) };
    };

    it('nothing changes but the scale', () => {
      const { v, globalStep, scale, optimizer } = setting();
      const step = (value: number) => optimizer.applyGradients([[tensor([value, 1]), v]], { globalStep });
      expect(step(NaN)).to.equal(false);
      expect(optimizer.getSlotNames()).to.deep.equal([]);
      expect(v.toArray()).to.deep.equal([1, 2]);
      expect([globalStep.value, scale.value]).to.deep.equal([0, 4]);
      expect(step(1)).to.equal(true);
      const state = () => [v, ...optimizer.optimizer.variables()].map((variable) => variable.toArray());
      const before = state();
      expect(step(-Infinity)).to.equal(false);
      expect(state()).to.deep.equal(before);
      expect([globalStep.value, scale.value]).to.deep.equal([1, 2]);
    });

    it('the next steps go on as if it had not been', () => {
      const results = [
        [1, NaN, 2],
        [1, 2],
      ].map((values) => {
        // prettier-ignore
        const { v, optimizer } = setting();
        for (const value of values) optimizer.applyGradients([[tensor([value, 1]), v]]);
        return v.toArray();
      });
      expect(results[0]).to.deep.equal(results[1]);
    });

    it('a wrong argument is refused all the same, with the scale unchanged', () => {
      const { v, scale, optimizer } = setting();
      const apply = (pairs: unknown, options?: object) => () =>
        optimizer.applyGradients(pairs as GradientAndVariable[], options);
      for (const value of [1, NaN]) {
        expect(apply([[tensor([value]), v]])).to.throw(RangeError, "gradient of 'Variable");
        expect(apply([[tensor([value, 1]), v]], { globalStep: 3 })).to.throw(
          TypeError,
          'globalStep must be a GlobalStep',
        );
      }
      expect(apply(null)).to.throw(TypeError, 'gradsAndVars must be an iterable');
      expect(apply([])).to.throw(Error, 'No variables provided');
      expect([scale.value, scale.goodSteps]).to.deep.equal([8, 0]);
    });

    it('its gradients go back to the pool like any others', () => {
      const { v, optimizer } = setting();
      const bad = customGradient<[Tensor]>((x) => ({ value: x, gradient: (dy) => [ops.mul(dy, NaN)] }));
      const pairs = optimizer.computeGradients(() => bad(ops.mul(v, 1)));
      const gradient = pairs[0]![0] as Tensor;
      expect(optimizer.applyGradients(pairs)).to.equal(false);
      expect(gradient.isDisposed).to.equal(false);
      optimizer.computeGradients(() => ops.mul(v, 1));
      expect(gradient.isDisposed).to.equal(true);
    });
  });

  it('is an Optimizer, and shows the state of the one inside and of its scale', () => {
    const scale = new DynamicLossScale();
    const momentum = new MomentumOptimizer({ learningRate: 1, momentum: 0.5, name: 'M' });
    const optimizer = new MixedPrecisionLossScaleOptimizer(momentum, scale);
    const v = variable([1], { name: 'v' });
    optimizer.minimize(() => ops.square(v));
    expect(optimizer).to.be.instanceOf(Optimizer);
    expect(optimizer.getName()).to.equal('M');
    expect(optimizer.getSlotNames()).to.deep.equal(['momentum']);
    expect(optimizer.getSlot(v, 'momentum')).to.equal(momentum.getSlot(v, 'momentum'));
    expect(optimizer.variables().map(({ name }) => name)).to.deep.equal(['current_loss_scale', 'good_steps', 'v/M']);
    const w = variable([1], { name: 'w' });
    optimizer.createSlots([w]);
    expect(momentum.getSlot(w, 'momentum')).not.to.equal(null);
  });

  it('refuses what is no optimizer and no scale', () => {
    const make = (optimizer: unknown, scale: unknown) => () =>
      new MixedPrecisionLossScaleOptimizer(optimizer as Optimizer, scale as number);
    expect(make({}, 1)).to.throw(TypeError, 'optimizer must be an Optimizer, got an Object');
    expect(make(sgd(), null)).to.throw(TypeError, 'lossScale must be a LossScale');
    expect(make(sgd(), 0)).to.throw(RangeError, 'lossScale must be finite and at least 1');
    const optimizer = new MixedPrecisionLossScaleOptimizer(sgd(), 2);
    expect(() => optimizer.computeGradients(() => 5 as unknown as Tensor)).to.throw(
      TypeError,
      'loss must return a Tensor',
    );
  });
});
