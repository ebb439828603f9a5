import { expect } from 'chai';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { Installation, root } from '../support/published';

const program = `
  const { readdirSync } = require('fs');
  const w = gradstep.variable([1, 2], { name: 'w' });
  const writer = new SummaryWriter('runs' + process.pid);
  writer.variables([w], 1);
  writer.scalar('loss', gradstep.tensor([3]), 1);
  writer.close().then(async () => {
    const tags = [];
    for await (const { values } of readEvents(writer.path)) tags.push(...values.map(({ tag }) => tag));
    console.log(tags.join(), readdirSync('runs' + process.pid).length);
  });`;
const printed = 'variables/w,loss 1\n';

describe('gradstep/tensorboard as it is published', function () {
  this.timeout(60_000);
  let installed: Installation;
  beforeEach(() => (installed = new Installation()));
  afterEach(() => installed.remove());

  it("takes variables of gradstep's entries, whichever is loaded first", () => {
    for (const entry of ['gradstep', `gradstep/${installed.target}`]) {
      const [library, own] = [`const gradstep = require('${entry}');`, `require('gradstep/tensorboard')`];
      const names = `const { readEvents, SummaryWriter } = ${own};`;
      for (const script of [library + names, names + library]) {
        const { output } = installed.run(script + program);
        expect(output).to.equal(printed);
      }
    }
  });

  it('can be imported', () => {
    for (const file of ['gradstep-tensorboard.mjs', 'index.mjs']) {
      cpSync(join(root, 'dist', file), join(installed.library, 'dist', file));
    }
    const script = `import * as gradstep from 'gradstep'; import { readEvents, SummaryWriter } from 'gradstep/tensorboard';
      import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);${program}`;
    expect(installed.run(script, '--input-type=module').output).to.equal(printed);
  });
});
