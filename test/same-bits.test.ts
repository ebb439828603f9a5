import { expect } from 'chai';
import { runtime } from 'gradstep';
import { expectedHash, trainingHash } from './support/training-hash';

describe('a training of 50 steps', () => {
  const { isa } = runtime;
  afterEach(() => runtime.useIsa(isa));

  for (const name of runtime.availableIsas) {
    it(`leaves the bits that it leaves on every system (${name})`, function () {
      this.timeout(300_000);
      runtime.useIsa(name);
      expect(trainingHash()).to.equal(expectedHash);
    });
  }
});
