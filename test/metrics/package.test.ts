import { expect } from 'chai';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { Installation, root } from '../support/published';

const script = (load: string): string => `${load}
  const metrics = Metrics.create();
  const training = new TrainingMetrics(Metrics.from(metrics.share()));
  training.observeStep({ loss: 1 });
  console.log(/^gradstep_steps_total .*/m.exec(metrics.text())[0]);`;
const printed = 'gradstep_steps_total 1\n';

describe('gradstep/metrics as it is published', function () {
  this.timeout(60_000);
  let installed: Installation;
  beforeEach(() => (installed = new Installation()));
  afterEach(() => installed.remove());

  it("works with gradstep's entries, whichever is loaded first, and without prom-client", () => {
    for (const entry of ['gradstep', `gradstep/${installed.target}`]) {
      const own = `const { Metrics, TrainingMetrics } = require('gradstep/metrics');`;
      for (const load of [`require('${entry}'); ${own}`, `${own} require('${entry}');`]) {
        expect(installed.run(script(load)).output).to.equal(printed);
      }
    }
  });

  it('can be imported', () => {
    for (const file of ['gradstep-metrics.mjs', 'index.mjs']) {
      cpSync(join(root, 'dist', file), join(installed.library, 'dist', file));
    }
    const load = "import { Metrics, TrainingMetrics } from 'gradstep/metrics';";
    expect(installed.run(script(load), '--input-type=module').output).to.equal(printed);
  });
});
