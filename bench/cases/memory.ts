import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Case } from '../bench';
import { mnistStep } from '../mnist';
import { spreadOf } from '../statistics';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** JavaScript objects made per call: how far the heap grows between two collections. */
function heapBytesPerCall(work: () => void): number {
  const calls = 20; // well under what the young generation holds, so no collection takes place in between
  const samples = Array.from({ length: 25 }, () => {
    collectGarbage();
    const before = getHeapStatistics().used_heap_size;
    for (let i = 0; i < calls; i++) work();
    return (getHeapStatistics().used_heap_size - before) / calls;
  });
  return spreadOf(samples).median;
}

function arrayBytes(): number {
  const { arrayBuffers, external } = process.memoryUsage();
  return Math.max(arrayBuffers, external);
}

export const memory: Case = {
  name: 'memory',
  about: 'what a training loop allocates once it runs',
  run(bench) {
    const step = mnistStep();
    for (let i = 0; i < 200; i++) step();
    bench.measure({ id: 'memory heap per MNIST step', value: heapBytesPerCall(step), unit: 'B', atMost: 20 << 10 });
    const steps = bench.isQuick ? 500 : 10_000;
    collectGarbage();
    const before = arrayBytes();
    let most = before;
    for (let i = 0; i < steps; i++) {
      step();
      if (i % 10 === 0) most = Math.max(most, arrayBytes());
    }
    const id = `memory array bytes that ${steps.toLocaleString('en-US')} MNIST steps add`;
    // Node itself keeps a few kilobytes of external memory, more or less.
    bench.measure({ id, value: most - before, unit: 'B', atMost: 16 << 10 });
    return Promise.resolve();
  },
};
