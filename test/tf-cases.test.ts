import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DType } from 'gradstep';
import { runners, waiting } from './support/tf-case-runners';
import { runCase, type TfCase } from './support/tf-cases';

const { cases } = JSON.parse(readFileSync(join(__dirname, 'tf-cases.json'), 'utf8')) as { cases: TfCase[] };

const dtypesOf = ({ tolerance }: TfCase): DType[] => {
  if (tolerance === null) return ['float32', 'float64'];
  return (['float32', 'float64'] as const).filter((dtype) => dtype in tolerance);
};

describe("TensorFlow's own test cases", () => {
  for (const [op, runner] of Object.entries(runners)) {
    describe(op, () => {
      for (const tfCase of cases.filter((tfCase) => tfCase.op === op)) {
        for (const dtype of dtypesOf(tfCase)) {
          it(`${tfCase.name}, ${dtype}`, () => runCase(tfCase, dtype, runner));
        }
      }
    });
  }

  it('all have a runner or wait for one', () => {
    const known = [...Object.keys(runners), ...waiting].sort();
    expect(known).to.deep.equal([...new Set(cases.map(({ op }) => op))].sort());
  });

  it('fail where a runner does not know a field', () => {
    const [tfCase] = cases.filter(({ op }) => op === 'AdamOptimizer');
    const run = (changed: object) => () => runCase({ ...tfCase!, ...changed }, 'float32', runners['AdamOptimizer']!);
    expect(run({})).not.to.throw();
    expect(run({ surprise: 1 })).to.throw('surprise, which is not understood');
    for (const part of ['inputs', 'args', 'expected']) {
      const fields = tfCase![part] as object;
      expect(run({ [part]: { ...fields, surprise: 1 } })).to.throw('surprise, which is not understood');
    }
    const [checkpoint] = (tfCase!['expected'] as { after: object[] }).after;
    expect(run({ expected: { after: [{ ...checkpoint, surprise: 1 }] } })).to.throw('surprise');
  });
});
