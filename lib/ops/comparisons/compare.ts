import { toAnyTensor, type TensorLike } from '../../autodiff/tape';
import { newArray } from '../../tensor/arrays';
import { isFloat, type TensorDType } from '../../tensor/dtype';
import { broadcastShapes, showShape, type Shape } from '../../tensor/shape';
import { alias, type AnyTensor, type BoolTensor, type Tensor } from '../../tensor/tensor';
import { binary, castTo, unary } from '../primitives';
import { checkMask, selected } from '../shapes/where';

/** What comparisons take: floats, or whole numbers and what is true or false. */
export type Comparable = TensorLike | AnyTensor;

type Comparison = 'equal' | 'notEqual' | 'less' | 'lessEqual' | 'greater' | 'greaterEqual';

/** Where a comparison of x and y, which broadcast, holds. @throws TypeError for different dtypes. */
export function compared(f: Comparison, x: Comparable, y: Comparable): BoolTensor {
  const [a, b] = [input('x', x, y), input('y', y, x)];
  if (a.dtype !== b.dtype && typeof x !== 'number' && typeof y !== 'number') {
    throw new TypeError(`x is ${a.dtype} and y is ${b.dtype}; they must be the same`);
  }
  return castTo(binary(f, asFloats(a), asFloats(b)), 'bool');
}

function input(name: string, own: Comparable, other: Comparable): AnyTensor {
  if (typeof own !== 'number') return toAnyTensor<TensorDType>(name, own);
  const dtype: TensorDType = typeof other === 'number' ? 'float32' : toAnyTensor<TensorDType>(name, other).dtype;
  return toAnyTensor<TensorDType>(name, own, isFloat(dtype) ? dtype : 'float64');
}

/** What is no float, as float64, which has all of it. */
const asFloats = (x: AnyTensor): Tensor => (isFloat(x.dtype) ? (x as Tensor) : castTo(x, 'float64'));

/** Where f(x) compares like that with a number; of what is no float each element is finite. */
export function classified(x: Comparable, absolute: boolean, f: Comparison, limit: number | null): BoolTensor {
  const floats = asFloats(toAnyTensor<TensorDType>('x', x));
  const value = absolute ? unary('abs', floats) : floats;
  const other = limit === null ? value : (toAnyTensor<TensorDType>('limit', limit, floats.dtype) as Tensor);
  return castTo(binary(f, value, other), 'bool');
}

/** A value of bool as a tensor without dimensions. */
export const constant = (value: boolean): BoolTensor => alias(newArray('bool', 1).fill(Number(value)), 'bool', []);

/** Two tensors of bool and the shape to which they broadcast. @throws TypeError for others, RangeError for other shapes. */
export function masks(x: BoolTensor, y: BoolTensor): Shape {
  checkMask('x', x);
  checkMask('y', y);
  const shape = broadcastShapes(x.shape, y.shape);
  if (shape !== null) return shape;
  throw new RangeError(`x has shape ${showShape(x.shape)}, y has shape ${showShape(y.shape)}: they do not broadcast`);
}

/** Not x. */
export const inverted = (x: BoolTensor): BoolTensor => selected(x, constant(false), constant(true), x.shape);
