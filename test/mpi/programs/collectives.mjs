// Every collective with random lengths and kinds of arrays, against plain loops, byte for byte: all ranks know what all bring.
import { mpi, partOf } from 'gradstep/mpi';
import { SharedMemoryCommunicator } from 'gradstep/parallel';

const [seed = '1', rounds = '60'] = process.argv.slice(2);
const communicator = await mpi.init();
const { rank, size } = communicator;
let checks = 0;

/** mulberry32: the same on all ranks. */
let state = Number(seed) >>> 0;
function random() {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const below = (n) => Math.floor(random() * n);
const lengths = [0, 1, 2, 3, 17, 100, 1000, 4097, 30000, 200001];
const anyLength = () => lengths[below(lengths.length)];

function values(Kind, length) {
  const array = new Kind(length);
  if (Kind === BigInt64Array) for (let i = 0; i < length; i++) array[i] = BigInt(below(2 ** 32)) << 20n;
  else if (Kind === Int32Array) for (let i = 0; i < length; i++) array[i] = below(2 ** 32) | 0;
  else for (let i = 0; i < length; i++) array[i] = (random() - 0.5) * 10 ** below(12);
  if (Kind === Float32Array || Kind === Float64Array) {
    if (length > 2 && below(2) === 0) array[below(length)] = NaN;
    if (length > 2) array[0] = -0;
  }
  return array;
}
const bytesOf = (array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength);

function same(got, expected, what) {
  checks++;
  if (Buffer.compare(bytesOf(got), bytesOf(expected)) === 0) return;
  const at = got.findIndex((value, i) => !Object.is(value, expected[i]));
  throw new Error(`${what}: element ${at} of ${got.length} is ${got[at]}, expected ${expected[at]}`);
}

/** What was summed in any order: within what rounding of the terms' sizes can make of it. */
function near(got, expected, terms, what) {
  checks++;
  got.forEach((value, i) => {
    const scale = terms.reduce((most, term) => Math.max(most, Math.abs(term[i])), 1e-30);
    const isNear = Math.abs(value - expected[i]) <= scale * 1e-5 || Object.is(value, expected[i]);
    if (!isNear) throw new Error(`${what} in any order: ${value}, expected ${expected[i]}`);
  });
}

function sum(terms, isMean, count = terms.length) {
  const out = terms[0].slice();
  for (const term of terms.slice(1)) for (let i = 0; i < out.length; i++) out[i] += term[i];
  if (isMean && count > 1) {
    const factor = out.constructor.of(1 / count)[0];
    for (let i = 0; i < out.length; i++) out[i] *= factor;
  }
  return out;
}
const shared = (array) => {
  const copy = new array.constructor(new SharedArrayBuffer(array.byteLength));
  copy.set(array);
  return copy;
};
const each = (f) => Array.from({ length: size }, (_, r) => f(r));
const times = (n, f) => Array.from({ length: n }, (_, i) => f(i));

const tests = {
  async allReduce(isMean) {
    const Kind = below(2) ? Float32Array : Float64Array;
    const counts = times(1 + below(4), anyLength);
    const all = each(() => counts.map((n) => values(Kind, n)));
    const options = isMean ? { reductionType: 'MEAN' } : {};
    const mine = all[rank].map((array) => array.slice());
    communicator.allReduce(mine, options);
    const expected = counts.map((_, i) =>
      sum(
        all.map((arrays) => arrays[i]),
        isMean,
      ),
    );
    mine.forEach((array, i) => same(array, expected[i], `allReduce ${Kind.name}`));
    const begun = all[rank].map(shared);
    const call = communicator.startAllReduce(begun, options);
    if (below(2)) call.wait();
    else await call.whenMade();
    call.wait();
    begun.forEach((array, i) => same(array, expected[i], `startAllReduce ${Kind.name}`));
    const fast = all[rank].map((array) => array.slice());
    communicator.allReduce(fast, { ...options, deterministic: false });
    fast.forEach((array, i) => {
      const terms = all.map((arrays) => arrays[i]);
      near(array, expected[i], terms, 'allReduce');
    });
  },
  async reduceScatter(isMean) {
    const Kind = below(2) ? Float32Array : Float64Array;
    const n = anyLength();
    const all = each(() => values(Kind, n));
    const [start, end] = partOf(n, rank, size);
    const expected = sum(all, isMean).slice(start, end);
    const out = new Kind(end - start);
    const options = { reductionType: isMean ? 'MEAN' : 'SUM' };
    const mine = all[rank].slice();
    communicator.reduceScatter(mine, out, options);
    same(out, expected, 'reduceScatter');
    same(mine, all[rank], 'what reduceScatter was given');
    const later = shared(new Kind(end - start));
    await communicator.startReduceScatter(shared(all[rank]), later, options).whenMade();
    same(later, expected, 'startReduceScatter');
    const terms = all.map((array) => array.slice(start, end));
    communicator.reduceScatter(mine, out.fill(7), { ...options, deterministic: false });
    near(out, expected, terms, 'reduceScatter');
    same(mine, all[rank], 'what reduceScatter was given');
  },
  async gathers() {
    const Kind = [Float32Array, Float64Array, Int32Array, BigInt64Array][below(4)];
    const isEven = below(2) === 0;
    const n = anyLength();
    const all = each(() => values(Kind, isEven ? n : anyLength()));
    const joined = new Kind(all.reduce((total, { length }) => total + length, 0));
    let at = 0;
    for (const array of all) {
      joined.set(array, at);
      at += array.length;
    }
    const out = new Kind(joined.length);
    communicator.allGather(all[rank], out);
    same(out, joined, 'allGather');
    const later = shared(new Kind(joined.length));
    communicator.startAllGather(shared(all[rank]), later).wait();
    same(later, joined, 'startAllGather');
    const root = below(size);
    const there = new Kind(rank === root ? joined.length : 0);
    communicator.gather(all[rank], there, { root });
    if (rank === root) same(there, joined, 'gather');
    const told = all[rank].slice(0, Math.min(...all.map(({ length }) => length)));
    communicator.broadcast(told, { root });
    same(told, all[root].slice(0, told.length), 'broadcast');
  },
  async reduce(isMean) {
    const Kind = below(2) ? Float32Array : Float64Array;
    const counts = times(1 + below(3), anyLength);
    const all = each(() => times(below(4), () => counts.map((n) => (below(4) === 0 ? undefined : values(Kind, n)))));
    const root = below(size);
    const out = counts.map((n) => new Kind(n).fill(3));
    communicator.reduce(all[rank], out, { root, reductionType: isMean ? 'MEAN' : 'SUM' });
    if (rank !== root) return;
    const total = all.reduce((n, terms) => n + terms.length, 0);
    out.forEach((array, i) => {
      const terms = all.flat().flatMap((arrays) => (arrays[i] === undefined ? [] : [arrays[i]]));
      same(array, terms.length === 0 ? new Kind(counts[i]).fill(3) : sum(terms, isMean, total), 'reduce');
    });
  },
};

const names = Object.keys(tests);
for (let round = 0; round < Number(rounds); round++) {
  // Draws differ between ranks in `below` calls that only one makes: each round has a seed of its own.
  state = (Number(seed) * 1000003 + round * 7919) >>> 0;
  await tests[names[below(names.length)]](below(2) === 0);
  communicator.barrier();
}
// One rank of shared memory is what one rank of MPI is.
const alone = SharedMemoryCommunicator.join(SharedMemoryCommunicator.create(1), 0);
const one = Float32Array.of(1, NaN, -0);
alone.allReduce(one, { reductionType: 'MEAN' });
same(one, Float32Array.of(1, NaN, -0), 'one rank');
console.log(`rank ${rank} of ${size}: ${checks} checks`);
