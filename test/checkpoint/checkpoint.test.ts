import { expect } from 'chai';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  AdamOptimizer,
  compileStep,
  createGlobalStep,
  ExponentialMovingAverage,
  MomentumOptimizer,
  ops,
  RandomGenerator,
  tensor,
  variable,
} from 'gradstep';
import { latestCheckpoint, restoreCheckpoint, saveCheckpoint } from 'gradstep/checkpoint';
import { openSafetensors } from 'gradstep/safetensors';
import { countingModel } from '../support/checkpoint-model';
import { collectWarnings } from '../support/warnings';

let folder: string;

async function message(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'it did not fail',
    (error: unknown) => String(error),
  );
}

describe('a checkpoint', () => {
  const warnings = collectWarnings();
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'gradstep-checkpoint-'))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is three files that say what they are', async () => {
    const { parts, set, variables } = countingModel();
    set(12);
    const { path, step, bytes } = await saveCheckpoint(pathToFileURL(folder), {
      ...parts,
      metadata: { epoch: [1, 'a'] },
    });
    expect([path, step]).to.deep.equal([join(folder, 'step-00000012'), 12]);
    expect(readdirSync(path)).to.have.members(['model.safetensors', 'optimizer.safetensors', 'state.json']);
    expect(bytes).to.equal(readdirSync(path).reduce((sum, name) => sum + readFileSync(join(path, name)).length, 0));
    const state = JSON.parse(readFileSync(join(path, 'state.json'), 'utf8')) as {
      files: Record<string, { sha256: string }>;
      parts: Record<string, object[]>;
      metadata: object;
    };
    for (const [name, { sha256 }] of Object.entries(state.files)) {
      expect(
        createHash('sha256')
          .update(readFileSync(join(path, name)))
          .digest('hex'),
      ).to.equal(sha256);
    }
    expect(state.metadata).to.deep.equal({ epoch: [1, 'a'] });
    expect(state.parts['optimizer']![0]).to.deep.include({ class: 'AdamOptimizer' });
    const model = await openSafetensors(join(path, 'model.safetensors'));
    expect([...model.tensors.keys()]).to.have.members(variables.map(({ name }) => name));
    await model.close();
    const others = await openSafetensors(join(path, 'optimizer.safetensors'));
    expect(others.tensors.get('beta1_power')).to.deep.include({ dtype: 'F64', shape: [] });
    expect(await others.read('layer_0/w/Adam')).to.deep.equal(new Float32Array(3).fill(12));
    await others.close();
    const restored = await restoreCheckpoint(path, countingModel().parts);
    expect(restored!.metadata).to.deep.equal({ epoch: [1, 'a'] });
  });

  it('is of one step, whatever is under way', async () => {
    for (const copy of [true, false, undefined]) {
      const at = join(folder, String(copy));
      const size = 3_000_000;
      const w = variable(new Float32Array(size), { name: 'w' });
      const [globalStep, optimizer] = [createGlobalStep(), new MomentumOptimizer({ learningRate: 1, momentum: 0 })];
      const parts = { variables: [w], optimizer, globalStep };
      const gradient = new Float32Array(size).fill(-1);
      const step = () => optimizer.applyGradientsAsync([[gradient, w]], { globalStep });
      const saving = [];
      for (let i = 0; i < 4; i++) {
        void step();
        saving.push(saveCheckpoint(at, parts, copy === undefined ? {} : { copy }));
        void step();
      }
      expect((await Promise.all(saving)).map((saved) => saved.step)).to.deep.equal([1, 3, 5, 7]);
      await optimizer.idle();
      expect(globalStep.value).to.equal(8);
      for (const i of [1, 3, 5, 7]) {
        await restoreCheckpoint(at, parts, { step: i });
        expect(globalStep.value).to.equal(i);
        expect(w.data.every((x) => x === i)).to.be.true;
      }
    }
  });

  it('may be of much, of which another thread makes the checksums', async () => {
    const { parts, set, step } = countingModel([4_000_000, 0, 5, 700_001]);
    set(6);
    const { path, bytes } = await saveCheckpoint(folder, parts);
    expect(bytes).to.be.above(2 ** 25);
    const { files } = JSON.parse(readFileSync(join(path, 'state.json'), 'utf8')) as {
      files: Record<string, { sha256: string }>;
    };
    for (const [name, { sha256 }] of Object.entries(files)) {
      expect(
        createHash('sha256')
          .update(readFileSync(join(path, name)))
          .digest('hex'),
      ).to.equal(sha256);
    }
    set(7);
    await restoreCheckpoint(folder, parts);
    expect(step()).to.equal(6);
  });

  it('is restored as a whole before the next step, however many are asked for meanwhile', async () => {
    const size = 3_000_000;
    const w = variable(new Float32Array(size), { name: 'w' });
    const [globalStep, optimizer] = [createGlobalStep(), new MomentumOptimizer({ learningRate: 1, momentum: 0 })];
    const parts = { variables: [w], optimizer, globalStep };
    const gradient = new Float32Array(size).fill(-1);
    const step = () => optimizer.applyGradientsAsync([[gradient, w]], { globalStep });
    await step();
    await saveCheckpoint(folder, parts);
    for (let i = 0; i < 5; i++) {
      let isOver = false;
      const restoring = restoreCheckpoint(folder, parts).then(() => (isOver = true));
      const steps: Promise<unknown>[] = [];
      while (!isOver) {
        steps.push(step());
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      await Promise.all([restoring, ...steps]);
      expect(globalStep.value).to.be.at.most(1 + steps.length);
      expect(w.data.every((x) => x === globalStep.value)).to.be.true;
    }
  });

  it('keeps averages as they are until they are copied, or written', async () => {
    for (const copy of [true, false]) {
      const w = variable(new Float32Array(2_000_000).fill(1), { name: 'w' });
      const averages = new ExponentialMovingAverage(0.5);
      averages.apply([w, ['loss', tensor([1])]]);
      const saving = saveCheckpoint(join(folder, String(copy)), { variables: [w], averages }, { step: 1, copy });
      expect(() => averages.apply([['loss', tensor([2])]])).to.throw(
        Error,
        "averages 'ExponentialMovingAverage' is used by",
      );
      await saving;
      w.data.fill(3);
      averages.apply([w, ['loss', tensor([3])]]);
      const average = averages.average(w)!;
      expect(average.data.every((x) => x === 2)).to.be.true;
      await restoreCheckpoint(join(folder, String(copy)), { variables: [w], averages });
      expect(average.data.every((x) => x === 1)).to.be.true;
      expect(w.data.every((x) => x === 1)).to.be.true;
    }
  });

  it('keeps a compiled step from being made in part while its averages are saved', async () => {
    const w = variable([1, 2], { name: 'w' });
    const averages = new ExponentialMovingAverage(0.5);
    const optimizer = new MomentumOptimizer({ learningRate: 1, momentum: 0 });
    const step = compileStep({ inputs: {}, loss: () => ops.reduceSum(w), optimizer, averages });
    step.runSync({});
    const saving = saveCheckpoint(folder, { averages }, { step: 1 });
    expect(() => step.runSync({})).to.throw(Error, "averages 'ExponentialMovingAverage' is used by");
    expect([...w.data]).to.deep.equal([0, 1]);
    await step.run({}); // has its turn
    await saving;
    expect([...w.data]).to.deep.equal([-1, 0]);
  });

  it('has copies of what no turn protects', async () => {
    const [w, random] = [variable([1], { name: 'w' }), new RandomGenerator(1)];
    const saving = saveCheckpoint(folder, { variables: [w], random }, { step: 1, copy: false });
    const first = String(random.uniform([9]).data);
    await saving;
    expect(String(random.uniform([9]).data)).not.to.equal(first);
    await restoreCheckpoint(folder, { variables: [w], random });
    expect(String(random.uniform([9]).data)).to.equal(first);
  });

  it('is kept as one of the newest so many, and never removed for one that is not whole', async () => {
    const { parts, set } = countingModel();
    for (const step of [1, 2, 3, 4]) {
      set(step);
      await saveCheckpoint(folder, parts, step === 4 ? { keep: 2 } : {});
    }
    expect(readdirSync(folder)).to.deep.equal(['step-00000003', 'step-00000004']);
    truncateSync(join(folder, 'step-00000004', 'state.json'), 10);
    set(3);
    await saveCheckpoint(folder, parts, { keep: 1 }); // of a run that went back
    expect(readdirSync(folder)).to.have.members(['step-00000003.1', 'step-00000004']);
    expect((await restoreCheckpoint(folder, parts))!.step).to.equal(3);
    expect(warnings).to.have.lengthOf(1);
    set(4);
    await saveCheckpoint(folder, parts, { keep: 1 });
    expect(readdirSync(folder)).to.deep.equal(['step-00000004.1']);
    expect((await latestCheckpoint(folder))!.step).to.equal(4);
  });

  it('takes away what interrupted saves have left, and nothing of others', async () => {
    const host = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
    const name = (host: string, pid: number, thread = 0): string =>
      `.step-00000001.${host}-${pid}-${thread}-0123456789ab.tmp`;
    const ours = [name(host, process.pid), name(host, 2 ** 22 + 1)];
    const others = [name(host, process.pid, 5), name(host, process.ppid), name('00000000', 2 ** 22 + 1), 'notes.tmp'];
    for (const each of [...ours, ...others]) mkdirSync(join(folder, each));
    await saveCheckpoint(folder, countingModel().parts);
    expect(readdirSync(folder)).to.have.members([...others, 'step-00000000']);
  });

  it('restores a part of a model under other names, into a new optimizer', async () => {
    const { parts, set } = countingModel();
    set(5);
    await saveCheckpoint(folder, parts);
    const body = variable(new Float32Array(1000), { name: 'body/w' });
    const head = variable([1, 2], { name: 'head/w' });
    const optimizer = new AdamOptimizer();
    await restoreCheckpoint(
      folder,
      { variables: [body, head], optimizer },
      {
        partial: true,
        rename: (key) => key.replace('layer_1/', 'body/'),
        only: (key) => key.startsWith('body/') || key.startsWith('beta'),
      },
    );
    expect(body.data.every((x) => x === 5)).to.be.true;
    expect([...head.data]).to.deep.equal([1, 2]);
    expect(optimizer.getSlot(body, 'm')!.data[999]).to.equal(5);
    expect(optimizer.getSlot(head, 'm')).to.equal(null);
    optimizer.applyGradients([
      [new Float32Array(1000), body],
      [new Float32Array(2), head],
    ]);
  });

  it('refuses wrong arguments before it writes anything', async () => {
    const { parts, variables } = countingModel();
    const wrong: [() => Promise<unknown>, RegExp][] = [
      [() => saveCheckpoint(5 as never, parts), /TypeError: folder must be a path or a URL, got 5/],
      [() => saveCheckpoint(folder, { variables }), /RangeError: which step it is must be said/],
      [() => saveCheckpoint(folder, {}, { step: 1 }), /RangeError: parts must have at least one/],
      [() => saveCheckpoint(folder, parts, { keep: 0 }), /RangeError: keep must be a whole number from 1, got 0/],
      [() => saveCheckpoint(folder, parts, { kep: 1 } as never), /did you mean 'keep'/],
      [
        () => saveCheckpoint(folder, { ...parts, metadata: { x: NaN } }),
        /RangeError: metadata.x must be a number that JSON has/,
      ],
      [() => saveCheckpoint(folder, { ...parts, metadata: new Map() as never }), /TypeError: metadata must be/],
      [() => saveCheckpoint(folder, { ...parts, 'a/b': createGlobalStep() }), /RangeError: parts: a name must be/],
      [
        () => saveCheckpoint(folder, { ...parts, schedules: (() => 1) as never }),
        /parts.schedules must have state\(\)/,
      ],
      [
        () => saveCheckpoint(folder, { ...parts, variables: variables[0] as never }),
        /must be an iterable of Variables/,
      ],
      [
        () => saveCheckpoint(folder, { ...parts, variables: [variables[0]!, variables[0]!] }),
        /is the key of state of variables/,
      ],
      [() => restoreCheckpoint(folder, parts, { only: 1 as never }), /TypeError: only must be a function/],
    ];
    for (const [attempt, expected] of wrong) expect(await message(attempt())).to.match(expected);
    expect(readdirSync(folder)).to.deep.equal([]);
  });
});
