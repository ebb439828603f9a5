import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadTf, peersFolder } from './tf';

// How a program comes to gradstep/tfjs, each in a process of its own.

const root = join(__dirname, '..', '..', '..', '..');

/** A program that steps once, with `tf` and the exports of gradstep/tfjs as `g` at hand. */
const step = `
async function step(tf, g) {
  const v = tf.variable(tf.tensor([1, 2]));
  const optimizer = g.sgd({ learningRate: 0.5 });
  optimizer.applyGradients({ [v.name]: tf.tensor([1, -1]) });
  console.log('stepped to ' + (await v.data()).join());
}
`;
const stepped = 'stepped to 0.5,2.5\n';

describe('gradstep/tfjs in a program', () => {
  let folder: string;
  before(function () {
    if (loadTf() === null) this.skip();
    folder = mkdtempSync(join(tmpdir(), 'gradstep-'));
    symlinkSync(join(peersFolder, 'node_modules'), join(folder, 'node_modules'));
  });
  after(() => folder && rmSync(folder, { recursive: true }));

  /** Runs a file in a folder where TensorFlow.js is installed; `gradstep` stands for the package. */
  const run = (name: string, code: string): string => {
    const file = join(folder, name);
    const entry = name.endsWith('.mjs') ? 'gradstep-tfjs.mjs' : 'gradstep-tfjs.js';
    writeFileSync(file, code.replaceAll("'gradstep/tfjs'", JSON.stringify(join(root, 'dist', entry))));
    const { stdout, stderr, status } = spawnSync(process.execPath, ['--preserve-symlinks', file], {
      cwd: folder,
      encoding: 'utf8',
      timeout: 60_000,
    });
    return status === 0 ? stdout : `${stdout}${stderr.slice(-2000)}`;
  };

  const importAll =
    "import * as tf from '@tensorflow/tfjs';\nimport * as g from 'gradstep/tfjs';\ntf.enableProdMode();\n";
  const requireAll =
    "const tf = require('@tensorflow/tfjs');\nconst g = require('gradstep/tfjs');\ntf.enableProdMode();\n";

  it('is imported as an ES module', () => {
    expect(run('esm.mjs', `${importAll}${step}await step(tf, g);`)).to.equal(stepped);
  });

  it('is required in CommonJS', () => {
    expect(run('cjs.cjs', `${requireAll}${step}void step(tf, g);`)).to.equal(stepped);
  });

  it('has the same names in both, and only one instance', () => {
    const code = `
      import * as g from 'gradstep/tfjs';
      import { createRequire } from 'node:module';
      const required = createRequire(import.meta.url)(${JSON.stringify(join(root, 'dist', 'gradstep-tfjs.js'))});
      const names = (o) => Object.keys(o).filter((name) => name !== 'default').sort().join();
      console.log(names(g) === names(required) && names(g).split(',').every((name) => g[name] === required[name]));`;
    expect(run('both.mjs', code)).to.equal('true\n');
  });

  it('may be loaded before TensorFlow.js', () => {
    const code = "const g = require('gradstep/tfjs');\nconst tf = require('@tensorflow/tfjs');\ntf.enableProdMode();\n";
    expect(run('before.cjs', `${code}${step}void step(tf, g);`)).to.equal(stepped);
  });

  it('works with tfjs-core and a backend alone', () => {
    const code = `
      const tf = require('@tensorflow/tfjs-core');
      require('@tensorflow/tfjs-backend-cpu');
      const g = require('gradstep/tfjs');
      tf.enableProdMode();`;
    expect(run('core.cjs', `${code}${step}void step(tf, g);`)).to.equal(stepped);
  });

  it('says that TensorFlow.js is not loaded', () => {
    const code = "const g = require('gradstep/tfjs');\ntry { g.adam(); } catch (e) { console.log(e.message); }\n";
    expect(run('alone.cjs', code)).to.match(/TensorFlow\.js, which is not loaded: import '@tensorflow\/tfjs' \(4\.x\)/);
    const clip = code.replace('g.adam()', 'g.globalNorm([])');
    expect(run('clip.cjs', clip)).to.match(/TensorFlow\.js, which is not loaded/);
  });

  it('steps variables of every copy of TensorFlow.js, and models of every copy take its optimizers', () => {
    // Two copies of the library share the engine, as TensorFlow.js has it.
    for (const name of ['first', 'second']) {
      mkdirSync(join(folder, name));
      symlinkSync(join(peersFolder, 'node_modules'), join(folder, name, 'node_modules'));
    }
    const code = `
      const { createRequire } = require('node:module');
      const [first, second] = ['first', 'second'].map((name) =>
        createRequire(__dirname + '/' + name + '/main.js')('@tensorflow/tfjs'));
      const g = require('gradstep/tfjs');
      first.enableProdMode();
      console.log(first !== second && first.Optimizer !== second.Optimizer);
      async function fit(tf, optimizer, name) {
        const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [1], name })] });
        model.compile({ optimizer, loss: 'meanSquaredError' });
        await model.trainOnBatch(tf.tensor([[1]]), tf.tensor([[1]]));
        let artifacts;
        await model.save(tf.io.withSaveHandler(async (given) => ((artifacts = given), {})), { includeOptimizer: true });
        const again = await tf.loadLayersModel(tf.io.fromMemory(artifacts));
        console.log(again.optimizer.constructor === optimizer.constructor, again.optimizer.iterations);
      }
      void (async () => {
        await fit(first, g.adamW(), 'one');
        await fit(second, g.adamW(), 'other');
        await step(first, g);
        await step(second, g);
      })();`;
    expect(run('twice.cjs', `${step}${code}`)).to.equal(`true\ntrue 1\ntrue 1\n${stepped}${stepped}`);
  });

  it('registers with a copy that was loaded as an ES module by a bundler, when it is told to', () => {
    const code = `
      const tf = require('@tensorflow/tfjs');
      const hidden = { ...tf };
      for (const path of Object.keys(require.cache)) delete require.cache[path];
      const g = require('gradstep/tfjs');
      tf.enableProdMode();
      g.adamW();
      const names = () => Object.keys(tf.serialization.SerializationMap.getMap().classNameMap);
      console.log(names().includes('GradstepAdamW'));
      g.register(hidden);
      console.log(names().includes('GradstepAdamW'));`;
    expect(run('register.cjs', code)).to.equal('false\ntrue\n');
  });

  it('says which backends it supports when the active one is another', () => {
    const code = `
      tf.registerBackend('webgl-like', () => new (class extends tf.KernelBackend {
        constructor() { super(); this.store = new Map(); }
        floatPrecision() { return 32; }
        epsilon() { return 1e-7; }
write(values) { const id = {}; this.store.set(id, { values, count: 1 }); return id; }
        incRef(id) { this.store.get(id).count++; }
        refCount(id) { return this.store.get(id)?.count ?? 0; }
        disposeData(id) { return --this.store.get(id).count === 0 && this.store.delete(id); }
        numDataIds() { return this.store.size; }
        readSync(id) { return this.store.get(id).values; }
        async read(id) { return this.store.get(id).values; }
      })());
      tf.setBackend('webgl-like');
      const v = tf.variable(tf.tensor([1, 2]));
      const g1 = tf.tensor([1, -1]);
      for (const work of [
        () => g.adam().applyGradients({ [v.name]: g1 }),
        () => g.clipByGlobalNorm([g1], 1),
      ]) try { work(); } catch (e) { console.log(e.message); }
      console.log(v.dataSync().join());
      g.sgd({ learningRate: 0.5, copy: true }).applyGradients({ [v.name]: g1 });
      console.log(v.dataSync().join());`;
    const said = run('webgl.cjs', `${requireAll}${code}`).split('\n');
    for (const line of said.slice(0, 2)) {
      expect(line).to.match(
        /backends 'cpu' and 'wasm' of TensorFlow\.js, the active one is 'webgl-like': call tf\.setBackend/,
      );
    }
    expect(said.slice(2)).to.deep.equal(['1,2', '0.5,2.5', '']);
  });
});
