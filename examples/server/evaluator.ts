import { compile, type Compiled, type FloatInput, type Tensor } from 'gradstep';
import { darkest, type Digits } from './digits';
import { classCount, inputSize, logits } from './model';
import { shared } from './queue';
import type { Weights } from './shown';

export interface Accuracy {
  readonly step: number;
  /** Of the held-out images, the part that is read rightly. */
  readonly accuracy: number;
}

/** Images at once. */
const size = 500;

/** Tells how well the model reads images that it is not trained on: off the event loop, on a copy of its own. */
export class Evaluator {
  last: Accuracy | null = null;
  private isBusy = false;
  private readonly program: Compiled<{ readonly x: FloatInput }, Tensor>;
  private readonly x = new Float32Array(shared(4 * size * inputSize));

  constructor(
    private readonly weights: Weights,
    private readonly heldOut: Digits,
  ) {
    this.program = compile(({ x }) => logits(weights.variables, x), { inputs: { x: { shape: [size, inputSize] } } });
  }

  /** @returns null where nothing has changed since the last time, or it is still at it. */
  async evaluate(): Promise<Accuracy | null> {
    if (this.isBusy) return null;
    this.isBusy = true;
    try {
      this.weights.refresh();
      const { step } = this.weights;
      if (step === this.last?.step) return null;
      return (this.last = { step, accuracy: await this.accuracy() });
    } finally {
      this.isBusy = false;
    }
  }

  private async accuracy(): Promise<number> {
    const { pixels, labels } = this.heldOut;
    let right = 0;
    for (let first = 0; first < labels.length; first += size) {
      const some = pixels.subarray(first * inputSize, (first + size) * inputSize);
      for (let i = 0; i < some.length; i++) this.x[i] = some[i]! / darkest;
      const output = await this.program.run({ x: this.x });
      labels.subarray(first, first + size).forEach((label, i) => {
        const scores = output.data.subarray(i * classCount, (i + 1) * classCount);
        if (scores.indexOf(Math.max(...scores)) === label) right++;
      });
      output.dispose();
    }
    return right / labels.length;
  }
}
