import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { hostileHeaders, type takenBy } from '../support/hostile-header';

const program = join(__dirname, '..', 'support', 'hostile-header.js');
const megabytes = 24;
/** What the engine and its collector take while strings of a few bytes come and go. */
const forTheEngine = 60;

describe('a header that is made to take memory', function () {
  this.timeout(60_000);

  for (const name of Object.keys(hostileHeaders)) {
    it(`takes about twice its own length, be it of ${name}`, () => {
      const child = spawnSync(process.execPath, [program, String(megabytes), name], { encoding: 'utf8' });
      expect(child.stderr).to.equal('');
      const { taken } = JSON.parse(child.stdout) as ReturnType<typeof takenBy>;
      expect(taken / 1e6).to.be.below(2.2 * megabytes + forTheEngine);
    });
  }
});
