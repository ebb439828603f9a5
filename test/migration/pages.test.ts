import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as gradstep from 'gradstep';
import { data, initializers, losses, ops, Optimizer, OptimizerWrapper, RandomGenerator } from 'gradstep';
import * as layers from 'gradstep/layers';

// The pages that say what replaces the calls of other libraries, held against what there is. The compiled tests lie in
// build/ts/test.
const folder = join(__dirname, '..', '..', '..', '..', 'docs', 'migration');

const functionsOf = (module: object): string[] =>
  Object.entries(module).flatMap(([name, value]) => (typeof value === 'function' ? [name] : []));

const isOptimizer = (value: unknown): boolean =>
  typeof value === 'function' && value.prototype instanceof Optimizer && value !== OptimizerWrapper;
const optimizers = Object.entries(gradstep as Record<string, unknown>).flatMap(([name, value]) => (isOptimizer(value) ? [name] : [])); // prettier-ignore
const schedules = functionsOf(gradstep).filter((name) => /Decay$|^piecewise|Warmup$/.test(name));
const clips = functionsOf(gradstep).filter((name) => /^clip|^globalNorm$/.test(name) && !name.endsWith('Async'));
const notDrawing = ['constructor', 'take', 'state', 'restore', 'planRestore'];
const drawing = Object.getOwnPropertyNames(RandomGenerator.prototype).filter((name) => !notDrawing.includes(name));
// What makes a layer, and not its class.
const makers = functionsOf(layers).filter((name) => /^[a-z]/.test(name));

const prefixed = (prefix: string, names: readonly string[]): string[] => names.map((name) => `${prefix}.${name}`);
const named = {
  ops: prefixed('ops', functionsOf(ops)),
  losses: prefixed('losses', functionsOf(losses)),
  layers: prefixed('layers', makers),
  initializers: prefixed('initializers', functionsOf(initializers)),
  data: prefixed('data', functionsOf(data)),
  random: prefixed('random', drawing),
};
const everything = Object.values(named).flat();

/** Cells of the tables' rows; a bar in a cell is written \|. */
function rowsOf(page: string): string[][] {
  const lines = readFileSync(join(folder, page), 'utf8').split('\n');
  const cells = (line: string): string[] => line.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim()); // prettier-ignore
  return lines.filter((line) => line.startsWith('| ')).map(cells);
}

/** The names in backticks of what a page says is ours: `ops.conv2d`, `exponentialDecay`. */
function oursIn(page: string): Set<string> {
  const code = rowsOf(page).flatMap(([, ours]) => [...ours!.matchAll(/`([^`]*)`/g)].map(([, text]) => text!));
  return new Set(code.flatMap((text) => text.match(/[A-Za-z][\w.]*/g) ?? []));
}

const missing = (needed: readonly string[], page: string): string[] => {
  const shown = oursIn(page);
  return needed.filter((name) => !shown.has(name)).map((name) => `${name} is missing in docs/migration/${page}`);
};

describe('the pages of migration', () => {
  it('have every op, layer, loss, initializer, optimizer, schedule and clip, from TensorFlow 1', () => {
    // TensorFlow 1 has none of these.
    const others = ['AdamaxOptimizer', 'AdamWOptimizer', 'AMSGradOptimizer', 'LambOptimizer', 'LarsOptimizer', 'LionOptimizer', 'NadamOptimizer']; // prettier-ignore
    const known = optimizers.filter((name) => !others.includes(name));
    expect(everything.length).to.be.at.least(200);
    expect(missing([...everything, ...known, ...schedules, ...clips], 'tensorflow.md')).to.deep.equal([]);
  });

  it('have every op, layer, loss, initializer, optimizer, schedule and clip, from PyTorch', () => {
    expect(missing([...everything, ...optimizers, ...schedules, ...clips], 'pytorch.md')).to.deep.equal([]);
  });

  it('have every layer, loss, initializer and optimizer, from Keras', () => {
    const names = [...named.layers, ...named.losses, ...named.initializers, ...optimizers];
    expect(missing(names, 'keras.md')).to.deep.equal([]);
  });

  it('have no op, layer or other function that there is not', () => {
    for (const page of ['tensorflow.md', 'pytorch.md', 'keras.md']) {
      const shown = [...oursIn(page)].filter((name) => /^(ops|losses|layers|initializers|data|random)\./.test(name));
      const besides = [...everything, 'losses.Reduction.SUM', 'losses.Reduction.NONE', 'losses.Reduction'];
      expect(shown.filter((name) => !besides.includes(name)), page).to.deep.equal([]); // prettier-ignore
    }
  });

  it('have rows of as many cells as their tables', () => {
    for (const page of ['tensorflow.md', 'pytorch.md', 'keras.md', 'ports.md', '../migration.md']) {
      const lines = readFileSync(join(folder, page), 'utf8').split('\n');
      const cells = (line: string): number => line.split(/(?<!\\)\|/).length;
      const wrong = lines.filter((line, i) => line.startsWith('|') && lines[i - 1]!.startsWith('|') && cells(line) !== cells(lines[i - 1]!)); // prettier-ignore
      expect(wrong, page).to.deep.equal([]);
    }
  });
});
