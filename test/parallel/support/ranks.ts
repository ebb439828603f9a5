import { partOf, type Communicator } from 'gradstep/parallel';
import { noise } from './takeover';

// What ranks do together, by name: the same function in each. What it returns is compared with what it should be.

export const lengths = [1, 64, 1000, 40_001];

export const valuesOf = (rank: number, length: number): Float32Array => noise(rank + length, length);

export const programs: Readonly<Record<string, (communicator: Communicator) => unknown>> = {
  allReduce: (communicator) => {
    const arrays = [
      ...lengths.map((n) => valuesOf(communicator.rank, n)),
      Float64Array.from(valuesOf(communicator.rank, 5)),
    ];
    communicator.allReduce(arrays);
    const [mean] = [valuesOf(communicator.rank, 100)];
    communicator.allReduce(mean, { reductionType: 'MEAN' });
    return [...arrays, mean];
  },
  reduce: (communicator) => {
    const { rank } = communicator;
    // Rank r has r + 1 terms; of the second array only odd ranks have something, of the third nobody.
    const terms = Array.from({ length: rank + 1 }, (_, term) => [
      valuesOf(10 * rank + term, 40_001),
      rank % 2 === 1 ? valuesOf(10 * rank + term, 7) : undefined,
      undefined,
    ]);
    const out = [new Float32Array(40_001), new Float32Array(7), Float32Array.of(3)];
    communicator.reduce(terms, rank === 1 ? out : out.map((array) => array.slice()), {
      root: 1,
      reductionType: 'MEAN',
    });
    return rank === 1 ? out : [];
  },
  reduceScatter: (communicator) => {
    const { rank, size } = communicator;
    const [start, end] = partOf(1001, rank, size);
    const out = new Float32Array(end - start);
    communicator.reduceScatter(valuesOf(rank, 1001), out);
    return [out];
  },
  allGather: (communicator) => {
    const { rank, size } = communicator;
    const total = (size * (size - 1)) / 2;
    const out = [new Float32Array(total), new Int32Array(size), new BigInt64Array(2 * size)];
    communicator.allGather([valuesOf(rank, rank), Int32Array.of(-rank), BigInt64Array.of(1n, BigInt(rank))], out);
    return out;
  },
  started: (communicator) => {
    const { rank, size } = communicator;
    const shared = (array: Float32Array): Float32Array => {
      const copy = new Float32Array(new SharedArrayBuffer(array.byteLength));
      copy.set(array);
      return copy;
    };
    const sum = shared(valuesOf(rank, 1001));
    const terms = shared(valuesOf(rank, 1001));
    const [start, end] = partOf(1001, rank, size);
    const part = shared(new Float32Array(end - start));
    const all = shared(new Float32Array(size * 5));
    const calls = [
      communicator.startAllReduce(sum),
      communicator.startReduceScatter([terms], [part]),
      communicator.startAllGather(shared(valuesOf(rank, 5)), all),
    ];
    for (const call of calls) call.wait();
    for (const call of calls) call.wait(); // it has been made
    return [sum, part, all];
  },
  gather: (communicator) => {
    const { rank, size } = communicator;
    const out = rank === 0 ? [new Float64Array(3 * size)] : [];
    communicator.gather(Float64Array.of(rank, rank, rank), out);
    return out;
  },
  broadcast: (communicator) => {
    const array = Float32Array.of(communicator.rank, 5);
    communicator.broadcast(array, { root: communicator.size - 1 });
    return [array];
  },
  'a thousand in a row': (communicator) => {
    const { rank, size } = communicator;
    const counter = Float64Array.of(rank);
    for (let i = 0; i < 1000; i++) {
      communicator.allReduce(counter, { reductionType: 'MEAN' });
      if (i % 7 === rank) communicator.barrier();
      else communicator.barrier();
    }
    return [Float64Array.of(counter[0]! - (size - 1) / 2)];
  },
  'something different each': (communicator) => {
    if (communicator.rank === 1) communicator.barrier();
    else communicator.allReduce(Float32Array.of(1));
    return [];
  },
  'another length each': (communicator) => {
    const array = new Float32Array(communicator.rank + 1).fill(2);
    try {
      communicator.allReduce(array);
      return 'done';
    } catch (error) {
      communicator.barrier(); // they still meet
      return [(error as Error).message, ...array];
    }
  },
  'one aborts': (communicator) => {
    if (communicator.rank === 0) communicator.abort('no more data');
    communicator.barrier();
    return 'done';
  },
  'one throws': (communicator) => {
    if (communicator.rank === 1) throw new Error('out of luck');
    communicator.allReduce(Float32Array.of(1));
    return 'done';
  },
  'one leaves': (communicator) => {
    if (communicator.rank === 1) process.exit();
    communicator.allReduce(Float32Array.of(1));
    return 'done';
  },
  'one never comes': (communicator) => {
    if (communicator.rank === 1) for (;;);
    communicator.allReduce(Float32Array.of(1));
    return 'done';
  },
};
