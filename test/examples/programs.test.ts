import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { writeDataset } from './idx-files';

const root = dirname(require.resolve('gradstep/package.json'));

interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(example: string, args: readonly string[]): Run {
  const script = join(root, 'build/ts/examples', `${example}.js`);
  return spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
}

/** One line that matches, and an exit code other than 0. */
function expectOneLine({ status, stderr }: Run, line: RegExp): void {
  expect(stderr).to.match(line);
  expect(stderr.trimEnd().split('\n')).to.have.length(1);
  expect(status).to.equal(1);
}

/** Words of two kinds, and glosses in which those of one kind stand together. */
function writeWordNet(folder: string): void {
  const kinds = [
    { number: '05', words: ['cat', 'dog', 'cow', 'hen'], near: ['fur', 'tail', 'legs', 'runs'] },
    { number: '13', words: ['bread', 'soup', 'cake', 'rice'], near: ['eaten', 'cooked', 'dish', 'baked'] },
  ];
  const licence = '  1 This software and database is being provided to you\n';
  const lines: string[] = [];
  const index: string[] = [];
  kinds.forEach(({ number, words, near }, kind) =>
    words.forEach((word, i) => {
      const offset = `${1000 + 100 * kind + i}`.padStart(8, '0');
      for (let k = 0; k < 20; k++) {
        const gloss = [word, near[(i + k) % 4], near[k % 4], words[(i + k) % 4], near[(k + 3) % 4]].join(' ');
        const own = k === 0 ? offset : `${2000 + lines.length}`.padStart(8, '0');
        lines.push(`${own} ${number} n 02 ${word} 0 ${words[(i + 1) % 4]} 0 000 | ${gloss}; "a ${word}"  `);
      }
      index.push(`${word} n 1 1 @ 1 0 ${offset}  `);
    }),
  );
  mkdirSync(folder, { recursive: true });
  for (const part of ['noun', 'verb', 'adj', 'adv']) {
    writeFileSync(join(folder, `data.${part}`), licence + (part === 'noun' ? `${lines.join('\n')}\n` : ''));
    writeFileSync(join(folder, `index.${part}`), licence + (part === 'noun' ? `${index.join('\n')}\n` : ''));
  }
}

/** Reports of birds, of which large ones do damage in summer. */
function csvOf(rows: number): string {
  const names =
    'Airport Name,Aircraft Make Model,Effect Amount of damage,Flight Date,Aircraft Airline Operator,Origin State,' +
    'Phase of flight,Wildlife Size,Wildlife Species,Time of day,Cost Other,Cost Repair,Cost Total $,Speed IAS in knots';
  const lines = Array.from({ length: rows }, (_, i) => {
    const [isLarge, month] = [i % 3 === 0, 1 + ((i * 7) % 12)];
    const damage = isLarge && month > 4 ? 'Minor' : 'None';
    const date = `199${i % 10}-${`${month}`.padStart(2, '0')}-01`;
    const size = isLarge ? 'Large' : 'Small';
    return `"AIRPORT ${i % 5}, WEST",B-7${i % 4},${damage},${date},AIR ${i % 3},Texas,Climb,${size},Gull,Day,0,0,0,${i % 4 === 0 ? '' : 100 + (i % 90)}`;
  });
  return [names, ...lines].join('\r\n');
}

describe('the examples', function () {
  this.timeout(120_000);
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'gradstep-examples-'));
    writeDataset(join(folder, 'mnist'));
    writeWordNet(join(folder, 'wordnet'));
    writeFileSync(join(folder, 'birds.csv'), csvOf(600));
    writeFileSync(join(folder, 'text.txt'), 'The same words again, and again. '.repeat(60));
  });
  after(() => rmSync(folder, { recursive: true }));

  const at = (name: string): string => join(folder, name);
  const told = ({ status, stdout, stderr }: Run): string => {
    expect(stderr).to.equal('');
    expect(status).to.equal(0);
    return stdout;
  };
  /** Runs it on one thread and on two, and gives what it wrote, which must be the same. */
  function outputsOf(example: string, args: readonly string[], file: string): { stdout: string; svg: string } {
    const out = (threads: number): string => at(`${example}-${threads}`);
    const [stdout] = [1, 2].map((threads) =>
      told(run(example, [...args, '--out', out(threads), '--threads', `${threads}`])),
    );
    const [svg, other] = [1, 2].map((threads) => readFileSync(join(out(threads), file), 'utf8'));
    expect(svg === other, 'the pictures are the same').to.be.true;
    expect(stdout).to.contain(`picture        ${join(out(1), file)}\n`);
    expect(svg).to.match(/^<svg[^]*<\/svg>\s*$/);
    return { stdout: stdout!, svg: svg! };
  }

  it('vae: learns what images are made of, and draws some', () => {
    const args = ['--data', at('mnist'), '--epochs', '30', '--batch', '20', '--hidden', '64', '--latent', '3'];
    const { stdout, svg } = outputsOf('vae', args, 'digits.svg');
    expect(stdout).to.match(/^step 300\/300 {2}epoch 30\/30 {2}-ELBO \d+\.\d\d nats {2}\d+ steps\/s$/m);
    const [, bound] = /^test -ELBO {5}(\d+\.\d\d) nats an image/m.exec(stdout)!;
    expect(Number(bound)).to.be.below(0.7 * 784 * Math.LN2);
    expect(svg.match(/<image /g)).to.have.length(4);
  });

  it('word2vec: finds which words stand together', () => {
    const args = ['--wordnet', at('wordnet'), '--epochs', '10', '--batch', '32', '--min-count', '2', '--features', '8'];
    args.push('--skip-above', '1');
    const { stdout, svg } = outputsOf('word2vec', args, 'words.svg');
    expect(stdout).to.match(/^words \d+\/\d+ {2}epoch 10\/10 {2}loss \d\.\d+ {2}unread \d\.\d+ {2}\d+ words\/s/m);
    const [, unread] = /^unread loss {4}(\d\.\d+) nats a pair; 4\.159 by guessing$/m.exec(stdout)!;
    expect(Number(unread)).to.be.below(4.159);
    expect(stdout).to.match(/^a step {9}\d+\.\d\d ms; \d+\.\d\d ms with AdamOptimizer/m);
    expect(svg).to.contain('>bread<');
  });

  it('tabular: predicts rows that it has not seen', () => {
    const args = ['--table', at('birds.csv'), '--folds', '3', '--batch', '20', '--buckets', '1024', '--epochs', '10'];
    const { stdout } = outputsOf('tabular', args, 'roc.svg');
    expect(stdout).to.match(/^600 rows, 1\d\.\d % with damage; \w+, 1 thread$/m);
    expect(stdout).to.match(/^always the same AUC 0\.500 {2}log loss 0\.\d{4}$/m);
    for (const name of ['wide', 'deep', 'wide and deep']) {
      const [, area] = new RegExp(`^${name.padEnd(14)} AUC (\\d\\.\\d+)`, 'm').exec(stdout)!;
      expect(Number(area), name).to.be.above(0.9);
    }
  });

  it('gpt: learns a text by heart, and writes', () => {
    const sizes = ['--layers', '1', '--features', '32', '--heads', '2', '--context', '16', '--batch', '4'];
    const args = ['--text', at('text.txt'), ...sizes, '--steps', '60', '--characters', '20', '--learning-rate', '0.01'];
    const { stdout, svg } = outputsOf('gpt', args, 'training.svg');
    const [, unread] = /^step 60\/60 {2}loss \d\.\d{3} {2}unread (\d\.\d{3}) {2}\d+ tokens\/s$/m.exec(stdout)!;
    expect(Number(unread)).to.be.below(1.5);
    expect(svg).to.contain('Learning rate');
  });

  it('say in a line what is missing', () => {
    expectOneLine(run('word2vec', ['--wordnet', at('nowhere')]), /^error: cannot read .*data\.noun: no such file/);
    expectOneLine(run('tabular', ['--table', at('text.txt')]), /^error: .*text\.txt has no column 'Airport Name'$/m);
    expectOneLine(run('vae', ['--data', at('nowhere')]), /^error: cannot read .*train-images-idx3-ubyte: no such file/);
    expectOneLine(run('gpt', ['--text', at('nowhere')]), /^error: cannot read .*nowhere: no such file/);
  });
});
