import { expect } from 'chai';
import fc from 'fast-check';
import { AdamOptimizer, clipByGlobalNorm, IndexedSlices, ops, tensor, variable, type Variable } from 'gradstep';
import { histogramOf, readEvents, SummaryWriter, type SummaryWriterOptions } from 'gradstep/tensorboard';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { runScript } from '../support/child';
import { strictValues, type Message } from '../support/event-files';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'gradstep-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What a file has after these calls, by the strict reader. */
async function written(calls: (writer: SummaryWriter) => void, options?: SummaryWriterOptions): Promise<Message[]> {
  const writer = new SummaryWriter(folder, options);
  calls(writer);
  await writer.close();
  return strictValues(writer.path);
}

describe('a SummaryWriter', () => {
  it('writes scalars in single precision', async () => {
    const found = await written((writer) => {
      writer.scalar('loss', 0.1, 3);
      writer.scalar('loss', NaN, -1);
      writer.scalar('a', tensor([[7]]), 0);
      writer.scalar('a', variable(8), 2 ** 40);
      writer.scalars({ b: 0, 'c/d': -Infinity }, 1);
      writer.scalars({}, 1);
    });
    expect(found).to.deep.equal([
      { step: 3, tag: 'loss', simple_value: Math.fround(0.1) },
      { step: -1, tag: 'loss', simple_value: NaN },
      { step: 0, tag: 'a', simple_value: 7 },
      { step: 2 ** 40, tag: 'a', simple_value: 8 },
      { step: 1, tag: 'b', simple_value: 0 },
      { step: 1, tag: 'c/d', simple_value: -Infinity },
    ]);
  });

  it('writes texts for the plugin that shows them', async () => {
    const found = await written((writer) => {
      writer.text('note', '**läuft** \u{1f3c3}', 1);
      writer.text('note', '', 2);
    });
    const asText = (step: number, text: string) => ({
      step,
      tag: 'note',
      metadata: { plugin_data: { plugin_name: 'text' }, data_class: 2 },
      tensor: { dtype: 7, tensor_shape: {}, string_val: [text] },
    });
    expect(found).to.deep.equal([asText(1, '**läuft** \u{1f3c3}'), asText(2, '')]);
  });

  it('writes histograms, and how many values they leave out', async () => {
    const array = Float32Array.of(1, -2, 0, NaN, Infinity);
    const { nonFinite, sumSquares, bucketLimit, ...same } = histogramOf(array);
    const found = await written((writer) => {
      writer.histogram('w', array, 5);
      array.fill(9); // it has been looked at
      writer.histogram('z', new Float64Array(3), 6);
    });
    expect(found.slice(0, 2)).to.deep.equal([
      { step: 5, tag: 'w', histo: { ...same, sum_squares: sumSquares, bucket_limit: bucketLimit } },
      { step: 5, tag: 'w/non_finite', simple_value: nonFinite },
    ]);
    expect(found[2]!['histo']).to.have.all.keys('num', 'bucket_limit', 'bucket'); // all others are 0
  });

  it('refuses them like TensorFlow where it is told to', async () => {
    const found = await written(
      (writer) => {
        expect(() => writer.histogram('w', [1, NaN], 0)).to.throw(
          RangeError,
          "'w' has 1 values that are NaN or infinite",
        );
        writer.histogram('w', [1], 0);
      },
      { nonFinite: 'throw' },
    );
    expect(found).to.have.lengthOf(1);
  });

  it('writes the gradients and variables of a model under their names', async () => {
    const w = variable([[0.1], [-0.1]], { name: 'dense/kernel' });
    const b = variable([0], { name: 'dense/bias' });
    const unused = variable([1], { name: 'unused' });
    const x = tensor([[1, 2]]);
    const gradsAndVars = new AdamOptimizer().computeGradients(
      () => ops.reduceSum(ops.square(ops.add(ops.matMul(x, w), b))),
      { varList: [w, b, unused] },
    );
    const found = await written((writer) => {
      writer.gradients(gradsAndVars, 1);
      writer.gradients(clipByGlobalNorm(gradsAndVars, 0.1)[0], 2);
      writer.variables([w, b], 2);
      writer.gradients([[new IndexedSlices([[1]], [0], [2, 1]), w]], 3);
    });
    const names = ['gradients/dense/kernel', 'gradients/dense/bias'];
    const variables = ['variables/dense/kernel', 'variables/dense/bias'];
    expect(found.map(({ tag }) => tag)).to.deep.equal([...names, ...names, ...variables, 'gradients/dense/kernel']);
  });

  it('adds all histograms of a list or none', async () => {
    const [first, second] = [variable([1], { name: 'first' }), variable([NaN], { name: 'second' })];
    const found = await written(
      (writer) => {
        expect(() => writer.variables([first, second], 1)).to.throw(RangeError, "'variables/second'");
        expect(() => writer.gradients([[Float32Array.of(1), first]], 0.5)).to.throw(RangeError, 'step');
        second.dispose();
        expect(() => writer.variables([first, second], 1)).to.throw(Error, 'disposed');
      },
      { nonFinite: 'throw' },
    );
    expect(found).to.deep.equal([]);
  });

  it('names its file as TensorFlow does, and no two alike', async () => {
    const writers = [1, 2, 3].map(
      () => new SummaryWriter(join(folder, 'a', 'b'), { suffix: '.v2', now: () => 1.5e9 + 0.25 }),
    );
    await Promise.all(writers.map((writer) => writer.close()));
    const found = readdirSync(join(folder, 'a', 'b'));
    expect(found).to.have.lengthOf(3);
    const host = hostname().replace(/[^\w.-]/g, '_');
    for (const name of found) {
      expect(name.startsWith(`events.out.tfevents.1500000000.${host}.${process.pid}.`), name).to.equal(true);
      expect(name.endsWith('.v2')).to.equal(true);
    }
  });

  it('takes another name where there is a file of that one', async () => {
    const first = new SummaryWriter(folder, { now: () => 7 });
    const next = first.path.replace(/\d+$/, (n) => String(Number(n) + 1));
    writeFileSync(next, 'mine');
    const second = new SummaryWriter(folder, { now: () => 7 });
    second.scalar('a', 1, 1);
    await Promise.all([first.close(), second.close()]);
    expect(readFileSync(next, 'utf8')).to.equal('mine');
    expect(strictValues(second.path)).to.have.lengthOf(1);
  });

  it('keeps the order of what is added, whatever it is and however slow the file is', async () => {
    const count = 3000;
    const found = await written((writer) => {
      for (let i = 0; i < count; i++) {
        if (i % 500 === 7) writer.image('image', new Uint8Array(10_000), i, { shape: [100, 100] });
        else if (i % 10 === 3) writer.histogram('h', [i], i);
        else writer.scalar('s', i, i);
        if (i % 300 === 0) void writer.flush();
      }
    });
    expect(found.map(({ step }) => step)).to.deep.equal(Array.from({ length: count }, (_, i) => i));
  });

  it('has everything in the file when flush is done, more than once and at the same time', async () => {
    const writer = new SummaryWriter(folder);
    for (let i = 0; i < 5; i++) {
      writer.scalar('a', i, i);
      const first = writer.flush();
      writer.scalar('b', i, i);
      await Promise.all([first, writer.flush()]);
      expect(strictValues(writer.path)).to.have.lengthOf(2 * (i + 1));
    }
    await writer.close();
  });

  it('writes by itself after a while', async () => {
    const writer = new SummaryWriter(folder, { flushSeconds: 0 });
    await writer.flush();
    writer.scalar('a', 1, 1);
    for (let tries = 0; strictValues(writer.path).length === 0; tries++) {
      expect(tries).to.be.below(1000);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await writer.close();
  });

  it('closes once, and takes nothing afterwards', async () => {
    const writer = new SummaryWriter(folder);
    writer.scalar('a', 1, 1);
    await Promise.all([writer.close(), writer.close(), writer[Symbol.asyncDispose](), writer.flush()]);
    expect(strictValues(writer.path)).to.have.lengthOf(1);
    for (const call of [() => writer.scalar('a', 1, 1), () => writer.image('a', [] as never, 1, { shape: [1, 1] })]) {
      expect(call).to.throw(Error);
    }
    expect(() => writer.text('a', 'b', 1)).to.throw(Error, 'this SummaryWriter is closed');
  });

  it('reads what it wrote', async () => {
    const tag = fc.string({ minLength: 1, unit: 'grapheme' });
    const step = fc.maxSafeInteger();
    const calls = fc.array(
      fc.oneof(
        fc.tuple(fc.constant('scalar' as const), tag, fc.float(), step),
        fc.tuple(fc.constant('text' as const), tag, fc.string({ unit: 'grapheme' }), step),
        fc.tuple(fc.constant('histogram' as const), tag, fc.array(fc.double()), step),
      ),
    );
    await fc.assert(
      fc.asyncProperty(calls, fc.double({ min: 0, max: 1e10, noNaN: true }), async (list, time) => {
        const writer = new SummaryWriter(folder, { now: () => time });
        for (const [kind, tag, value, step] of list) writer[kind](tag, value as never, step);
        await writer.close();
        const values = list.map(([kind, tag, value, step]) => {
          if (kind === 'scalar') return { step, tag, kind, value };
          if (kind === 'text') return { step, tag, kind, text: value };
          const { min, max, num, sum, sumSquares, bucketLimit, bucket } = histogramOf(value);
          return { step, tag, kind, histogram: { min, max, num, sum, sumSquares, bucketLimit, bucket } };
        });
        const found: object[] = [];
        for await (const event of readEvents(writer.path)) {
          expect(event.wallTime).to.equal(time);
          for (const value of event.values) found.push({ step: event.step, ...value });
        }
        const isCount = (value: object): boolean => (value as { tag: string }).tag.endsWith('/non_finite');
        expect(found.filter((value) => !isCount(value))).to.deep.equal(values);
      }),
      { numRuns: 50 },
    );
  });

  it('refuses what it cannot write, and has added nothing', async () => {
    const found = await written((writer) => {
      const text = 'text' as unknown as number;
      expect(() => writer.scalar('', 1, 1)).to.throw(TypeError, 'tag must be a string that is not empty, got ""');
      expect(() => writer.scalar(1 as never, 1, 1)).to.throw(TypeError, 'tag');
      expect(() => writer.scalar('a', text, 1)).to.throw(TypeError, 'value must be a number');
      expect(() => writer.scalar('a', tensor([1, 2]), 1)).to.throw(RangeError, 'exactly one element');
      expect(() => writer.scalar('a', 1, 0.5)).to.throw(RangeError, 'step must be a whole number, got 0.5');
      expect(() => writer.scalar('a', 1, text)).to.throw(TypeError, 'step');
      expect(() => writer.scalars([1] as never, 1)).to.throw(TypeError, 'values must be an object');
      expect(() => writer.scalars({ a: 1, b: text }, 1)).to.throw(TypeError, "'b' must be a number");
      expect(() => writer.text('a', 1 as never, 1)).to.throw(TypeError, 'text must be a string');
      expect(() => writer.histogram('a', text as never, 1)).to.throw(TypeError, 'values');
      expect(() => writer.gradients([[[1], 2]] as never, 1)).to.throw(TypeError, '[gradient, variable] pairs');
      expect(() => writer.gradients(1 as never, 1)).to.throw(TypeError, 'iterable');
      expect(() => writer.variables([1 as unknown as Variable], 1)).to.throw(TypeError, 'must hold Variables, got 1');
      expect(() => writer.variables(variable([1]) as never, 1)).to.throw(TypeError, 'iterable of Variables');
    });
    expect(found).to.deep.equal([]);
  });

  it('refuses options that there are not', () => {
    const make = (options: unknown) => () => new SummaryWriter(folder, options as SummaryWriterOptions);
    expect(() => new SummaryWriter('')).to.throw(TypeError, 'logdir');
    expect(make({ flushSecond: 1 })).to.throw(TypeError, "did you mean 'flushSeconds'?");
    expect(make({ flushSeconds: -1 })).to.throw(RangeError, 'flushSeconds');
    expect(make({ maxWaitingBytes: 0 })).to.throw(RangeError, 'maxWaitingBytes');
    expect(make({ suffix: '/../x' })).to.throw(TypeError, 'suffix');
    expect(make({ nonFinite: 'no' })).to.throw(RangeError, "nonFinite must be 'skip' or 'throw'");
    expect(make({ onError: 1 })).to.throw(TypeError, 'onError');
    expect(make({ now: () => NaN })).to.throw(RangeError, 'what now returns');
    expect(readdirSync(folder)).to.deep.equal([]);
  });
});

describe('a SummaryWriter whose process ends', function () {
  this.timeout(60_000);

  it('has written everything, though nobody closed it', () => {
    const script = `
      const { SummaryWriter } = require('gradstep/tensorboard');
      const writer = new SummaryWriter(${JSON.stringify(folder)}, { flushSeconds: 1000 });
      setTimeout(() => { for (let i = 0; i < 3; i++) writer.scalar('a', i, i); }, 20);
      console.log(writer.path);`;
    const { status, stdout, stderr } = runScript(script);
    expect([status, stderr]).to.deep.equal([0, '']);
    expect(strictValues(stdout.trim())).to.have.lengthOf(3);
  });

  it('does not end it with an error when the folder cannot be made, and says so', () => {
    writeFileSync(join(folder, 'file'), '');
    const script = `
      const { SummaryWriter } = require('gradstep/tensorboard');
      const writer = new SummaryWriter(${JSON.stringify(join(folder, 'file', 'runs'))});
      writer.scalar('a', 1, 1);
      writer.flush();
      writer.close();`;
    const { status, stderr } = runScript(script);
    expect(status).to.equal(0);
    expect(stderr.match(/SummaryWriter: cannot write .*: ENOTDIR/g)).to.have.lengthOf(1);
  });
});
