import { sharedArray, Variable } from '../variable';

interface Powers {
  readonly beta1Power: Variable;
  readonly beta2Power: Variable;
  beta1: number;
  beta2: number;
}

/**
 * β₁ᵗ and β₂ᵗ, for each set of options that steps by itself: β before the first step, multiplied by β after each.
 * Held as float64, where TensorFlow rounds them to float32.
 */
export class BetaPowers {
  private readonly byOptions = new Map<object, Powers>();

  /** The powers for the coming step, which uses these betas. */
  before(options: object, beta1: number, beta2: number): { beta1Power: number; beta2Power: number } {
    let powers = this.byOptions.get(options);
    if (powers === undefined) {
      const suffix = this.byOptions.size === 0 ? '' : `_${this.byOptions.size}`;
      powers = {
        beta1Power: scalar(`beta1_power${suffix}`, beta1),
        beta2Power: scalar(`beta2_power${suffix}`, beta2),
        beta1,
        beta2,
      };
      this.byOptions.set(options, powers);
    }
    powers.beta1 = beta1;
    powers.beta2 = beta2;
    return { beta1Power: powers.beta1Power.item(), beta2Power: powers.beta2Power.item() };
  }

  advance(options: object): void {
    const powers = this.byOptions.get(options)!;
    powers.beta1Power.data[0]! *= powers.beta1;
    powers.beta2Power.data[0]! *= powers.beta2;
  }

  variables(): Variable[] {
    return [...this.byOptions.values()].flatMap(({ beta1Power, beta2Power }) => [beta1Power, beta2Power]);
  }
}

function scalar(name: string, value: number): Variable {
  const array = sharedArray('float64', 1);
  array[0] = value;
  return new Variable(array, { name, trainable: false, shape: [] });
}
