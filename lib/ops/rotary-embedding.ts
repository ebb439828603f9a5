import { allocate } from '../autodiff/scope';
import { record, toTensor, type TensorLike } from '../autodiff/tape';
import { checkBoolean, checkRange } from '../checks';
import { checkOptions, type NamesOf } from '../options';
import { newArray } from '../tensor/arrays';
import type { DType, FloatArray } from '../tensor/dtype';
import { showShape, sizeOf } from '../tensor/shape';
import type { Tensor } from '../tensor/tensor';
import { kernels } from '../tensor/trace';

export interface RotaryEmbeddingOptions {
  /** The first pair turns by 1 for each token, the last almost by 1 / base. Default: 10000. */
  base?: number;
  /** The position of the first token. Default: 0. */
  offset?: number;
  /** How many of a token's first elements turn, an even number. Default: all. */
  rotatedDims?: number;
  /** Whether pairs are neighbours (0, 1), (2, 3), ...; else an element of the first half and one of the second. Default: false. */
  interleaved?: boolean;
  /** Which dimension has the tokens; a negative one counts from the end. Default: -2. */
  tokenAxis?: number;
}

const names: NamesOf<RotaryEmbeddingOptions> = {
  base: true,
  offset: true,
  rotatedDims: true,
  interleaved: true,
  tokenAxis: true,
};

/**
 * Rotary position embedding: of the token at position p, pair i of its d elements (a, b) is turned by the angle
 * θ = p base^(-2 i / d): (a cos θ - b sin θ, b cos θ + a sin θ). So the product of a query and a key depends on how far they
 * are apart.
 *
 * Gradient: dy turned back, by -θ.
 *
 * @param x [..., tokens, depth], or with `tokenAxis` -3 [..., tokens, heads, depth].
 * @returns a tensor of x's shape and dtype.
 * @throws TypeError for arguments of a wrong kind, RangeError for a number out of range, an odd depth or a dimension that x
 * does not have.
 * Source: Su, Lu, Pan, Murtadha, Wen, Liu: "RoFormer: Enhanced transformer with rotary position embedding", 2021.
 */
export function rotaryEmbedding(x: TensorLike, options: RotaryEmbeddingOptions = {}): Tensor {
  checkOptions('options', options, names);
  const { base = 10000, offset = 0, interleaved = false, tokenAxis = -2 } = options;
  checkRange('base', base, 'a positive number', (value) => value > 0 && value < Infinity);
  checkRange('offset', offset, 'a whole number', Number.isSafeInteger);
  checkBoolean('interleaved', interleaved);
  const input = toTensor('x', x);
  const { shape } = input;
  const rank = shape.length;
  if (rank < 2) throw new RangeError(`x has shape ${showShape(shape)}, expected [..., tokens, depth]`);
  checkRange(
    'tokenAxis',
    tokenAxis,
    `a dimension of x before its last, whose shape is ${showShape(shape)}`,
    (value) => Number.isInteger(value) && value >= -rank && value < rank - 1 && value !== -1,
  );
  const depth = shape[rank - 1]!;
  const { rotatedDims: rotated = depth } = options;
  checkRange('rotatedDims', rotated, `an even number up to x's depth ${depth}`, (value) => {
    return Number.isInteger(value) && value >= 0 && value <= depth && value % 2 === 0;
  });
  const axis = tokenAxis < 0 ? tokenAxis + rank : tokenAxis;
  const sizes = [sizeOf(shape.slice(0, axis)), shape[axis]!, sizeOf(shape.slice(axis + 1, -1)), depth, rotated];
  const { cosines, sines } = angles(input.dtype, shape[axis]!, rotated, base, offset);
  const turned = (from: Tensor, isBackward: boolean): Tensor => {
    const out = allocate(from.dtype, from.shape, from.size);
    const option = Number(interleaved) + 2 * Number(isBackward);
    if (out.size > 0)
      kernels.task('rotate', from.dtype, [out.operand, from.operand, cosines, sines], { option, sizes });
    return out;
  };
  return record([input], turned(input, false), (dy) => [turned(dy, true)]);
}

interface Angles {
  readonly cosines: FloatArray;
  readonly sines: FloatArray;
}

// The same for every layer of a model, forward and back.
const known = new Map<string, Angles>();
const mostKnown = 16;

function angles(dtype: DType, tokens: number, rotated: number, base: number, offset: number): Angles {
  const key = [dtype, tokens, rotated, base, offset].join();
  const found = known.get(key);
  if (found !== undefined) return found;
  const pairs = rotated / 2;
  const [cosines, sines] = [newArray(dtype, tokens * pairs), newArray(dtype, tokens * pairs)];
  for (let token = 0; token < tokens; token++) {
    for (let i = 0; i < pairs; i++) {
      const angle = (token + offset) * base ** ((-2 * i) / rotated);
      cosines[token * pairs + i] = Math.cos(angle);
      sines[token * pairs + i] = Math.sin(angle);
    }
  }
  if (known.size === mostKnown) known.clear();
  known.set(key, { cosines, sines });
  return { cosines, sines };
}
