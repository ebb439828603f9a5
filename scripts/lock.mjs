// Two builds at once (two terminals, an editor's task) would write the same objects, so the second one waits.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';

const lock = 'build/lock';

export async function withLock(work) {
  mkdirSync('build', { recursive: true });
  while (!acquired()) await setTimeout(200);
  process.on('exit', () => rmSync(lock, { force: true }));
  work();
}

function acquired() {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    if (!ownerRuns()) rmSync(lock, { force: true });
    return false;
  }
}

function ownerRuns() {
  try {
    const owner = Number(readFileSync(lock, 'utf8'));
    return owner === 0 || process.kill(owner, 0); // 0: created a moment ago, its owner's id not yet written
  } catch (error) {
    return error.code === 'EPERM';
  }
}
