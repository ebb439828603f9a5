// A rank of the bench `mpi`. Rank 0 reads what is to be done from its input, a line each, tells the others, and prints the
// seconds that it took the slowest.
import { runtime } from 'gradstep';
import { mpi, type MpiCommunicator } from 'gradstep/mpi';
import { createInterface } from 'node:readline';
import { sharedFloats, workOf, type Work } from './work';

const longestName = 16;

function slowest(communicator: MpiCommunicator, seconds: number): number {
  const all = new Float64Array(communicator.size);
  communicator.allGather(Float64Array.of(seconds), all);
  return Math.max(...all);
}

/** Numbers of calls, and the letters of the work's name. Others than rank 0 wait asleep, as another side may have its turn. */
async function told(communicator: MpiCommunicator, line: string | undefined): Promise<readonly [string, number]> {
  const letters = sharedFloats(1 + longestName);
  if (line !== undefined) {
    const [name = '', calls = ''] = line.split(' ');
    letters.set([Number(calls), ...Array.from(name, (letter) => letter.charCodeAt(0))]);
  }
  await communicator.startAllReduce(letters).whenMade();
  const [calls = 0, ...codes] = letters;
  return [String.fromCharCode(...codes.filter((code) => code > 0)), calls];
}

async function main(): Promise<void> {
  runtime.threads = 1;
  const communicator = await mpi.init();
  const works = new Map<string, Work>();
  const lines = communicator.rank === 0 ? createInterface(process.stdin)[Symbol.asyncIterator]() : null;
  for (;;) {
    const line = await lines?.next();
    const [name, calls] = await told(communicator, line?.done === true ? undefined : line?.value);
    if (calls === 0) break;
    const work = works.get(name) ?? workOf(name, communicator);
    works.set(name, work);
    communicator.barrier();
    const start = process.hrtime.bigint();
    for (let i = 0; i < calls; i++) work.call();
    const seconds = slowest(communicator, Number(process.hrtime.bigint() - start) * 1e-9);
    if (communicator.rank === 0) console.log(JSON.stringify({ seconds, result: work.result() }));
  }
  await communicator.finalize();
}

void main();
