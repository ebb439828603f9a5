import { sharedArray, Variable } from '../variable';

class Powers {
  readonly variables: readonly [Variable, Variable];
  /** The betas of the coming step. */
  beta1: number;
  beta2: number;

  constructor(suffix: string, beta1: number, beta2: number) {
    this.variables = [scalar(`beta1_power${suffix}`, beta1), scalar(`beta2_power${suffix}`, beta2)];
    this.beta1 = beta1;
    this.beta2 = beta2;
  }

  get beta1Power(): number {
    return this.variables[0].data[0]!;
  }

  get beta2Power(): number {
    return this.variables[1].data[0]!;
  }

  advance(): void {
    this.variables[0].data[0]! *= this.beta1;
    this.variables[1].data[0]! *= this.beta2;
  }
}

/**
 * β₁ᵗ and β₂ᵗ, for each set of options that steps by itself: β before the first step, multiplied by β after each.
 * Held as float64, where TensorFlow rounds them to float32.
 */
export class BetaPowers {
  private readonly byOptions = new Map<object, Powers>();

  /** The powers for the coming step, which uses these betas. */
  before(options: object, beta1: number, beta2: number): { readonly beta1Power: number; readonly beta2Power: number } {
    let powers = this.byOptions.get(options);
    if (powers === undefined) {
      powers = new Powers(this.byOptions.size === 0 ? '' : `_${this.byOptions.size}`, beta1, beta2);
      this.byOptions.set(options, powers);
    }
    powers.beta1 = beta1;
    powers.beta2 = beta2;
    return powers;
  }

  advance(options: object): void {
    this.byOptions.get(options)!.advance();
  }

  variables(): Variable[] {
    return [...this.byOptions.values()].flatMap(({ variables }) => variables);
  }
}

function scalar(name: string, value: number): Variable {
  const array = sharedArray('float64', 1);
  array[0] = value;
  return new Variable(array, { name, trainable: false, shape: [] });
}
