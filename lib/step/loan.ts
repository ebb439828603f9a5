import type { GradientAndVariable } from '../autodiff/gradients-and-variables';
import { copyInto, lengthOf } from '../tensor/arrays';
import type { Key } from '../tensor/in-flight';
import { IndexedSlices, storedValues, type Gradient } from '../tensor/indexed-slices';
import { spend, type Memory } from '../tensor/memory';
import type { TensorDType } from '../tensor/dtype';
import { Tensor, type AnyTensor } from '../tensor/tensor';
import type { Variable } from '../tensor/variable';
import { checkGradient, checkPairs, type Read } from './pairs';

/**
 * A tensor on loan to what runs off the event loop: its memory can neither go nor move until `endLoan`. Shared memory is
 * lent itself. Of any other the loan is a copy, as its owner could transfer it to another thread.
 * @throws Error when the memory is gone.
 */
export function lend<D extends TensorDType>(values: Tensor<D>): Tensor<D> {
  const { memory, shape, factor } = values;
  memory.locate();
  const loan = memory.canBeLent ? values.view(shape, factor) : new Tensor<D>(memory.copied(), shape, factor);
  loan.memory.lease();
  return loan;
}

/** Ends a loan. */
export function endLoan(loan: AnyTensor): void {
  loan.memory.endLease();
  loan.dispose();
}

/** The gradients of a step, on loan; the variables they are of, all of which can be lent. */
export class Loans {
  /** The pairs on loan, as `readPairs` gives them. */
  readonly read: Read;
  private readonly loans: Tensor[] = [];
  private readonly originals: Memory[] = [];

  /**
   * @throws what `checkPairs` and `checkGradient` throw, Error for memory that is gone, and for a variable whose memory
   * could be transferred: with nothing on loan.
   */
  constructor(given: Read) {
    checkPairs(given);
    try {
      const gradients = given.gradients.map((gradient, i) => {
        return gradient === null ? null : this.lend(gradient, given.variables[i] as Variable);
      });
      this.read = { ...given, gradients };
    } catch (error) {
      this.end();
      throw error;
    }
  }

  /** The same pairs as they are given to `applyGradients`. */
  get pairs(): GradientAndVariable[] {
    const { gradients, variables } = this.read;
    return gradients.map((gradient, i) => [gradient as Gradient | null, variables[i] as Variable]);
  }

  /** What steps have in turn for these variables. */
  get keys(): Key[] {
    const { gradients, variables } = this.read;
    return (variables as readonly Variable[]).flatMap(({ memory }, i) => (gradients[i] === null ? [] : memory.key));
  }

  /** The gradients have been used: those that computeGradients made may go. */
  spend(): void {
    for (const memory of this.originals) spend(memory);
  }

  /** Ends the loans; doing it twice does no harm. */
  end(): void {
    for (const loan of this.loans) endLoan(loan);
    this.loans.length = 0;
  }

  private lend(given: unknown, variable: Variable): Gradient {
    checkLendable(variable);
    const gradient = checkGradient(given, variable);
    const values = storedValues(gradient);
    const loan = lend(values);
    this.loans.push(loan);
    this.originals.push(values.memory);
    if (gradient instanceof Tensor) return loan;
    const indices = new Int32Array(lengthOf(gradient.indices));
    copyInto(indices, gradient.indices);
    return new IndexedSlices(loan, indices, gradient.denseShape);
  }
}

/** @throws Error for a variable whose memory could go or move during a step off the event loop. */
export function checkLendable({ name, memory }: Variable): void {
  if (memory.canBeLent) return;
  const kind = memory.watchable === 'changing' ? 'a buffer that can change its size' : 'a plain ArrayBuffer';
  const what = memory.watchable === 'changing' ? 'moved' : 'transferred';
  throw new Error(
    `'${name}' lies in ${kind}, which could be ${what} during an asynchronous step: ` +
      'make it a variable over a SharedArrayBuffer, or by variable()',
  );
}
