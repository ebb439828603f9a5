import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const lib = join(dirname(require.resolve('gradstep/package.json')), 'lib');

/** The folders of lib/, each of which may import from those before it; below them are the files of `belowAll`. */
const floors = [
  'loader',
  'safetensors',
  'tensor',
  'schedules',
  'autodiff',
  'random',
  'data',
  'initializers',
  'ops',
  'losses',
  'step',
  'clip',
  'optimizers',
  'accumulators',
  'averages',
  'wrappers',
  'checkpoint',
  'layers',
  'compile',
  'tfjs',
  'parallel',
  'mpi',
  'tensorboard',
  'metrics',
];
const belowAll = ['checks.ts', 'native.ts', 'options.ts'];
const aboveAll = ['gradstep.ts', 'index.ts', 'internals.ts', 'runtime.ts'];

const files = readdirSync(lib, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
const floorOf = (file: string): string => file.split(/[\\/]/)[0]!;

function importsOf(file: string): string[] {
  const text = readFileSync(join(lib, file), 'utf8');
  return [...text.matchAll(/from '(\.[^']*)'/g)].map(([, path]) => relative(lib, join(lib, dirname(file), path!)));
}

describe('the folders of lib/', () => {
  it('are these, and no more than a handful of files lies beside them', () => {
    const entries = readdirSync(lib, { withFileTypes: true });
    expect(entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)).to.have.members(floors);
    const besides = entries.filter(({ name }) => name.endsWith('.ts')).map(({ name }) => name);
    expect([...belowAll, ...aboveAll]).to.include.members(besides);
  });

  for (const file of files.filter((file) => !aboveAll.includes(file))) {
    it(`import from those below only (${file})`, () => {
      const own = floors.indexOf(floorOf(file));
      const wrong = importsOf(file).filter((path) => {
        const floor = floors.indexOf(floorOf(path));
        return floor < 0 ? !belowAll.includes(`${path}.ts`) : floor > own && own >= 0;
      });
      expect(wrong).to.deep.equal([]);
    });
  }
});
