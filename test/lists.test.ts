import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as gradstep from 'gradstep';
import { Optimizer, OptimizerWrapper, ops } from 'gradstep';
import { plainRules } from '../bench/peers/plain-js';
import { hyper, optimizers } from '../bench/rules';
import { native } from '../lib/native';
import { references } from './support/reference';

// What CONTRIBUTING says an optimizer and an op need, held against what there is. The compiled tests lie in build/ts/test.
const root = join(__dirname, '..', '..', '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

const missing = (needed: readonly string[], there: Iterable<string>, where: string): string[] => {
  const set = new Set(there);
  return needed.filter((name) => !set.has(name)).map((name) => `${name} is missing in ${where}`);
};

describe('lists', () => {
  const rules = native.rules.map(({ name }) => name);
  const classes = Object.entries(gradstep as Record<string, unknown>).flatMap(([name, value]) => {
    const isOptimizer = typeof value === 'function' && value.prototype instanceof Optimizer;
    return isOptimizer && value !== OptimizerWrapper ? [name] : []; // the base of the wrappers is no optimizer
  });

  it('have every update rule: the benches, their peers, the references', () => {
    expect([
      ...missing(rules, Object.keys(optimizers), 'optimizers of bench/rules.ts'),
      ...missing(rules, Object.keys(plainRules), 'bench/peers/plain-js.ts'),
      ...missing(rules, Object.keys(references), 'test/support/reference.ts'),
      ...missing(
        native.rules.flatMap(({ hyper }) => hyper),
        Object.keys(hyper),
        'hyper of bench/rules.ts',
      ),
    ]).to.deep.equal([]);
  });

  it('have no rule that there is not', () => {
    const listed = [optimizers, plainRules, references].flatMap((list) => Object.keys(list));
    expect(missing(listed, rules, "native/kernels/optimizers/list.h's rules")).to.deep.equal([]);
  });

  it('have every optimizer: its tests and the pages of what there is', () => {
    const tests = readdirSync(join(root, 'test/optimizers'), { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => read(`test/optimizers/${name}`))
      .join('\n');
    const other = read('test/loss-scale.test.ts') + read('test/sync-replicas.test.ts');
    const words = (text: string): string[] => text.match(/\w+/g) ?? [];
    expect([
      ...missing(classes, words(tests + other), 'test/optimizers/'),
      ...missing(
        classes,
        words(read('docs/optimizers/README.md') + read('docs/guide.md')),
        'docs/optimizers/README.md',
      ),
    ]).to.deep.equal([]);
  });

  it('have every op: its tests and the table of docs/ops.md', () => {
    const names = Object.keys(ops);
    const tests = readdirSync(join(root, 'test/autodiff/ops')).map((name) => read(`test/autodiff/ops/${name}`));
    const used = [...tests.join('\n').matchAll(/\bops\.(\w+)|'(\w+)'/g)].map(([, a, b]) => a ?? b!);
    const shown = [...read('docs/ops.md').matchAll(/^\| `ops\.(\w+)/gm)].map(([, name]) => name!);
    expect([
      ...missing(names, used, 'test/autodiff/ops/'),
      ...missing(names, shown, 'docs/ops.md'),
      ...missing(shown, names, 'lib/ops/index.ts'),
    ]).to.deep.equal([]);
  });
});
