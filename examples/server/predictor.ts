import { compile, ops, tidy, type Compiled, type FloatInput, type Tensor, type Variable } from 'gradstep';
import { classCount, inputSize, logits } from './model';
import type { Weights } from './shown';

/** What the model says of one example. */
export interface Prediction {
  /** The likeliest class. */
  readonly label: number;
  readonly probabilities: readonly number[];
}

export interface Predictions {
  readonly predictions: readonly Prediction[];
  /** How many steps the weights have that said so. */
  readonly step: number;
}

interface Asked {
  readonly rows: readonly (readonly number[])[];
  readonly answer: (predictions: Predictions) => void;
  readonly fail: (error: unknown) => void;
}

/** As many rows at once: what is asked is filled up to one of these. */
const sizes = [1, 8, 64] as const;

/**
 * Asks the model on the event loop: a row takes some microseconds, which is less than handing it to another thread.
 * Requests that come in one turn of the event loop are asked together. The weights are a copy, so that all of an answer is
 * by those of one step.
 */
export class Predictor {
  private readonly programs;
  private asked: Asked[] = [];

  constructor(private readonly weights: Weights) {
    this.programs = sizes.map((size) => programOf(weights.variables, size));
  }

  /** @param rows each of `inputSize` numbers. */
  predict(rows: Asked['rows']): Promise<Predictions> {
    if (this.asked.length === 0) setImmediate(() => this.answerAll());
    return new Promise((answer, fail) => this.asked.push({ rows, answer, fail }));
  }

  private answerAll(): void {
    const { asked } = this;
    this.asked = [];
    try {
      this.weights.refresh();
      const { step } = this.weights;
      const all = this.predictAll(asked.flatMap(({ rows }) => rows));
      let at = 0;
      for (const { rows, answer } of asked) answer({ predictions: all.slice(at, (at += rows.length)), step });
    } catch (error) {
      for (const { fail } of asked) fail(error);
    }
  }

  private predictAll(rows: Asked['rows']): Prediction[] {
    const predictions: Prediction[] = [];
    for (let first = 0; first < rows.length;) {
      const left = rows.length - first;
      const { size, x, program } = this.programs.find((each) => each.size >= left) ?? this.programs.at(-1)!;
      const some = rows.slice(first, first + size);
      some.forEach((numbers, i) => x.set(numbers, i * inputSize));
      const probabilities = tidy(() => Array.from(program.runSync({ x }).data));
      some.forEach((_, i) => predictions.push(predictionOf(probabilities.slice(i * classCount, (i + 1) * classCount))));
      first += size;
    }
    return predictions;
  }
}

interface Program {
  readonly size: number;
  readonly x: Float32Array;
  readonly program: Compiled<{ readonly x: FloatInput }, Tensor>;
}

function programOf(weights: readonly Variable[], size: number): Program {
  const inputs = { x: { shape: [size, inputSize] } };
  const program = compile(({ x }) => ops.softmax(logits(weights, x)), { inputs });
  return { size, x: new Float32Array(size * inputSize), program };
}

function predictionOf(probabilities: readonly number[]): Prediction {
  return { label: probabilities.indexOf(Math.max(...probabilities)), probabilities };
}
