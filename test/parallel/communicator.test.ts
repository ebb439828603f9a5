import { expect } from 'chai';
import { partOf, SharedMemoryCommunicator, type CommunicatorHandle } from 'gradstep/parallel';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { lengths, valuesOf } from './support/ranks';
import { hex } from './support/takeover';

interface Outcome {
  readonly result?: readonly Float32Array[];
  readonly error?: string;
  readonly endedRank?: number | null;
}

const started: Worker[] = [];

function start(
  program: string,
  handle: CommunicatorHandle,
  rank: number,
): { worker: Worker; outcome: Promise<Outcome> } {
  const worker = new Worker(join(__dirname, 'support', 'ranks-worker.js'), { workerData: { program, handle, rank } });
  started.push(worker);
  const outcome = new Promise<Outcome>((resolve) => {
    worker.once('message', resolve);
    worker.once('exit', () => resolve({ error: 'ended' }));
  });
  return { worker, outcome };
}

function run(program: string, size: number): Promise<Outcome[]> {
  const handle = SharedMemoryCommunicator.create(size);
  return Promise.all(Array.from({ length: size }, (_, rank) => start(program, handle, rank).outcome));
}

async function results(program: string, size: number): Promise<string[][]> {
  const outcomes = await run(program, size);
  expect(outcomes.map(({ error }) => error)).to.deep.equal(outcomes.map(() => undefined));
  return outcomes.map(({ result }) => result!.map(hex));
}

/** Added in their order. */
function sum(terms: readonly Float32Array[]): Float32Array {
  const total = terms[0]!.slice();
  for (const term of terms.slice(1)) term.forEach((x, i) => (total[i] = total[i]! + x));
  return total;
}

const ranks = (size: number): number[] => Array.from({ length: size }, (_, rank) => rank);

describe('a communicator over shared memory', function () {
  this.timeout(60_000);
  afterEach(() => Promise.all(started.splice(0).map((worker) => worker.terminate())));

  for (const size of [1, 2, 3, 4]) {
    it(`sums in the order of ranks, to the last bit (${size})`, async () => {
      const sums = [
        ...lengths.map((n) => sum(ranks(size).map((rank) => valuesOf(rank, n)))),
        ranks(size)
          .map((rank) => Float64Array.from(valuesOf(rank, 5)))
          .reduce((total, term) => total.map((x, i) => x + term[i]!)),
        sum(ranks(size).map((rank) => valuesOf(rank, 100))).map((x) => x * Math.fround(1 / size)),
      ];
      for (const result of await results('allReduce', size)) expect(result).to.deep.equal(sums.map(hex));
    });

    it(`gives each rank its part of a sum (${size})`, async () => {
      const whole = sum(ranks(size).map((rank) => valuesOf(rank, 1001)));
      const parts = await results('reduceScatter', size);
      expect(parts).to.deep.equal(ranks(size).map((rank) => [hex(whole.subarray(...partOf(1001, rank, size)))]));
    });

    it(`gathers what is of different lengths (${size})`, async () => {
      const expected = [
        Float32Array.from(ranks(size).flatMap((rank) => [...valuesOf(rank, rank)])),
        Int32Array.from(ranks(size), (rank) => -rank),
        BigInt64Array.from(ranks(size).flatMap((rank) => [1n, BigInt(rank)])),
      ].map(hex);
      for (const result of await results('allGather', size)) expect(result).to.deep.equal(expected);
      const [first] = await results('gather', size);
      expect(first).to.deep.equal([hex(Float64Array.from(ranks(size).flatMap((rank) => [rank, rank, rank])))]);
    });

    it(`has calls that are begun first and waited for later (${size})`, async () => {
      const whole = sum(ranks(size).map((rank) => valuesOf(rank, 1001)));
      const all = Float32Array.from(ranks(size).flatMap((rank) => [...valuesOf(rank, 5)]));
      const parts = await results('started', size);
      expect(parts).to.deep.equal(
        ranks(size).map((rank) => [whole, whole.subarray(...partOf(1001, rank, size)), all].map(hex)),
      );
    });

    it(`gives all what one has (${size})`, async () => {
      for (const result of await results('broadcast', size)) {
        expect(result).to.deep.equal([hex(Float32Array.of(size - 1, 5))]);
      }
    });

    it(`serves a thousand times (${size})`, async () => {
      for (const result of await results('a thousand in a row', size)) {
        expect(result).to.deep.equal([hex(Float64Array.of(0))]);
      }
    });
  }

  it('sums any number of terms of each rank, without those that are missing', async () => {
    const size = 3;
    const terms = ranks(size).flatMap((rank) => ranks(rank + 1).map((term) => ({ rank, seed: 10 * rank + term })));
    const factor = Math.fround(1 / terms.length);
    const first = sum(terms.map(({ seed }) => valuesOf(seed, 40_001))).map((x) => x * factor);
    const odd = terms.filter(({ rank }) => rank % 2 === 1);
    const second = sum(odd.map(({ seed }) => valuesOf(seed, 7))).map((x) => x * factor);
    const [, root] = await results('reduce', size);
    expect(root).to.deep.equal([first, second, Float32Array.of(3)].map(hex));
  });

  it('tells all ranks when they do not do the same thing, and goes on', async () => {
    const message = 'RangeError: rank 0 calls allReduce, rank 1 calls barrier';
    expect((await run('something different each', 2)).map(({ error }) => error)).to.deep.equal([message, message]);
    const fault = 'array 0 of rank 1 has 2 elements, expected 1';
    const outcomes = await run('another length each', 2);
    expect(outcomes.map(({ result }) => result)).to.deep.equal([
      [fault, 2],
      [fault, 2, 2],
    ]);
  });

  it('ends the calls of all when one aborts', async () => {
    const aborted = { error: 'CommunicatorAborted: the communicator was aborted: no more data', endedRank: null };
    expect(await run('one aborts', 3)).to.deep.equal([aborted, aborted, aborted]);
  });

  for (const program of ['one throws', 'one leaves']) {
    it(`notices that a thread has ended: ${program}`, async () => {
      const handle = SharedMemoryCommunicator.create(3);
      const members = ranks(3).map((rank) => start(program, handle, rank));
      void members[1]!.outcome.then(() => members[1]!.worker.terminate());
      const [first, , third] = await Promise.all(members.map(({ outcome }) => outcome));
      const aborted = {
        error: 'CommunicatorAborted: the communicator was aborted: the thread of rank 1 has ended',
        endedRank: 1,
      };
      expect([first, third]).to.deep.equal([aborted, aborted]);
    });
  }

  it('lets a thread that waits be terminated, and tells the others', async () => {
    const handle = SharedMemoryCommunicator.create(3);
    const members = [0, 2].map((rank) => start('one never comes', handle, rank));
    await new Promise((resolve) => setTimeout(resolve, 300));
    await members[0]!.worker.terminate();
    expect((await members[1]!.outcome).error).to.match(/^CommunicatorAborted/);
  });

  it('refuses wrong arguments', () => {
    expect(() => SharedMemoryCommunicator.create(0)).to.throw(RangeError, 'size must be a whole number from 1 to 256');
    expect(() => SharedMemoryCommunicator.join({} as never, 0)).to.throw(TypeError, 'handle must be one that');
    const handle = SharedMemoryCommunicator.create(1);
    expect(() => SharedMemoryCommunicator.join(handle, 1)).to.throw(RangeError, 'rank must be a whole number below 1');
    const alone = SharedMemoryCommunicator.join(handle, 0);
    expect(() => alone.allReduce(7 as never)).to.throw(TypeError, 'arrays must be a typed array or a list of them');
    expect(() => alone.allReduce(new Int32Array(1) as never)).to.throw(
      RangeError,
      'array 0 has no floats to be summed',
    );
    expect(() => alone.broadcast(new Uint8Array(1) as never)).to.throw(TypeError, 'arrays must be Float32Arrays');
    expect(() => alone.allGather(new Float32Array(2), new Float32Array(3))).to.throw(RangeError, 'result 0 of rank 0');
    expect(() => alone.broadcast(new Float32Array(2), { root: 1 })).to.throw(RangeError, 'root must be');
    expect(() => alone.allReduce(new Float32Array(2), { reductionType: 'mean' as never })).to.throw(RangeError);
    const shared = new Float32Array(new SharedArrayBuffer(8));
    expect(() => alone.startAllReduce(new Float32Array(2))).to.throw(
      TypeError,
      'arrays must be a typed array over a Sh',
    );
    expect(() => alone.startAllReduce([shared, new Float32Array(2)])).to.throw(TypeError, 'arrays[1] must be a typed');
    expect(() => alone.startReduceScatter(shared, new Float32Array(2))).to.throw(
      TypeError,
      'out must be a typed array',
    );
    expect(() => alone.startAllGather(shared, 7 as never)).to.throw(TypeError, 'out must be a typed array or a list');
    expect(() => alone.startAllReduce(shared, { deterministic: 1 as never })).to.throw(TypeError, 'deterministic must');
    alone.barrier();
    alone.abort('enough');
    expect(() => alone.barrier()).to.throw(Error, 'the communicator was aborted: enough');
  });
});
