import { expect } from 'chai';
import { trainAlone, models } from '../support/models';
import { results } from '../support/together';

describe('a training on several ranks', function () {
  this.timeout(60_000);

  for (const name of Object.keys(models)) {
    for (const size of [1, 2, 3, 4]) {
      it(`has the bytes of one process that averages the same batches (${name}, ${size})`, async () => {
        const alone = trainAlone(name, 8, size);
        for (const rank of await results('trainTogether', size, { model: name, steps: 8 })) {
          expect(rank).to.deep.equal(alone);
        }
      });
    }
  }
});
