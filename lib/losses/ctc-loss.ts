import { allocate } from '../autodiff/scope';
import { record, toTensor, type TensorLike } from '../autodiff/tape';
import { checkBoolean } from '../checks';
import { checkOptions, type NamesOf } from '../options';
import { transpose } from '../ops';
import { binary, reshaped } from '../ops/primitives';
import type { IndicesLike } from '../tensor/indexed-slices';
import { showShape } from '../tensor/shape';
import type { Tensor } from '../tensor/tensor';
import { kernels } from '../tensor/trace';
import { asTensor, knownLengths, labelsOf, lengthsOf } from './sequences';

export interface CtcLossOptions {
  /** How many times each sequence has, of those that there are. Default: all. */
  sequenceLength?: IndicesLike;
  /** Whether labels that repeat are one before anything else. Default: false. */
  preprocessCollapseRepeated?: boolean;
  /** Whether a class that is read off at several times on end is one label. Default: true. */
  ctcMergeRepeated?: boolean;
  /**
   * Whether a sequence with more labels than times has the loss 0 and no gradient, rather than being refused.
   * Default: false.
   */
  ignoreLongerOutputsThanInputs?: boolean;
  /** Whether logits are [times, batch, classes], or [batch, times, classes]. Default: true. */
  timeMajor?: boolean;
}

const ctcNames: NamesOf<CtcLossOptions> = {
  sequenceLength: true,
  preprocessCollapseRepeated: true,
  ctcMergeRepeated: true,
  ignoreLongerOutputsThanInputs: true,
  timeMajor: true,
};

/**
 * Connectionist temporal classification: -ln of the probability that the labels are read off softmax(logits), whatever time
 * each takes and however many blanks, the last class, lie between them. Added up in double precision.
 *
 * Gradient: softmax(logits), less the share that readings through a class at a time have of all, times the sequence's
 * gradient. Where there is no such reading the loss is Infinity, and its gradient softmax(logits).
 *
 * @param labels for each sequence a list of classes, which may be empty; or all of them as one list or int32 tensor
 * [batch, width], each filled up with blanks.
 * @param logits [times, batch, classes]: logarithms of the odds, not normalized.
 * @returns [batch]
 * @throws TypeError for arguments of a wrong kind, RangeError for a label that is no class, a number of lists or labels that
 * does not fit, a sequence that is longer than there are times or shorter than its labels, or logits of another rank.
 * Source: `tf.nn.ctc_loss`; Graves et al. 2006.
 */
export function ctcLoss(
  labels: IndicesLike | readonly IndicesLike[],
  logits: TensorLike,
  options: CtcLossOptions = {},
): Tensor {
  checkOptions('options', options, ctcNames);
  const {
    sequenceLength,
    preprocessCollapseRepeated = false,
    ctcMergeRepeated = true,
    ignoreLongerOutputsThanInputs = false,
    timeMajor = true,
  } = options;
  checkBoolean('preprocessCollapseRepeated', preprocessCollapseRepeated);
  checkBoolean('ctcMergeRepeated', ctcMergeRepeated);
  checkBoolean('ignoreLongerOutputsThanInputs', ignoreLongerOutputsThanInputs);
  checkBoolean('timeMajor', timeMajor);
  const given = toTensor('logits', logits);
  if (given.shape.length !== 3 || given.shape[2] === 0) {
    const form = timeMajor ? '[times, batch, classes]' : '[batch, times, classes]';
    throw new RangeError(`logits has shape ${showShape(given.shape)}, expected ${form}`);
  }
  const x = timeMajor ? given : transpose(given, [1, 0, 2]);
  const [times, batch, classes] = x.shape as [number, number, number];
  const lengths = lengthsOf(sequenceLength, batch, times);
  const { padded, width } = labelsOf(labels, {
    batch,
    classes,
    lengths: ignoreLongerOutputsThanInputs ? null : knownLengths(sequenceLength, lengths),
    collapses: preprocessCollapseRepeated,
  });
  const loss = allocate(x.dtype, [batch], batch);
  const gradient = allocate(x.dtype, x.shape, x.size);
  const indices = [asTensor(labels, padded).operand, asTensor(sequenceLength, lengths).operand];
  kernels.task('ctcLoss', x.dtype, [loss.operand, gradient.operand, x.operand, ...indices], {
    writes: 2,
    option:
      Number(ctcMergeRepeated) + 2 * Number(preprocessCollapseRepeated) + 4 * Number(ignoreLongerOutputsThanInputs),
    sizes: [times, batch, classes, width],
  });
  return record([x], loss, (dy) => [binary('multiply', gradient, reshaped(dy, [batch, 1]))]);
}
