import { expect } from 'chai';
import { compile, gradients, ops, tensor, tidy, variable, type Tensor } from 'gradstep';

const w = variable([
  [1, 2],
  [3, 4],
]);

describe('compile', () => {
  it('gives what the function gives, in a tensor of its own for each run', () => {
    const f = ({ x }: { x: Tensor }): Tensor => ops.softmax(ops.matMul(x, w));
    const compiled = compile(f, { inputs: { x: { shape: [1, 2] } } });
    const [a, b] = [Float32Array.of(1, 2), Float32Array.of(-1, 0.5)];
    const [first, second] = [compiled.runSync({ x: a }), compiled.runSync({ x: b })];
    expect(first.shape).to.deep.equal([1, 2]);
    expect(first.data).to.deep.equal(tidy(() => f({ x: tensor(a, [1, 2]) }).data.slice()));
    expect(second.data).to.deep.equal(tidy(() => f({ x: tensor(b, [1, 2]) }).data.slice()));
  });

  it('gives several in the form in which they are returned', () => {
    const inputs = { x: { shape: [2], dtype: 'float64' } } as const;
    const x = Float64Array.of(1, -2);
    const asObject = compile(({ x }) => ({ y: ops.neg(x), x, z: ops.reshape(x, [2, 1]) }), { inputs }).runSync({ x });
    expect([asObject.x.toArray(), asObject.y.toArray(), asObject.z.toArray()]).to.deep.equal([
      [1, -2],
      [-1, 2],
      [[1], [-2]],
    ]);
    const asList = compile(({ x }) => [x, ops.abs(x)], { inputs }).runSync({ x });
    expect(asList.map((one) => one.toArray())).to.deep.equal([
      [1, -2],
      [1, 2],
    ]);
  });

  it('follows gradients of what it is given', () => {
    const inputs = { x: { shape: [1, 2] } } as const;
    const slope = ({ x }: { x: Tensor }): Tensor => gradients(() => ops.tanh(ops.matMul(x, w)), [x])[0] as Tensor;
    const x = Float32Array.of(0.5, -1);
    const expected = [...slope({ x: tensor(x, [1, 2]) }).data];
    expect([...compile(slope, { inputs }).runSync({ x }).data]).to.deep.equal(expected);
  });

  it('reads variables anew', () => {
    const v = variable([1]);
    const compiled = compile(() => ops.mul(v, 2), { inputs: {} });
    v.assign([5]);
    expect(compiled.runSync({}).item()).to.equal(10);
  });

  it('refuses what returns no tensors, and reads values', () => {
    expect(() => compile(() => 1 as never, { inputs: {} })).to.throw(TypeError, 'f must return a Tensor');
    const reads = ({ x }: { x: Tensor }): Tensor => ops.mul(x, x.item());
    expect(() => compile(reads, { inputs: { x: { shape: [] } } })).to.throw('reading values of something');
    expect(() => compile(() => ops.neg(w), {} as never)).to.throw(TypeError, 'inputs must be an object');
  });

  it('takes its memory back in a scope', () => {
    const compiled = compile(({ x }) => ops.neg(x), { inputs: { x: { shape: [2] } } });
    const result = tidy(() => ({ inside: compiled.runSync({ x: new Float32Array(2) }).shape }));
    expect(result.inside).to.deep.equal([2]);
  });
});
