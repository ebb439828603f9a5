import { compile, ops, random, type Tensor, type Variable } from 'gradstep';
import { dense, sequential, VariableHolder, type Dense, type Sequential } from 'gradstep/layers';
import { ink, inputSize, type Dataset } from '../mnist/data';

/** What is known of z once an image has been seen: a normal distribution, its dimensions independent of each other. */
export interface Belief {
  readonly mean: Tensor;
  readonly logVariance: Tensor;
}

/** Nats an image, [batch] each; their sum is at least -ln of its probability. */
export interface Bound {
  /** What it costs to tell the image from z. */
  readonly reconstruction: Tensor;
  /** What it costs to tell z: how far the belief is from what z is before anything has been seen. */
  readonly divergence: Tensor;
}

/**
 * A variational autoencoder: z, of few dimensions and normally distributed, and a network that makes an image of it; another
 * network guesses which z an image is of.
 *
 * Source: Kingma & Welling 2014, "Auto-Encoding Variational Bayes"; in the sizes of PyTorch's examples/vae.
 */
export class Vae extends VariableHolder {
  private readonly encoder: Dense;
  private readonly mean: Dense;
  private readonly logVariance: Dense;
  private readonly decoder: Sequential;

  constructor(
    hidden: number,
    readonly latent: number,
  ) {
    super();
    this.encoder = dense({ inputs: inputSize, units: hidden, activation: ops.relu, name: 'encoder' });
    this.mean = dense({ inputs: hidden, units: latent, name: 'mean' });
    this.logVariance = dense({ inputs: hidden, units: latent, name: 'log_variance' });
    this.decoder = sequential([
      dense({ inputs: latent, units: hidden, activation: ops.relu, name: 'decoder' }),
      dense({ inputs: hidden, units: inputSize, name: 'logits' }),
    ]);
  }

  override variables(): Variable[] {
    return [this.encoder, this.mean, this.logVariance, this.decoder].flatMap((part) => part.variables());
  }

  /** @param x [batch, inputSize], from 0 to 1. */
  encode(x: Tensor): Belief {
    const hidden = this.encoder.call(x);
    return { mean: this.mean.call(hidden), logVariance: this.logVariance.call(hidden) };
  }

  /** @param z [batch, latent] @returns logits of the pixels, [batch, inputSize]. */
  decode(z: Tensor): Tensor {
    return this.decoder.call(z);
  }

  /** Minus the evidence lower bound, in its two parts, for one z that is drawn anew each time. */
  bound(x: Tensor): Bound {
    const { mean, logVariance } = this.encode(x);
    // Drawn as mean + deviation · noise, so that there is a way back from z to what it was drawn by.
    const noise = random.normal(mean.shape);
    const z = ops.add(mean, ops.mul(ops.exp(ops.mul(logVariance, 0.5)), noise));
    const pixels = ops.sigmoidCrossEntropyWithLogits(x, this.decode(z));
    const excess = ops.sub(ops.add(ops.square(mean), ops.exp(logVariance)), ops.add(logVariance, 1));
    return {
      reconstruction: ops.reduceSum(pixels, 1),
      divergence: ops.mul(ops.reduceSum(excess, 1), 0.5),
    };
  }

  /** The mean of minus the bounds, in nats an image. */
  loss(x: Tensor): Tensor {
    const { reconstruction, divergence } = this.bound(x);
    return ops.reduceMean(ops.add(reconstruction, divergence));
  }
}

/** [rows, inputSize], from 0 to 1, of rows of pixels. */
export const asProbabilities = (pixels: Tensor): Tensor => ops.mul(pixels, 1 / ink);

const evaluated = 500;

/** The means of both parts over all images of the dataset, in nats. */
export function evaluate(model: Vae, { images, count }: Dataset): { reconstruction: number; divergence: number } {
  const batch = Math.min(evaluated, count);
  const bounds = compile(
    ({ rows }) => {
      const { reconstruction, divergence } = model.bound(asProbabilities(ops.gather(images, rows)));
      return [reconstruction, divergence];
    },
    { inputs: { rows: { shape: [batch], dtype: 'int32' } } },
  );
  const sums = [0, 0];
  for (let start = 0; start < count; start += batch) {
    const n = Math.min(batch, count - start);
    const rows = Int32Array.from({ length: batch }, (_, i) => start + (i < n ? i : 0));
    bounds.runSync({ rows }).forEach(({ data }, part) => {
      for (let i = 0; i < n; i++) sums[part]! += data[i]!;
    });
  }
  return { reconstruction: sums[0]! / count, divergence: sums[1]! / count };
}
