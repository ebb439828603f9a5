import { expect } from 'chai';
import fc from 'fast-check';
import {
  AdamOptimizer,
  clipByGlobalNorm,
  gradients,
  keep,
  ops,
  tensor,
  Variable,
  variable,
  type Tensor,
} from 'gradstep';
import { native } from '../../lib/native';

const isAligned = ({ data }: Tensor | Variable): boolean => native.addressOf(data) % 64 === 0;

describe('every array that the library allocates', () => {
  const lengths = fc.oneof(
    fc.integer({ min: 1, max: 5000 }),
    fc.constantFrom(1, 16, 64, 1023, 1024, 1025, 16384, 262144),
  );

  it('starts on a cache line: variables, tensors, slots, gradients, results', () => {
    fc.assert(
      fc.property(lengths, fc.constantFrom('float32' as const, 'float64' as const), (length, dtype) => {
        const w = variable(new Float32Array(length).fill(0.5), { dtype });
        const optimizer = new AdamOptimizer();
        const gradsAndVars = optimizer.computeGradients(() => ops.l2Loss(w));
        const [clipped] = clipByGlobalNorm(gradsAndVars, 1e-3);
        optimizer.applyGradients(clipped);
        const slots = ['m', 'v'].map((name) => optimizer.getSlot(w, name)!);
        const results = [tensor(w.data), ops.square(w), ops.softmax(w), gradients(() => ops.exp(w), [w])[0] as Tensor];
        const all = [w, ...slots, gradsAndVars[0]![0] as Tensor, clipped[0]![0] as Tensor, ...results];
        expect(all.map(isAligned)).to.deep.equal(all.map(() => true));
      }),
      { numRuns: 60 },
    );
  });

  it('starts there also for thousands of small variables, whose slots lie together', () => {
    const variables = Array.from({ length: 1000 }, (_, i) => variable(new Float32Array(1 + (i % 50))));
    const optimizer = new AdamOptimizer();
    optimizer.createSlots(variables);
    expect([...variables, ...optimizer.variables()].filter((v) => v.size > 1 && !isAligned(v))).to.deep.equal([]);
  });

  it('is as large as it says, and starts where its buffer does from 4 KiB on', () => {
    for (const length of [1024, 1025, 100_000]) {
      const { data } = variable(new Float32Array(length));
      expect({ offset: data.byteOffset, bytes: data.buffer.byteLength }).to.deep.equal({
        offset: 0,
        bytes: 4 * length,
      });
      expect(data.buffer).to.be.instanceOf(SharedArrayBuffer);
    }
  });
});

describe('an array of the caller', () => {
  it('is asked of the engine: an own length, buffer or offset is not believed', () => {
    const lying = Float32Array.of(3, 4);
    for (const name of ['length', 'byteLength', 'byteOffset']) Object.defineProperty(lying, name, { value: 2 ** 28 });
    Object.defineProperty(lying, 'buffer', { value: new ArrayBuffer(2 ** 20) });
    expect(tensor(lying).shape).to.deep.equal([2]);
    const v = Variable.over(lying);
    expect(v.size).to.equal(2);
    new AdamOptimizer({ learningRate: 1, epsilon: 0 }).applyGradients([[lying, variable([0, 0])]]);
    expect(clipByGlobalNorm([lying], 10)[1]).to.equal(5);
  });

  it('may come from another realm', async () => {
    const { runInNewContext } = await import('node:vm');
    const foreign = runInNewContext('Float32Array.of(3, 4)') as Float32Array;
    expect(clipByGlobalNorm([foreign], 10)[1]).to.equal(5);
    expect(keep(ops.square(foreign)).toArray()).to.deep.equal([9, 16]);
  });
});
