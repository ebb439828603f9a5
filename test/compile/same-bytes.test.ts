import { expect } from 'chai';
import fc from 'fast-check';
import { runtime } from 'gradstep';
import { bytesOf } from '../support/parity';
import { batchOf, compiled, descriptions, eagerStep, remains, worldOf, type Description, type Found } from './programs';

const numbersOf = ({ loss, norm, applied }: Found): Float64Array => Float64Array.of(loss, norm, applied ? 1 : 0);

function expectSame(description: Description): void {
  const [eager, other] = [worldOf(description), worldOf(description)];
  const run = compiled(other, description);
  for (let step = 0; step < 3; step++) {
    const batch = batchOf(description, step);
    const expected = eagerStep(eager, description, batch);
    const found = run(batch);
    expect(numbersOf(found), `loss, norm, applied of step ${step}`).to.deep.equal(numbersOf(expected));
    expect(bytesOf(remains(other)) === bytesOf(remains(eager)), `variables and slots after step ${step}`).to.equal(
      true,
    );
  }
}

describe('a compiled step', () => {
  it('leaves the bytes of the eager one, whatever the loss, the optimizer and the clipping', function () {
    this.timeout(120_000);
    fc.assert(fc.property(descriptions, expectSame), { numRuns: 400 });
  });

  it('does so on every instruction set and with 1, 2 and 3 threads', function () {
    this.timeout(600_000); // under the sanitizers, on a slow machine
    const { isa, threads } = runtime;
    try {
      for (const name of runtime.availableIsas) {
        for (const count of [1, 2, 3]) {
          runtime.useIsa(name);
          runtime.threads = count;
          const large = descriptions.map((description) => ({ ...description, rows: 64, width: 300 }));
          fc.assert(fc.property(large, expectSame), { numRuns: 4 });
          fc.assert(fc.property(descriptions, expectSame), { numRuns: 20 });
        }
      }
    } finally {
      runtime.useIsa(isa);
      runtime.threads = threads;
    }
  });
});
