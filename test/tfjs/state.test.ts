import { expect } from 'chai';
import * as tfjs from 'gradstep/tfjs';
import { adagrad, adam, adamW, momentum, rmsprop, sgd, type TfjsOptimizer } from 'gradstep/tfjs';
import { describeOnBackends, type NamedTensor, type Optimizer, type Tensor, type Tf, type Variable } from './tf';

const as = (optimizer: TfjsOptimizer): Optimizer => optimizer as unknown as Optimizer;

/** What a program with another optimizer of the same kind gets. */
function expectSame(values: Tensor | Float32Array, expected: Tensor | Float32Array, tolerance = 2e-6): void {
  const [a, b] = [values, expected].map((one) => [...(one instanceof Float32Array ? one : one.dataSync())]);
  expect(a!.length).to.equal(b!.length);
  a!.forEach((value, i) => expect(value, `element ${i}`).to.be.closeTo(b![i]!, tolerance));
}

const theirs: Record<string, readonly [theirs: (tf: Tf) => Optimizer, ours: () => TfjsOptimizer]> = {
  sgd: [(tf) => tf.train.sgd!(0.1), () => sgd({ learningRate: 0.1 })],
  momentum: [(tf) => tf.train.momentum!(0.1, 0.9), () => momentum({ learningRate: 0.1, momentum: 0.9 })],
  'momentum, Nesterov': [
    (tf) => tf.train.momentum!(0.1, 0.9, true),
    () => momentum({ learningRate: 0.1, momentum: 0.9, useNesterov: true }),
  ],
  adagrad: [(tf) => tf.train.adagrad!(0.1), () => tfjs.adagrad({ learningRate: 0.1 })],
  adadelta: [
    (tf) => tf.train.adadelta!(0.1, 0.9, 1e-3),
    () => tfjs.adadelta({ learningRate: 0.1, rho: 0.9, epsilon: 1e-3 }),
  ],
  adam: [(tf) => tf.train.adam!(0.1), () => adam({ learningRate: 0.1 })],
  adamax: [
    (tf) => tf.train.adamax!(0.1, 0.9, 0.999, undefined, 0.1),
    () => tfjs.adamax({ learningRate: 0.1, decay: 0.1 }),
  ],
  rmsprop: [(tf) => tf.train.rmsprop!(0.1, 0.9, 0.5), () => rmsprop({ learningRate: 0.1, momentum: 0.5 })],
};

function train(tf: Tf, optimizer: Optimizer, steps: number): Float32Array {
  const w = tf.variable(tf.tensor([0.3, -0.5, 1, 2, -2, 0.1], [3, 2])),
    b = tf.variable(tf.tensor([0.1, -0.1]));
  const x = tf.tensor(
    Array.from({ length: 12 }, (_, i) => Math.sin(i)),
    [4, 3],
  );
  for (let i = 0; i < steps; i++) {
    optimizer.minimize(() => tf.mean(tf.square(tf.add(tf.matMul(x, w), b))), false, [w, b]);
  }
  const values = Float32Array.of(...w.dataSync(), ...b.dataSync());
  tf.dispose([w, b]);
  return values;
}

describeOnBackends('an optimizer of gradstep/tfjs', (tf) => {
  let w: Variable, v: Variable;
  const step = (optimizer: Optimizer, values: Record<string, number[]>): void =>
    tf.tidy(() => {
      const gradients = Object.entries(values).map(([name, list]) => [name, tf.tensor(list)] as const);
      optimizer.applyGradients(Object.fromEntries(gradients));
    });
  beforeEach(() => {
    w = tf.variable(tf.tensor([1, 2]), true, 'w');
    v = tf.variable(tf.tensor([3, 4, 5]), true, 'v');
  });
  afterEach(() => tf.dispose([w, v]));

  for (const [name, [make, ours]] of Object.entries(theirs)) {
    it(`computes what TensorFlow.js's does: ${name}`, () => {
      const expected = train(tf, make(tf), 50);
      expectSame(train(tf, as(ours()), 50), expected, 1e-4);
    });
  }

  it('steps with every kind that there is, and disposes of all it made', () => {
    const { numTensors } = tf.memory();
    const makers = Object.entries(tfjs).filter(([, make]) => typeof make === 'function' && 'from' in make);
    expect(makers.length).to.equal(18);
    for (const [name, make] of makers) {
      const create = make as unknown as (options: object) => TfjsOptimizer;
      const optimizer = as(create({ learningRate: 0.1, ...(name === 'momentum' && { momentum: 0.9 }) }));
      const before = w.dataSync();
      step(optimizer, { w: [1, -1] });
      step(optimizer, { w: [1, -1] });
      expect([...w.dataSync()], name).to.not.deep.equal([...before]);
      expect([...w.dataSync()].every(Number.isFinite), name).to.equal(true);
      expect(optimizer.iterations).to.equal(2);
      optimizer.dispose();
    }
    expect(tf.memory().numTensors).to.equal(numTensors);
  });

  it('is an Optimizer to TensorFlow.js', () => {
    expect(adamW() instanceof tf.Optimizer).to.equal(true);
  });

  it('keeps state by variable, not by position', () => {
    const alone = as(adam({ learningRate: 0.1 }));
    const mixed = as(adam({ learningRate: 0.1 }));
    // The powers of the betas count all steps: both step as often.
    for (let i = 0; i < 3; i++) step(alone, { w: [1, 2] });
    const expected = w.dataSync();
    w.assign(tf.tensor([1, 2]));
    step(mixed, { v: [1, 1, 1], w: [1, 2] });
    step(mixed, { w: [1, 2] });
    step(mixed, { w: [1, 2], v: [1, 1, 1] });
    expectSame(w, expected);
  });

  it('lets trainable be toggled', () => {
    const optimizer = as(adam());
    const loss = (): Tensor => tf.add(tf.sum(tf.square(w)), tf.sum(tf.square(v)));
    for (const isTrainable of [true, false, true, false]) {
      w.trainable = isTrainable;
      const [before, other] = [w.dataSync(), v.dataSync()];
      optimizer.minimize(loss, false, [w, v]);
      expect([...w.dataSync()][0] === before[0]).to.equal(!isTrainable);
      expect([...v.dataSync()][0]).to.not.equal(other[0]);
      optimizer.minimize(loss);
    }
  });

  it('drops the state of what is disposed of, and gives a new variable of the name a new one', () => {
    const optimizer = as(momentum({ learningRate: 1, momentum: 0.9 }));
    const { numTensors } = tf.memory();
    for (let i = 0; i < 3; i++) {
      const again = tf.tidy(() => tf.variable(tf.zeros([2]), true, 'again'));
      step(optimizer, { again: [1, 1] });
      expect([...again.dataSync()]).to.deep.equal([-1, -1]);
      again.dispose();
    }
    step(optimizer, { w: [1, 1] });
    expect(tf.memory().numTensors).to.equal(numTensors + 1);
    optimizer.dispose();
  });

  it('leaves as many tensors after 1,000 steps as after one', () => {
    for (const optimizer of [
      adam({ globalClipNorm: 1 }),
      adamW({ clipValue: 1 }),
      rmsprop({ learningRate: 1e-3, clipNorm: 1 }),
    ]) {
      const loss = (): Tensor => tf.add(tf.sum(tf.square(w)), tf.sum(tf.square(v.slice(0, 2))));
      as(optimizer).minimize(loss);
      const before = tf.memory();
      for (let i = 0; i < 1000; i++) as(optimizer).minimize(loss);
      const after = tf.memory();
      expect([after.numTensors, after.numBytes, after.numDataBuffers]).to.deep.equal([
        before.numTensors,
        before.numBytes,
        before.numDataBuffers,
      ]);
      optimizer.dispose();
    }
  });

  for (const [name, [make, ours]] of Object.entries(theirs)) {
    if (name.startsWith('adamax')) continue; // TensorFlow.js's saves none
    it(`goes on from TensorFlow.js's weights, and TensorFlow.js from ours: ${name}`, async () => {
      const tolerance = 2e-6;
      const all = async (first: Optimizer, second: Optimizer): Promise<Float32Array> => {
        w.assign(tf.tensor([1, 2]));
        for (let i = 0; i < 3; i++) step(first, { w: [1, 2 + i] });
        const weights: NamedTensor[] = await first.getWeights();
        await second.setWeights(weights.map(({ name: key, tensor }) => ({ name: key, tensor: tensor.clone() })));
        for (let i = 0; i < 3; i++) step(second, { w: [1, 3 - i] });
        return w.dataSync();
      };
      const expected = await all(make(tf), make(tf));
      expectSame(await all(make(tf), as(ours())), expected, tolerance);
      expectSame(await all(as(ours()), make(tf)), expected, tolerance);
      expectSame(await all(as(ours()), as(ours())), expected, tolerance);
      expect((await as(ours()).getWeights()).map(({ name: key }) => key)).to.deep.equal(['iter']);
    });
  }

  it('takes over a running optimizer with from, which stays as it was', () => {
    for (const first of [tf.train.adam!(0.05), as(adam({ learningRate: 0.05 }))]) {
      w.assign(tf.tensor([1, 2]));
      const reference = tf.train.adam!(0.05);
      const u = tf.variable(tf.tensor([1, 2]), true, 'u');
      for (let i = 0; i < 3; i++) {
        step(first, { w: [1, 2 + i] });
        step(reference, { u: [1, 2 + i] });
      }
      const second = as(adam.from(first));
      expect(second.iterations).to.equal(3);
      expect(second.learningRate).to.equal(0.05);
      for (let i = 0; i < 3; i++) {
        step(second, { w: [2, 1] });
        step(reference, { u: [2, 1] });
      }
      expectSame(w, u);
      expect(first.iterations).to.equal(3);
      u.dispose();
    }
    expect(() => sgd.from(adam())).to.not.throw();
    const used = as(adam());
    step(used, { w: [1, 1] });
    expect(() => sgd.from(used, { learningRate: 1 })).to.throw(/SGD has for each variable no state/);
    expect(() => adam.from({})).to.throw(TypeError, /from takes an optimizer/);
  });

  it('has a learning rate and a momentum that can be set', () => {
    const optimizer = momentum({ learningRate: 1, momentum: 0.5 });
    step(as(optimizer), { w: [1, 1] });
    expect([...w.dataSync()]).to.deep.equal([0, 1]);
    as(optimizer).learningRate = 2;
    optimizer.setMomentum(0);
    step(as(optimizer), { w: [1, 1] });
    expect([...w.dataSync()]).to.deep.equal([-2, -1]);
    expect(optimizer.getConfig()).to.include({ learningRate: 2, momentum: 0 });
    expect(() => ((optimizer as { learningRate: number }).learningRate = -1)).to.throw(RangeError);
  });

  it('asks schedules at each step, and has groups of variables', () => {
    let rate = 1;
    const optimizer = as(sgd({ learningRate: () => rate, groups: [{ variables: [v], learningRate: 10 }] }));
    step(optimizer, { w: [1, 1], v: [1, 1, 1] });
    rate = 2;
    step(optimizer, { w: [1, 1], v: [1, 1, 1] });
    expect([...w.dataSync()]).to.deep.equal([-2, -1]);
    expect([...v.dataSync()]).to.deep.equal([-17, -16, -15]);
  });

  it('decays what excludeFromWeightDecay does not exclude', () => {
    const optimizer = as(
      adamW({ learningRate: 0.1, weightDecay: 0.5, excludeFromWeightDecay: (name) => name === 'v' }),
    );
    step(optimizer, { w: [0, 0], v: [0, 0, 0] });
    expectSame(w, Float32Array.of(0.95, 1.9));
    expectSame(v, Float32Array.of(3, 4, 5));
  });

  it('clips by value, by the norm of each and of all', () => {
    const rate = { learningRate: 1 };
    step(as(sgd({ ...rate, clipValue: 1 })), { w: [3, -0.5], v: [0, 0, 0] });
    expectSame(w, Float32Array.of(0, 2.5));
    w.assign(tf.tensor([0, 0]));
    v.assign(tf.tensor([0, 0, 0]));
    step(as(sgd({ ...rate, clipNorm: 1 })), { w: [3, 4], v: [0.5, 0, 0] });
    expectSame(w, Float32Array.of(-0.6, -0.8));
    expectSame(v, Float32Array.of(-0.5, 0, 0));
    w.assign(tf.tensor([0, 0]));
    v.assign(tf.tensor([0, 0, 0]));
    step(as(sgd({ ...rate, globalClipNorm: 6.5 })), { w: [3, 4], v: [12, 0, 0] });
    expectSame(w, Float32Array.of(-1.5, -2));
    expectSame(v, Float32Array.of(-6, 0, 0));
    expect(() => sgd({ ...rate, clipNorm: 1, clipValue: 1 })).to.throw(/give one of/);
    expect(() => sgd({ ...rate, clipNorm: -1 })).to.throw(RangeError);
  });

  it('changes nothing when it throws', () => {
    const optimizer = as(adam());
    const { numTensors } = tf.memory();
    const good = tf.tensor([1, 1]);
    const wrong = tf.tensor([1, 1, 1, 1]);
    const int = tf.tensor([1, 1, 1], [3], 'int32');
    expect(() => optimizer.applyGradients({ w: good, v: wrong })).to.throw(
      RangeError,
      /'v' has shape \[4\], expected \[3\]/,
    );
    expect(() => optimizer.applyGradients({ w: good, v: int })).to.throw(TypeError, /int32/);
    expect(() => optimizer.applyGradients({ w: good, nobody: good })).to.throw(/no variable named "nobody"/);
    const twice = ['w', 'w'].map((name) => ({ name, tensor: good }));
    expect(() => optimizer.applyGradients(twice)).to.throw(/occurs twice/);
    expect([...w.dataSync()]).to.deep.equal([1, 2]);
    expect(tf.memory().numTensors).to.equal(numTensors + 3);
    expect(optimizer.iterations).to.equal(0);
    optimizer.dispose();
    expect(() => optimizer.applyGradients({ w: good })).to.throw(/disposed/);
  });
});

describeOnBackends('a loss that goes on', (tf, backend) => {
  it('on another backend is refused by name, or slow with copy: true', async () => {
    if (backend !== 'cpu') return;
    const { registryFactory } = tf.engine() as unknown as {
      registryFactory: Record<string, { factory: () => object }>;
    };
    // A backend that hides where its values are.
    const hidden = (): object => {
      const inner = registryFactory.cpu!.factory();
      return new Proxy(inner, { has: (target, name) => name !== 'makeTensorInfo' && name in target });
    };
    tf.registerBackend('hidden', hidden);
    tf.copyRegisteredKernels('cpu', 'hidden');
    const expected = train(tf, as(adam({ learningRate: 0.1 })), 5);
    await tf.setBackend('hidden');
    const w = tf.variable(tf.tensor([1, 2]), true, 'hidden');
    const refused = as(adam());
    expect(() => refused.applyGradients({ hidden: tf.tensor([1, 1]) })).to.throw(
      /'cpu' and 'wasm'.*'hidden'.*copy: true/,
    );
    const { numTensors } = tf.memory();
    expectSame(train(tf, as(adam({ learningRate: 0.1, copy: true })), 5), expected);
    expect(tf.memory().numTensors).to.be.at.most(numTensors + 7);
    const { classNameMap } = tf.serialization.SerializationMap.getMap();
    const [cls, fromConfig] = classNameMap['Adam'] as unknown as [object, (cls: object, config: object) => Optimizer];
    const theirs = tf.train.adam!(0.5);
    expect(fromConfig(cls, theirs.getConfig()).constructor).to.equal(theirs.constructor);
    w.dispose();
    await tf.setBackend(backend);
    expect(fromConfig(cls, theirs.getConfig()).constructor).to.equal(refused.constructor);
  });

  it("starts anew from another optimizer's weights, with a warning", async () => {
    const w = tf.variable(tf.tensor([1, 2]));
    const first = as(adagrad({ learningRate: 0.1 }));
    const second = as(adam({ learningRate: 0.1 }));
    first.minimize(() => tf.sum(tf.square(w)));
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
    await second.setWeights(await first.getWeights());
    expect((await warned).message).to.match(/another optimizer's: 1, where each variable has 2/);
    expect(second.iterations).to.equal(1);
    const { name, tensor } = await second.saveIterations();
    expect([name, tensor.dtype, ...tensor.dataSync()]).to.deep.equal(['iter', 'int32', 1]);
    second.minimize(() => tf.sum(tf.square(w)));
    expect((await second.getWeights()).map(({ name }) => name)).to.deep.equal(['iter', `${w.name}/m`, `${w.name}/v`]);
    for (const thing of [w, first, second]) thing.dispose();
  });
});
