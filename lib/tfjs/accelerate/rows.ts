import { native } from '../../native';
import { runsOf } from '../../ops/primitives';
import { sizeOf, stridesOf } from '../../tensor/shape';
import { isFloat32, type Kernel } from './kernel';
import { copyLayout } from './layout';
import { computed } from './memory';

// Sums, softmax and transposition: TensorFlow.js on the CPU transposes before it sums, element by element.

// Below so many elements TensorFlow.js is done before we have started.
const leastElements = 64;
const leastElementsOfRows = 512; // it has to transpose nothing then

/** Sorted positions, or undefined for what TensorFlow.js has an error for. */
function positionsOf(axis: unknown, rank: number): number[] | undefined {
  if (axis === undefined || axis === null) return Array.from({ length: rank }, (_, d) => d);
  const list = (Array.isArray(axis) ? axis : [axis]) as number[];
  const positions = list.map((d) => (d < 0 ? d + rank : d));
  const isGood = positions.every((d) => Number.isInteger(d) && d >= 0 && d < rank);
  return isGood && new Set(positions).size === positions.length ? positions.sort((a, b) => a - b) : undefined;
}

const reduction = (name: string, isMean: boolean): Kernel => ({
  name,
  backends: ['cpu'],
  run(call, place) {
    const { x } = call.inputs;
    if (!isFloat32(x) || sizeOf(x.shape) < leastElements) return undefined;
    const axes = positionsOf(call.attrs['axis'], x.shape.length);
    if (axes === undefined) return undefined;
    const { form, sizes } = runsOf(x.shape, axes);
    const outer = form.startsWith('k') ? sizes[0] : 1;
    const [reduced, inner] = form.startsWith('k') ? [sizes[1], sizes[2]] : [sizes[0], sizes[1]];
    if (form.endsWith('s') && sizeOf(x.shape) < leastElementsOfRows) return undefined;
    if (!form.includes('s') || form.length > 3 || form.startsWith('sks')) return undefined;
    const scale = isMean ? 1 / reduced : 1;
    const keepDims = call.attrs['keepDims'] === true;
    const shape = keepDims
      ? x.shape.map((size, d) => (axes.includes(d) ? 1 : size))
      : x.shape.filter((_, d) => !axes.includes(d));
    return computed(call, place, [x], shape, (out, values) => native.sum(out, values, outer, reduced, inner, scale));
  },
});

const softmax: Kernel = {
  name: 'Softmax',
  backends: ['cpu'],
  run(call, place) {
    const { logits } = call.inputs;
    if (!isFloat32(logits) || sizeOf(logits.shape) === 0) return undefined;
    const { shape } = logits;
    const dim = call.attrs['dim'];
    if (dim !== -1 && dim !== shape.length - 1) return undefined;
    return computed(call, place, [logits], shape, (out, x) => native.softmax(out, x, shape.at(-1)!));
  },
};

const transpose: Kernel = {
  name: 'Transpose',
  backends: ['cpu'],
  run(call, place) {
    const { x } = call.inputs;
    if (!isFloat32(x) || sizeOf(x.shape) < leastElements) return undefined;
    const perm = call.attrs['perm'] as number[];
    const shape = perm.map((d) => x.shape[d]!);
    const strides = stridesOf(x.shape);
    const layout = copyLayout(
      shape,
      perm.map((d) => strides[d]!),
    );
    return computed(call, place, [x], shape, (out, values) => native.permute(out, values, layout));
  },
};

/** Kernels over rows of matrices, and their transposition. */
export const rows: readonly Kernel[] = [reduction('Sum', false), reduction('Mean', true), softmax, transpose];
