import { binaryFunction, native, unaryFunction, type BinaryFunction, type UnaryFunction } from '../../native';
import { broadcastLayout } from '../../ops/primitives';
import { broadcastShapes, sameShape, sizeOf } from '../../tensor/shape';
import { isFloat32, type Kernel } from './kernel';
import { computed } from './memory';

// TensorFlow.js's loops on WASM are vectors already; on the CPU they call a function for every element, and where shapes
// broadcast they make several arrays for every element.

// Below so many elements TensorFlow.js is done before we have started.
const leastElements = 64;
// It has a fast loop for a row that is added to all rows, without dimensions of size 1.
const leastElementsWithRows = 512;

const unaryKernel = (name: string, compute: (out: Float32Array, x: Float32Array) => void): Kernel => ({
  name,
  backends: ['cpu'],
  run(call, place) {
    const { x } = call.inputs;
    if (!isFloat32(x) || sizeOf(x.shape) < leastElements) return undefined;
    return computed(call, place, [x], x.shape, (out, values) => compute(out, values));
  },
});

const unary = (name: string, f: UnaryFunction): Kernel => {
  const id = unaryFunction[f];
  return unaryKernel(name, (out, x) => native.unary(id, out, x));
};

const step = unaryKernel('Step', (out, x) => {
  native.unary(unaryFunction.relu, out, x);
  native.unary(unaryFunction.sign, out, out);
});

const binary = (name: string, f: BinaryFunction, after?: UnaryFunction): Kernel => {
  const id = binaryFunction[f];
  return {
    name,
    backends: ['cpu'],
    run(call, place) {
      const { a, b } = call.inputs;
      if (!isFloat32(a) || !isFloat32(b)) return undefined;
      const [sizeA, sizeB] = [sizeOf(a.shape), sizeOf(b.shape)];
      if (sizeA < leastElements && sizeB < leastElements) return undefined;
      const isPlain = sameShape(a.shape, b.shape);
      const shape = isPlain ? a.shape : broadcastShapes(a.shape, b.shape);
      if (shape === null) return undefined;
      const size = isPlain ? sizeA : sizeOf(shape);
      const isScalar = (one: number, other: number): boolean => one === 1 && other === size;
      const isVectors = isPlain || isScalar(sizeA, sizeB) || isScalar(sizeB, sizeA);
      if (size === 0 || (!isVectors && size < leastElementsWithRows)) return undefined;
      return computed(call, place, [a, b], shape, (out, left, right) => {
        if (isVectors) native.binary(id, out, left, right);
        else native.binaryBroadcast(id, out, left, right, broadcastLayout(shape, a.shape, b.shape));
        if (after !== undefined) native.unary(unaryFunction[after], out, out);
      });
    },
  };
};

/** Functions of each element, or of two. */
export const elementwise: readonly Kernel[] = [
  unary('Abs', 'abs'),
  unary('Exp', 'exp'),
  unary('Log', 'log'),
  unary('Neg', 'negative'),
  unary('Relu', 'relu'),
  unary('Sigmoid', 'sigmoid'),
  unary('Sqrt', 'sqrt'),
  unary('Square', 'square'),
  unary('Tanh', 'tanh'),
  { ...step, run: (call, place) => (call.attrs['alpha'] === 0 ? step.run(call, place) : undefined) },
  binary('Add', 'add'),
  binary('Maximum', 'maximum'),
  binary('Minimum', 'minimum'),
  binary('Multiply', 'multiply'),
  binary('RealDiv', 'divide'),
  binary('SquaredDifference', 'subtract', 'square'),
  binary('Sub', 'subtract'),
];
