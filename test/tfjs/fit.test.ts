import { expect } from 'chai';
import { adam, adamW, momentum, sgd, type TfjsOptimizer } from 'gradstep/tfjs';
import { kinds } from './kinds';
import { makeModel, weightsOf } from './saved-model';
import { describeOnBackends, type Model, type Optimizer, type Tensor, type Variable } from './tf';

const as = (optimizer: TfjsOptimizer): Optimizer => optimizer as unknown as Optimizer;

function expectClose(values: readonly number[], expected: readonly number[], tolerance: number): void {
  expect(values.length).to.equal(expected.length);
  values.forEach((value, i) => expect(value, `element ${i}`).to.be.closeTo(expected[i]!, tolerance));
}

describeOnBackends('a LayersModel with gradstep/tfjs', (tf, backend) => {
  let x: Tensor, y: Tensor;
  let models: Model[];
  const made = (optimizer: unknown): Model => {
    models.push(makeModel(tf, optimizer));
    return models.at(-1)!;
  };
  beforeEach(() => {
    models = [];
    const wave = (n: number): number[] => Array.from({ length: n }, (_, i) => Math.sin(2.3 * i));
    x = tf.tensor(wave(80), [20, 4]);
    y = tf.tensor(wave(40), [20, 2]);
  });
  afterEach(() => models.forEach((model) => model.dispose()));
  const fit = { batchSize: 8, shuffle: false, verbose: 0 };

  for (const each of kinds) {
    it(`fits, trains on a batch and evaluates: ${each.name}`, async () => {
      const first = each.create();
      const model = made(first);
      const { loss } = (await model.fit(x, y, { ...fit, epochs: 3 })).history;
      expect(loss.length).to.equal(3);
      const value = await model.trainOnBatch(x, y);
      const rated = model.evaluate(x, y, { batchSize: 20 }).dataSync()[0]!;
      expect([...loss, value, rated].every(Number.isFinite)).to.equal(true);
      expect(first.iterations).to.equal(3 * 3 + 1); // 8 + 8 + 4 examples

      // The same steps without a LayersModel's loop.
      const other = made(each.create());
      for (let epoch = 0; epoch < 3; epoch++) {
        for (const [begin, size] of [
          [0, 8],
          [8, 8],
          [16, 4],
        ] as const) {
          await other.trainOnBatch(x.slice(begin, size), y.slice(begin, size));
        }
      }
      await other.trainOnBatch(x, y);
      expectClose(weightsOf(other), weightsOf(model), 1e-6);
      if (each.theirs === undefined) return;
      const options = Object.fromEntries(
        Object.entries(each.ranges).map(([name, [low, high]]) => [name, (low + high) / 2]),
      );
      const theirs = made(each.theirs(tf, options));
      const history = (await theirs.fit(x, y, { ...fit, epochs: 3 })).history;
      expectClose(loss, history.loss, 1e-5);
      await theirs.trainOnBatch(x, y);
      expectClose(weightsOf(model), weightsOf(theirs), 1e-4);
    });
  }

  it('follows a learning rate that a callback sets', async () => {
    const rates: number[] = [];
    const model = made(sgd({ learningRate: 0.1 }));
    const { optimizer } = model;
    const callbacks = {
      onEpochBegin: (epoch: number) => void (optimizer.learningRate = epoch === 1 ? 0 : 0.1 / (epoch + 1)),
      onEpochEnd: () => void rates.push(optimizer.learningRate),
    };
    const losses = (await model.fit(x, y, { ...fit, batchSize: 20, epochs: 3, callbacks })).history.loss;
    expect(rates).to.deep.equal([0.1, 0, 0.1 / 3]);
    expect(losses[1]).to.not.equal(losses[0]);
    expect(losses[2]).to.equal(losses[1]); // nothing changed in epoch 1, at the end of which epoch 2 began
    const same = made(sgd({ learningRate: 0.1 }));
    for (const rate of [0.1, 0, 0.1 / 3]) {
      same.optimizer.learningRate = rate;
      await same.trainOnBatch(x, y);
    }
    expectClose(weightsOf(same), weightsOf(model), 1e-6);
  });

  it('goes on at initialEpoch with what its optimizer knows', async () => {
    const whole = made(adam({ learningRate: 0.1 }));
    const { loss } = (await whole.fit(x, y, { ...fit, epochs: 4 })).history;
    const parts = made(adam({ learningRate: 0.1 }));
    const first = (await parts.fit(x, y, { ...fit, epochs: 2 })).history.loss;
    const second = (await parts.fit(x, y, { ...fit, epochs: 4, initialEpoch: 2 })).history.loss;
    expect([...first, ...second]).to.deep.equal(loss);
    expect(weightsOf(parts)).to.deep.equal(weightsOf(whole));
  });

  it('shares an optimizer with other models, where TensorFlow.js needs one for each', async () => {
    const shared = momentum({ learningRate: 0.1, momentum: 0.9 });
    const [a, b] = [made(shared), made(shared)];
    const [c, d] = [made(tf.train.momentum!(0.1, 0.9)), made(tf.train.momentum!(0.1, 0.9))];
    const half = [x.slice([0, 0], [10, 4]), y.slice([0, 0], [10, 2])] as const;
    for (let i = 0; i < 5; i++) {
      for (const model of [a, c]) await model.trainOnBatch(x, y);
      for (const model of [b, d]) await model.trainOnBatch(...half);
    }
    expectClose(weightsOf(a), weightsOf(c), 1e-5);
    expectClose(weightsOf(b), weightsOf(d), 1e-5);
    expect(as(shared).iterations).to.equal(10);
  });

  it('freezes and unfreezes layers, whose state waits', async () => {
    const optimizer = momentum({ learningRate: 0.1, momentum: 0.9 });
    const model = made(optimizer);
    const part = (k: number): number[] => [...model.layers[k]!.getWeights()[0]!.dataSync()];
    const compile = (): void => model.compile({ optimizer, loss: 'meanSquaredError' });
    await model.trainOnBatch(x, y);
    const [frozen, other] = [part(0), part(1)];
    const state = async (): Promise<number[][]> =>
      (await as(optimizer).getWeights()).slice(1).map(({ tensor }) => [...tensor.dataSync()]);
    const before = await state();
    expect(before.length).to.equal(4);

    model.layers[0]!.trainable = false;
    compile();
    await model.trainOnBatch(x, y);
    await model.trainOnBatch(x, y);
    expect(part(0)).to.deep.equal(frozen);
    expect(part(1)).to.not.deep.equal(other);
    expect((await state())[0]).to.deep.equal(before[0]);

    model.layers[0]!.trainable = true;
    compile();
    await model.trainOnBatch(x, y);
    expect(part(0)).to.not.deep.equal(frozen);
    const after = await state();
    expect(after.length).to.equal(4);
    expect(after[0]).to.not.deep.equal(before[0]);
    // w ← w − lr · accumulator, and the accumulator had gone nowhere.
    part(0).forEach((value, i) => expect(value).to.be.closeTo(frozen[i]! - 0.1 * after[0]![i]!, 1e-6));
  });

  it('takes variables that appear later', () => {
    const v = tf.variable(tf.tensor([1, 2])),
      optimizer = as(adam({ learningRate: 0.1 })),
      later: Variable[] = [];
    const loss = (): Tensor => later.reduce((sum, w) => tf.add(sum, tf.sum(tf.square(w))), tf.sum(tf.square(v)));
    const seen: number[] = [];
    for (let i = 0; i < 4; i++) {
      optimizer.minimize(loss, false, [...later, v]);
      seen.push(v.dataSync()[0]!);
      later.unshift(tf.variable(tf.tensor([3 + i]))); // in front: positions shift
    }
    const reference = tf.variable(tf.tensor([1, 2])),
      theirs = tf.train.adam!(0.1);
    for (let i = 0; i < 4; i++) {
      theirs.minimize(() => tf.sum(tf.square(reference)), false, [reference]);
      expect(seen[i]).to.be.closeTo(reference.dataSync()[0]!, 1e-6);
    }
    expect(later.slice(1).every((w, i) => w.dataSync()[0]! < 3 + (2 - i))).to.equal(true);
    tf.dispose([v, reference, ...later]);
    optimizer.dispose();
    theirs.dispose();
  });

  it('leaves no tensor behind in 1,000 batches', async () => {
    for (const optimizer of [
      adamW({ globalClipNorm: 1 }),
      momentum({ learningRate: 1e-3, momentum: 0.9, clipValue: 1 }),
    ]) {
      const model = made(optimizer);
      const few = { ...fit, batchSize: 2 }; // 10 batches
      await model.fit(x, y, { ...few, epochs: 1 });
      const before = tf.memory();
      await model.fit(x, y, { ...few, epochs: 100 });
      const { numTensors, numBytes, numDataBuffers } = tf.memory();
      expect([numTensors, numBytes, numDataBuffers]).to.deep.equal([
        before.numTensors,
        before.numBytes,
        before.numDataBuffers,
      ]);
      expect(as(optimizer).iterations).to.equal(1010);
    }
  });

  it('leaves its optimizer to whom it belongs, who disposes of all state', async () => {
    const { numTensors } = tf.memory();
    const optimizer = adam();
    const model = makeModel(tf, optimizer);
    await model.trainOnBatch(x, y);
    model.dispose();
    as(optimizer).applyGradients({});
    expect(tf.memory().numTensors).to.equal(numTensors); // the variables are gone, and their state with the next step
    const other = made(optimizer);
    await other.trainOnBatch(x, y);
    const before = tf.memory().numTensors;
    optimizer.dispose();
    expect(tf.memory().numTensors).to.equal(before - 8);
    expect(() => as(optimizer).applyGradients({})).to.throw(/disposed/);
  });

  it('steps inside of tidy, which disposes of nothing that it keeps', () => {
    const v = tf.variable(tf.tensor([1, 2]));
    const optimizer = as(adam({ learningRate: 0.1 }));
    const theirs = tf.train.adam!(0.1),
      w = tf.variable(tf.tensor([1, 2]));
    for (let i = 0; i < 3; i++) {
      tf.tidy(() => {
        optimizer.applyGradients({ [v.name]: tf.tensor([1, i]) });
        tf.tidy(() => optimizer.applyGradients([{ name: v.name, tensor: tf.tensor([i, 1]) }]));
      });
      tf.tidy(() => theirs.applyGradients({ [w.name]: tf.tensor([1, i]) }));
      tf.tidy(() => theirs.applyGradients({ [w.name]: tf.tensor([i, 1]) }));
    }
    expectClose([...v.dataSync()], [...w.dataSync()], 1e-6);
    tf.dispose([v, w]);
    optimizer.dispose();
    theirs.dispose();
  });

  it('goes on when the backend is another between steps', async () => {
    const run = async (optimizer: Optimizer, switches: boolean): Promise<number[]> => {
      const v = tf.variable(tf.tensor([1, 2])),
        w = tf.variable(tf.tensor([3]));
      for (let i = 0; i < 6; i++) {
        if (switches) await tf.setBackend(i % 2 === 0 ? 'wasm' : 'cpu');
        tf.tidy(() => optimizer.minimize(() => tf.add(tf.sum(tf.square(v)), tf.sum(tf.square(w)))));
      }
      await tf.setBackend(backend);
      const values = [...v.dataSync(), ...w.dataSync()];
      tf.dispose([v, w]);
      optimizer.dispose();
      return values;
    };
    for (const make of [() => adam({ learningRate: 0.1, globalClipNorm: 5 }), () => sgd({ learningRate: 0.1 })]) {
      expectClose(await run(as(make()), true), await run(as(make()), false), 1e-6);
    }
  });
});
