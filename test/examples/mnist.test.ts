import { expect } from 'chai';
import { runtime } from 'gradstep';
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { idx, images, labels, writeDataset } from './idx-files';

const root = dirname(require.resolve('gradstep/package.json'));

interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function npmStart(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Run {
  const script = join(root, 'build/ts/examples/mnist.js');
  return spawnSync(process.execPath, [script, ...args], { encoding: 'utf8', env: { ...process.env, ...environment } });
}

/** One line that matches, and an exit code other than 0. */
function expectOneLine({ status, stderr }: Run, line: RegExp): void {
  expect(stderr).to.match(line);
  expect(stderr.trimEnd().split('\n')).to.have.length(1);
  expect(status).to.equal(1);
}

describe('npm start', () => {
  let folder: string;
  let data: string;
  let runs = 0;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'gradstep-mnist-'));
    data = join(folder, 'data');
    writeDataset(data);
  });
  after(() => rmSync(folder, { recursive: true }));

  /** A short training, and where it wrote. */
  function train(args: readonly string[] = [], environment?: Readonly<Record<string, string>>): Run & { out: string } {
    const out = join(folder, `out-${runs++}`);
    return { ...npmStart(['--data', data, '--hidden', '40,20', '--out', out, ...args], environment), out };
  }
  function weightsOf({ out, status, stderr }: Run & { out: string }): Buffer {
    expect(stderr).to.equal('');
    expect(status).to.equal(0);
    return readFileSync(join(out, 'weights.safetensors'));
  }

  describe('with the same seed', () => {
    const wide = ['--hidden', '256', '--seed', '7']; // enough work to be split between threads
    let first: Buffer;
    before(() => (first = weightsOf(train([...wide, '--threads', '1']))));

    for (const threads of ['2', '3']) {
      it(`gives the same weights, byte for byte, on ${threads} threads as on one`, () => {
        expect(weightsOf(train([...wide, '--threads', threads])).equals(first)).to.be.true;
        expect(weightsOf(train(wide, { GRADSTEP_THREADS: threads })).equals(first)).to.be.true;
      });
    }

    for (const isa of runtime.availableIsas) {
      it(`gives the same weights, byte for byte, on ${isa}`, () => {
        const run = train(wide, { GRADSTEP_ISA: isa });
        expect(run.stdout).to.contain(`ran on         ${isa}`);
        expect(weightsOf(run).equals(first)).to.be.true;
      });
    }

    it('gives the same weights, byte for byte, with steps off the event loop', () => {
      expect(weightsOf(train([...wide, '--async'])).equals(first)).to.be.true;
    });

    it('gives other weights than with another seed', () => {
      expect(weightsOf(train(['--hidden', '256', '--seed', '8'])).equals(first)).to.be.false;
    });
  });

  it('learns, and tells how it went', () => {
    const { stdout, out } = train(['--epochs', '20', '--threads', '2']);
    expect(stdout).to.match(
      /^step 80\/80 {2}epoch 20\/20 {2}loss \d\.\d{4} {2}norm \d+\.\d\d {2}clipped \d+\.\d % {2}\d+ steps\/s$/m,
    );
    expect(stdout).to.match(/^test accuracy {2}100\.00 % \(50 of 50 images\)$/m);
    expect(stdout).to.match(/^ran on {9}\w+, 2 threads$/m);
    expect(stdout).to.match(/^total time {5}\d+\.\d s, of it \d+\.\d s in 80 training steps$/m);
    expect(stdout).to.contain(`weights        ${join(out, 'weights.safetensors')}\n`);
    expect(stdout).to.contain(`picture        ${join(out, 'training.svg')}\n`);
  });

  it('writes plain lines where there is no terminal', () => {
    // eslint-disable-next-line no-control-regex
    expect(train().stdout).not.to.match(/[\x00-\x09\x0b-\x1f]/);
  });

  it('trains on the last batch too, which is smaller', () => {
    expect(train(['--batch', '64', '--epochs', '1']).stdout).to.contain('step 4/4 ');
    expect(train(['--batch', '60000', '--epochs', '1']).stdout).to.contain('step 1/1 ');
  });

  it('writes the weights in the format safetensors', () => {
    const file = weightsOf(train());
    const headerSize = Number(file.readBigUInt64LE());
    const header = JSON.parse(file.toString('utf8', 8, 8 + headerSize)) as Record<
      string,
      { dtype: string; shape: number[]; data_offsets: [number, number] }
    >;
    expect(headerSize % 8).to.equal(0);
    expect(header['dense_1/kernel']).to.deep.equal({ dtype: 'F32', shape: [784, 40], data_offsets: [0, 125440] });
    expect(Object.values(header).map(({ shape }) => shape)).to.deep.equal([
      [784, 40],
      [40],
      [40, 20],
      [20],
      [20, 10],
      [10],
    ]);
    expect(file).to.have.length(8 + headerSize + Object.values(header).at(-1)!.data_offsets[1]);
    for (const {
      shape,
      data_offsets: [begin, end],
    } of Object.values(header)) {
      expect(end - begin).to.equal(4 * shape.reduce((product, dim) => product * dim));
    }
  });

  it('keeps the weights where Ctrl-C ends a training off the event loop', async () => {
    const out = join(folder, 'interrupted');
    const script = join(root, 'build/ts/examples/mnist.js');
    const args = ['--data', data, '--hidden', '10', '--epochs', '1000', '--batch', '1', '--async', '--out', out];
    const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    let stdout = '';
    child.stdout.on('data', (text: Buffer) => {
      if (stdout === '') child.kill('SIGINT');
      stdout += text.toString();
    });
    const status = await new Promise((resolve) => child.on('close', resolve));
    expect(status).to.equal(130);
    expect(stdout).to.match(/^stopped after {2}step \d+ of 200000\ntest accuracy/m);
    expect(readFileSync(join(out, 'weights.safetensors')).length).to.be.above(4 * 784 * 10);
  });

  it('draws a picture that needs nothing from elsewhere', () => {
    const { out } = train(['--epochs', '1']);
    const svg = readFileSync(join(out, 'training.svg'), 'utf8');
    expect(svg)
      .to.match(/^<svg .*<\/svg>\s*$/s)
      .and.to.contain('Loss')
      .and.to.contain('Global norm');
    expect(svg).not.to.match(/NaN|undefined|<script|<image|href/);
  });

  for (const optimizer of ['adam', 'gradientDescent', 'momentum']) {
    it(`trains with ${optimizer}`, () => {
      const { stdout, status } = train(['--optimizer', optimizer, '--epochs', '20']);
      expect(stdout).to.match(/^test accuracy {2}(9\d|100)\./m);
      expect(status).to.equal(0);
    });
  }

  it('says so when the training diverges', () => {
    const run = train(['--optimizer', 'gradientDescent', '--learning-rate', '1e30', '--clip-norm', '1e30']);
    expectOneLine(run, /^error: step \d+ has loss \S+ and gradient norm \S+: take a smaller --learning-rate/);
  });

  it('lists its options when asked for help', () => {
    const { stdout, status } = npmStart(['--help']);
    const names = 'epochs batch hidden optimizer learning-rate clip-norm seed threads async data out help'.split(' ');
    for (const name of names) expect(stdout).to.contain(`--${name} `.trimEnd());
    expect(status).to.equal(0);
  });

  describe('refuses, in one line,', () => {
    const badOptions = [
      ['--epochs', '0'],
      ['--epochs', '1.5'],
      ['--epochs'],
      ['--batch', 'x'],
      ['--hidden', '256,'],
      ['--hidden', '0'],
      ['--optimizer', 'sgd'],
      ['--learning-rate', '-1'],
      ['--clip-norm', '0'],
      ['--clip-norm', 'Infinity'],
      ['--seed', '4294967296'],
      ['--seed', ''],
      ['--threads', '257'],
      ['--unknown'],
      ['stray'],
    ];
    for (const args of badOptions) {
      it(`the option ${args.join(' ') || "''"}`, () => {
        expectOneLine(npmStart(args), /^error: /);
      });
    }

    const damages: readonly [string, string, Buffer | null, RegExp][] = [
      [
        'a missing file',
        'train-images-idx3-ubyte',
        null,
        /^error: cannot read \S+train-images-idx3-ubyte: no such file/,
      ],
      [
        'a file cut short',
        'train-images-idx3-ubyte',
        images(200).subarray(0, 1000),
        /train-images\S+ is truncated: .* 1000 bytes/,
      ],
      [
        'a file cut short in its header',
        't10k-labels-idx1-ubyte',
        labels(50).subarray(0, 6),
        /t10k-labels\S+ is truncated: .* 6 bytes/,
      ],
      ['an empty file', 'train-labels-idx1-ubyte', Buffer.alloc(0), /train-labels\S+ is truncated: .* 0 bytes/],
      [
        'a file that goes on',
        't10k-labels-idx1-ubyte',
        Buffer.concat([labels(50), Buffer.alloc(3)]),
        /t10k-labels\S+ is too long/,
      ],
      [
        'labels in place of images',
        't10k-images-idx3-ubyte',
        labels(50),
        /t10k-images\S+ is not an IDX file of images.*0x00000801/,
      ],
      [
        'a compressed file',
        'train-labels-idx1-ubyte',
        Buffer.from('1f8b08000000000002ff', 'hex'),
        /not an IDX file of labels.*0x1f8b0800/,
      ],
      [
        'images of another size',
        'train-images-idx3-ubyte',
        idx([2, 32, 32], new Uint8Array(2048)),
        /images of 32 x 32 pixels, expected 28 x 28/,
      ],
      ['no images', 'train-images-idx3-ubyte', idx([0, 28, 28], new Uint8Array(0)), /train-images\S+ has no images/],
      [
        'more images than labels',
        't10k-labels-idx1-ubyte',
        labels(49),
        /t10k-labels\S+ has 49 labels, \S+ has 50 images/,
      ],
      [
        'a label out of range',
        'train-labels-idx1-ubyte',
        idx([200], new Uint8Array(200).fill(10, 7)),
        /train-labels\S+ has 10 as label 7, expected 0 to 9/,
      ],
    ];
    damages.forEach(([what, file, contents, line], i) => {
      it(what, () => {
        const damaged = join(folder, `damaged-${i}`);
        writeDataset(damaged, { [file]: contents });
        expectOneLine(npmStart(['--data', damaged]), line);
      });
    });

    it('a folder that cannot be written to', () => {
      const file = join(folder, 'a-file');
      writeFileSync(file, '');
      expectOneLine(
        npmStart(['--data', data, '--out', file]),
        /^error: cannot write to \S+a-file: it is a file, not a folder/,
      );
      expectOneLine(
        npmStart(['--data', data, '--out', join(file, 'out')]),
        /^error: cannot write to \S+out: a part of its path/,
      );
    });

    it('a weights file that cannot be written', () => {
      const out = join(folder, 'taken');
      mkdirSync(join(out, 'weights.safetensors'), { recursive: true });
      expectOneLine(
        npmStart(['--data', data, '--out', out]),
        /^error: cannot write \S+weights.safetensors: it is a folder/,
      );
    });
  });

  it('reads nine of ten real digits after one epoch of a small network', () => {
    const { stdout } = npmStart(['--epochs', '1', '--hidden', '32', '--batch', '256', '--out', join(folder, 'real')]);
    expect(Number(/test accuracy {2}(\S+) %/.exec(stdout)?.[1])).to.be.above(90);
  });
});
