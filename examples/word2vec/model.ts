import {
  compile,
  compileStep,
  initializers,
  ops,
  tensor,
  type Compiled,
  type CompiledStep,
  type Indices,
  type Optimizer,
  type Tensor,
  type Variable,
} from 'gradstep';
import { embedding, VariableHolder, type Embedding } from 'gradstep/layers';
import type { Sampling } from './pairs';

/**
 * Skip-gram with negative sampling: two rows of numbers for each word, one for when it is the center and one for when it is near;
 * their product says how likely it is that the two stand together.
 */
export class SkipGram extends VariableHolder {
  private readonly centers: Embedding;
  private readonly others: Embedding;

  constructor(vocabulary: number, features: number) {
    super();
    const shared = { rows: vocabulary, features };
    const bound = 0.5 / features;
    const initializer = initializers.randomUniform({ minval: -bound, maxval: bound });
    this.centers = embedding({ ...shared, initializer, name: 'centers' });
    this.others = embedding({ ...shared, initializer: initializers.zeros(), name: 'others' });
  }

  override variables(): Variable[] {
    return [...this.centers.variables(), ...this.others.variables()];
  }

  /** [vocabulary, features]: what is kept of the training. */
  get vectors(): Variable {
    return this.centers.table;
  }

  /**
   * The cross entropy of telling the one that stood near from the others, summed over both, in nats a pair.
   *
   * @param centers [pairs]
   * @param others [pairs, 1 + negatives]: the one that stood near first.
   */
  loss(centers: Indices, others: Indices): Tensor {
    const near = this.others.call(others);
    const [pairs, candidates, features] = near.shape as [number, number, number];
    const center = ops.reshape(this.centers.call(centers), [pairs, 1, features]);
    const logits = ops.reduceSum(ops.mul(near, center), 2);
    const labels = Float32Array.from({ length: pairs * candidates }, (_, i) => (i % candidates === 0 ? 1 : 0));
    const losses = ops.sigmoidCrossEntropyWithLogits(tensor(labels, [pairs, candidates]), logits);
    return ops.mul(ops.reduceSum(losses), 1 / pairs);
  }
}

const inputsOf = ({ batch, negatives }: Sampling) =>
  ({
    centers: { shape: [batch], dtype: 'int32' },
    others: { shape: [batch, 1 + negatives], dtype: 'int32' },
  }) as const;

type Inputs = ReturnType<typeof inputsOf>;

/** A step that moves the rows of the words that it is about, with an optimizer that leaves all others alone. */
export const stepOf = (model: SkipGram, optimizer: Optimizer, sampling: Sampling): CompiledStep<Inputs> =>
  compileStep({ inputs: inputsOf(sampling), loss: ({ centers, others }) => model.loss(centers, others), optimizer });

export const lossOf = (model: SkipGram, sampling: Sampling): Compiled<Inputs, Tensor> =>
  compile(({ centers, others }) => model.loss(centers, others), { inputs: inputsOf(sampling) });
