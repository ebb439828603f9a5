import { expect } from 'chai';
import fc from 'fast-check';
import * as tfjs from 'gradstep/tfjs';
import { describeOnBackends, type Tensor } from './tf';

type Maybe = Tensor | null | undefined;
type Shared = <T>(tensors: T, clipNorm: number, options?: object) => [T, Tensor];
type One = (tensor: Tensor, clipNorm: number, options?: object) => Tensor;

const clipByGlobalNorm = tfjs.clipByGlobalNorm as unknown as Shared;
const clipByNorm = tfjs.clipByNorm as unknown as One;
const clipByAverageNorm = tfjs.clipByAverageNorm as unknown as One;
const globalNorm = tfjs.globalNorm as unknown as (tensors: readonly Maybe[]) => Tensor;

const normOf = (lists: readonly (readonly number[])[]): number => Math.hypot(...lists.flat());

const lists = fc.array(fc.array(fc.integer({ min: -99, max: 99 }), { maxLength: 70 }), { maxLength: 4 });

describeOnBackends('clipping of tensors', (tf) => {
  const valuesOf = (tensor: Maybe): number[] => [...tensor!.dataSync()];
  const tensorsOf = (values: readonly number[][]): Tensor[] => values.map((list) => tf.tensor(list, [list.length]));
  const expectClose = (tensor: Maybe, expected: readonly number[]): void => {
    const values = valuesOf(tensor);
    expect(values.length).to.equal(expected.length);
    values.forEach((value, i) => expect(value).to.be.closeTo(expected[i]!, 1e-5 * (1 + Math.abs(expected[i]!))));
  };

  it('multiplies all by clipNorm / norm where the norm is larger, and returns the norm', () => {
    const property = fc.property(lists, fc.integer({ min: 0, max: 200 }), (values, clipNorm) => {
      const norm = normOf(values);
      const factor = norm > clipNorm ? clipNorm / norm : 1;
      const tensors = tensorsOf(values);
      const [clipped, returned] = clipByGlobalNorm(tensors, clipNorm);
      expectClose(returned, [norm]);
      expectClose(globalNorm(tensors), [norm]);
      expect(returned.shape).to.deep.equal([]);
      values.forEach((list, i) => {
        expectClose(
          clipped[i],
          list.map((value) => value * factor),
        );
        expect(valuesOf(tensors[i])).to.deep.equal(list);
      });
    });
    fc.assert(property, { numRuns: 50 });
  });

  it('clips one by its norm, or by its norm divided by its size', () => {
    const property = fc.property(lists, fc.integer({ min: 0, max: 200 }), (values, clipNorm) => {
      for (const list of values) {
        const [tensor] = tensorsOf([list]);
        const clipped = (norm: number): number[] => list.map((v) => (norm > clipNorm ? (v * clipNorm) / norm : v));
        expectClose(clipByNorm(tensor!, clipNorm), clipped(normOf([list])));
        expectClose(clipByAverageNorm(tensor!, clipNorm), clipped(normOf([list]) / list.length));
      }
    });
    fc.assert(property, { numRuns: 50 });
  });

  it('leaves null and undefined where they are', () => {
    const [[none, clipped, missing], norm] = clipByGlobalNorm<Maybe[]>([null, tf.tensor([3, 4]), undefined], 1);
    expect([none, missing]).to.deep.equal([null, undefined]);
    expectClose(clipped, [0.6, 0.8]);
    expectClose(norm, [5]);
    const [nothing, zero] = clipByGlobalNorm<Maybe[]>([null], 1);
    expect(nothing).to.deep.equal([null]);
    expectClose(zero, [0]);
    expectClose(clipByGlobalNorm([], 1)[1], [0]);
    expectClose(globalNorm([undefined, null]), [0]);
  });

  it('makes all NaN where the norm of all is NaN or infinite', () => {
    for (const bad of [NaN, Infinity, -Infinity]) {
      const [clipped, norm] = clipByGlobalNorm([tf.tensor([1, 2]), tf.tensor([bad, 0])], 1);
      expect(clipped.flatMap(valuesOf)).to.deep.equal([NaN, NaN, NaN, NaN]);
      expect(valuesOf(norm)).to.deep.equal([Math.abs(bad)]);
    }
  });

  it('keeps the others finite where the norm of one is infinite', () => {
    expect(valuesOf(clipByNorm(tf.tensor([1, Infinity]), 1))).to.deep.equal([0, NaN]);
    expect(valuesOf(clipByNorm(tf.tensor([1, NaN]), 1))).to.deep.equal([NaN, NaN]);
    expect(valuesOf(clipByAverageNorm(tf.tensor([1, NaN]), 1))).to.deep.equal([NaN, NaN]);
  });

  it('takes norms that are too large for float32 as infinite only where they are', () => {
    const [clipped, norm] = clipByGlobalNorm([tf.tensor([3e38, 3e38])], 1);
    expect(valuesOf(norm)).to.deep.equal([Infinity]); // 4.2e38 is no float32
    expectClose(clipped[0], [Math.SQRT1_2, Math.SQRT1_2]);
  });

  it('clips what has no elements', () => {
    const empty = tf.tensor([], [0, 3]);
    for (const clipped of [clipByNorm(empty, 1), clipByAverageNorm(empty, 1), clipByGlobalNorm([empty], 1)[0][0]!]) {
      expect([clipped.shape, valuesOf(clipped)]).to.deep.equal([[0, 3], []]);
    }
    expectClose(globalNorm([empty, tf.tensor([3, 4])]), [5]);
  });

  it('believes useNorm, a number or a scalar', () => {
    for (const useNorm of [10, tf.scalar(10)]) {
      const [clipped, norm] = clipByGlobalNorm([tf.tensor([3, 4])], 1, { useNorm });
      expectClose(clipped[0], [0.3, 0.4]);
      expectClose(norm, [10]);
    }
    expectClose(clipByGlobalNorm([tf.tensor([3, 4])], 1, { useNorm: 0.5 })[0][0], [3, 4]);
    for (const useNorm of [NaN, Infinity, tf.scalar(NaN)]) {
      expect(valuesOf(clipByGlobalNorm([tf.tensor([3, 4])], 1, { useNorm })[0][0])).to.deep.equal([NaN, NaN]);
    }
    const [clipped] = clipByGlobalNorm([tf.tensor([3, 4])], 1, { useNorm: globalNorm([tf.tensor([30, 40])]) });
    expectClose(clipped[0], [0.06, 0.08]);
  });

  it('returns tensors of their own, and makes no others', () => {
    const tensors = [tf.tensor([3, 4]), tf.tensor([0.1, 0.1])];
    const { numTensors } = tf.memory();
    const [clipped, norm] = clipByGlobalNorm(tensors, 100);
    const others = [
      ...clipped,
      norm,
      globalNorm(tensors),
      clipByNorm(tensors[0]!, 1),
      clipByAverageNorm(tensors[0]!, 1),
    ];
    expect(tf.memory().numTensors).to.equal(numTensors + 6);
    tf.dispose(tensors);
    expectClose(clipped[0], [3, 4]);
    tf.dispose(others);
    expect(tf.memory().numTensors).to.equal(numTensors - 2);
  });

  it('clips variables, which stay as they are', () => {
    const v = tf.variable(tf.tensor([3, 4]));
    const optimizer = tfjs.sgd({ learningRate: 1 });
    optimizer.applyGradients({ [v.name]: tf.tensor([0, 0]) });
    const clipped = clipByNorm(v, 1);
    const same = clipByNorm(v, 10);
    optimizer.applyGradients({ [v.name]: tf.tensor([1, 1]) });
    expectClose(clipped, [0.6, 0.8]);
    expectClose(same, [3, 4]);
    expectClose(v, [2, 3]);
    v.dispose();
  });

  it('is what the option of an optimizer does', () => {
    const values = [
      [3, -4, 1],
      [0.5, 12],
    ];
    for (const option of ['clipNorm', 'globalClipNorm'] as const) {
      const variables = values.map((list) => tf.variable(tf.zeros([list.length])));
      const optimizer = tfjs.sgd({ learningRate: 1, [option]: 2 });
      const gradients = tensorsOf(values);
      const byName = Object.fromEntries(variables.map(({ name }, i) => [name, gradients[i]]));
      optimizer.applyGradients(byName);
      const clipped =
        option === 'clipNorm' ? gradients.map((g) => clipByNorm(g, 2)) : clipByGlobalNorm(gradients, 2)[0];
      variables.forEach((v, i) =>
        expectClose(
          v,
          valuesOf(clipped[i]).map((x) => -x),
        ),
      );
      tf.dispose(variables);
    }
  });

  it('refuses what it cannot clip, and changes nothing then', () => {
    const good = tf.tensor([3, 4]);
    const gone = tf.tensor([1]);
    gone.dispose();
    const { numTensors } = tf.memory();
    for (const clipNorm of [-1, NaN, '1', null, undefined]) {
      expect(() => clipByGlobalNorm([good], clipNorm as number), String(clipNorm)).to.throw(/clipNorm must be/);
    }
    expect(() => clipByGlobalNorm([good, gone], 1)).to.throw(Error, /disposed/);
    expect(() => clipByGlobalNorm(good as never, 1)).to.throw(TypeError, /tensors must be an array/);
    expect(() => globalNorm([[3, 4] as never])).to.throw(TypeError, /float32/);
    for (const useNorm of ['5', null, {}, gone, good]) {
      expect(() => clipByGlobalNorm([good], 1, { useNorm })).to.throw(
        TypeError,
        /useNorm must be a number or a scalar/,
      );
    }
    expect(tf.memory().numTensors).to.equal(numTensors);
    const int = tf.tensor([1, 2], [2], 'int32');
    expect(() => clipByGlobalNorm([good, int], 1)).to.throw(TypeError, /float32, got int32/);
    expect(() => tf.grads((x) => tf.sum(clipByNorm(x, 1)))([good])).to.throw(Error, /clipping has no gradient/);
  });
});
