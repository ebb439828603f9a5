import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tfjs from 'gradstep/tfjs';
import { kinds } from './kinds';
import { load, makeModel, saved, trainOn, weightsOf, writeModels, type Loaded } from './saved-model';
import { describeOnBackends, type Model, type Optimizer } from './tf';

const optimizerOf = (artifacts: Awaited<ReturnType<typeof saved>>) => artifacts.trainingConfig.optimizer_config;

describeOnBackends('a model with an optimizer of gradstep/tfjs', (tf, backend) => {
  let models: Model[];
  const made = (optimizer: unknown): Model => {
    models.push(makeModel(tf, optimizer));
    return models.at(-1)!;
  };
  const loaded = async (artifacts: object): Promise<Model> => {
    models.push(await load(tf, artifacts));
    return models.at(-1)!;
  };
  beforeEach(() => (models = []));
  afterEach(() => models.forEach((model) => model.dispose()));

  for (const { name, create } of kinds) {
    it(`goes on after it was saved as if it had not been: ${name}`, async () => {
      const model = made(create());
      await trainOn(tf, model, 0, 3);
      const artifacts = await saved(tf, model);
      await trainOn(tf, model, 3, 3);

      const again = await loaded(artifacts);
      expect(again.optimizer.getClassName()).to.equal(model.optimizer.getClassName());
      expect(again.optimizer.getConfig()).to.deep.equal(model.optimizer.getConfig());
      expect(again.optimizer.constructor).to.equal(tfjs.TfjsOptimizer);
      expect(again.optimizer.iterations).to.equal(3);
      await trainOn(tf, again, 3, 3);
      expect(weightsOf(again)).to.deep.equal(weightsOf(model));
    });

    it(`says its options in JSON: ${name}`, () => {
      const optimizer = create();
      const config = optimizer.getConfig();
      expect(JSON.parse(JSON.stringify(config))).to.deep.equal(config);
      optimizer.dispose();
    });
  }

  it('keeps how gradients are clipped', async () => {
    for (const clipping of [{ clipValue: 0.01 }, { clipNorm: 0.01 }, { globalClipNorm: 0.01 }]) {
      const model = made(tfjs.sgd({ learningRate: 1, ...clipping }));
      const again = await loaded(await saved(tf, model));
      expect(again.optimizer.getConfig()).to.include(clipping);
      await trainOn(tf, model, 0, 2);
      await trainOn(tf, again, 0, 2);
      expect(weightsOf(again)).to.deep.equal(weightsOf(model));
    }
  });

  it('saves a schedule as its value at the time', async () => {
    let learningRate = 0.5;
    const model = made(tfjs.sgd({ learningRate: () => learningRate }));
    learningRate = 0.25;
    const again = await loaded(await saved(tf, model));
    expect(again.optimizer.learningRate).to.equal(0.25);
  });

  it("loads with gradstep's optimizer when it was saved with TensorFlow.js's of the same formula, and goes on alike", async () => {
    const model = made(tf.train.adam!(0.1));
    await trainOn(tf, model, 0, 3);
    const again = await loaded(await saved(tf, model));
    expect(again.optimizer.constructor).to.equal(tfjs.TfjsOptimizer);
    await trainOn(tf, model, 3, 3);
    await trainOn(tf, again, 3, 3);
    weightsOf(again).forEach((value, i) => expect(value).to.be.closeTo(weightsOf(model)[i]!, 1e-4));
  });

  it('loads without gradstep where the formula is TensorFlow.js’s, and goes on alike', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gradstep-'));
    try {
      const all = kinds.filter(({ options }) => options.centered !== true);
      const artifacts: Awaited<ReturnType<typeof saved>>[] = [];
      for (const { create } of all) {
        const model = made(create());
        await trainOn(tf, model, 0, 3);
        artifacts.push(await saved(tf, model));
        await trainOn(tf, model, 3, 3);
      }
      const file = join(folder, 'models.json');
      writeModels(file, artifacts);
      const child = join(__dirname, 'saving-child.js');
      const said = execFileSync(process.execPath, [child, backend, file], { encoding: 'utf8', timeout: 60_000 });
      const { hasGradstep, loaded: others } = JSON.parse(said) as { hasGradstep: boolean; loaded: Loaded[] };
      expect(hasGradstep).to.equal(false);
      all.forEach(({ name, options }, i) => {
        const { className, isOurs, weights, error } = others[i]!;
        const { class_name } = optimizerOf(artifacts[i]!);
        if (class_name.startsWith('Gradstep')) {
          expect(error, name).to.match(new RegExp(`Unknown layer: ${class_name}`));
        } else if (name === 'adamax') {
          expect(error, name).to.match(/setWeights\(\) is not implemented for Adamax/); // nor can it save them
        } else {
          expect(error, name).to.equal(undefined);
          expect([className, isOurs], name).to.deep.equal([class_name, false]);
          const expected = weightsOf(models[i]!);
          expect(weights.length).to.equal(expected.length);
          weights.forEach((value, j) => expect(value, `${name} ${j}`).to.be.closeTo(expected[j]!, 2e-4));
        }
        expect(class_name.startsWith('Gradstep')).to.equal(
          options.semantics === 'tf1'
            ? !/^(sgd|momentum)/.test(name)
            : /^(adamW|lazy|ams|nadam|ftrl|l|proximal|adagradDA)/.test(name),
        );
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('takes the weights of TensorFlow.js’s saved model over with from', async () => {
    const model = made(tf.train.adam!(0.1));
    await trainOn(tf, model, 0, 3);
    const again = await loaded(await saved(tf, model));
    again.optimizer = tfjs.adam.from(again.optimizer) as unknown as Optimizer;
    await trainOn(tf, model, 3, 3);
    await trainOn(tf, again, 3, 3);
    weightsOf(again).forEach((value, i) => expect(value).to.be.closeTo(weightsOf(model)[i]!, 1e-3));
  });
});

describeOnBackends('the weights of an optimizer of gradstep/tfjs', (tf) => {
  for (const each of kinds) {
    it(`are all that it goes on from, after many steps too: ${each.name}`, async () => {
      const run = async (stopsAt: number): Promise<number[]> => {
        const v = tf.variable(tf.tensor([0.5, -1, 2]), true, 'v');
        const options = 'beta2' in each.ranges ? { beta1: 0.9, beta2: 0.999 } : {};
        let optimizer = each.create(options);
        for (let i = 0; i < 300; i++) {
          if (i === stopsAt) {
            const weights = (await optimizer.getWeights()).map(({ name, tensor }) => ({
              name,
              tensor: tensor.clone(),
            }));
            optimizer.dispose();
            optimizer = each.create(options);
            await optimizer.setWeights(weights);
          }
          tf.tidy(() => optimizer.applyGradients({ v: tf.tensor([Math.sin(i), 1, -Math.cos(i)]) }));
        }
        const values = [...v.dataSync()];
        tf.dispose(v);
        optimizer.dispose();
        return values;
      };
      expect(await run(200)).to.deep.equal(await run(-1));
    });
  }
});
