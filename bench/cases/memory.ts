import { getHeapStatistics } from 'node:v8';
import type { Case } from '../bench';
import { collectGarbage } from '../gc';
import { mnistStep } from '../mnist';
import { spreadOf } from '../statistics';

/** JavaScript objects made per call: how far the heap grows, in stretches of calls without a collection. */
function heapBytesPerCall(work: () => void): number {
  const calls = 20;
  const samples = Array.from({ length: 100 }, () => {
    const before = getHeapStatistics().used_heap_size;
    for (let i = 0; i < calls; i++) work();
    return (getHeapStatistics().used_heap_size - before) / calls;
  });
  return spreadOf(samples.filter((bytes) => bytes > 0)).median; // a collection shrinks the heap
}

function arrayBytes(): number {
  const { arrayBuffers, external } = process.memoryUsage();
  return Math.max(arrayBuffers, external);
}

/** How far the memory of arrays rises above where it starts, at any time on the way. */
function arrayBytesAdded(work: () => void, calls: number): number {
  collectGarbage();
  const before = arrayBytes();
  let most = before;
  for (let i = 0; i < calls; i++) {
    work();
    if (i % 10 === 0) most = Math.max(most, arrayBytes());
  }
  return most - before;
}

export const memory: Case = {
  name: 'memory',
  about: 'what a training loop allocates once it runs',
  run(bench) {
    const step = mnistStep();
    for (let i = 0; i < 2000; i++) step(); // until the engine has compiled all of it
    bench.measure('memory heap per MNIST step', () => ({ value: heapBytesPerCall(step), unit: 'B', atMost: 20e3 }));
    const steps = bench.isQuick ? 1000 : 10_000;
    bench.measure(`memory array bytes that ${steps.toLocaleString('en-US')} MNIST steps add`, () => ({
      value: arrayBytesAdded(step, steps),
      unit: 'B',
      atMost: 16 << 10, // Node itself keeps a few kilobytes of external memory, more or less
    }));
    return Promise.resolve();
  },
};
