import {
  internals,
  MixedPrecisionLossScaleOptimizer,
  type FloatArray,
  type Gradient,
  type Inputs,
  type Variable,
} from 'gradstep';
import type { CompiledReplica, Replica } from './replica';

const { alias, compileGradients } = internals;

/** The gradients of one share, and its loss. */
export interface ShareGradients {
  readonly loss: number;
  /** One for each variable, or null. */
  readonly gradients: readonly (Gradient | null)[];
}

/** Computes the gradients of shares. They stay until they are discarded. */
export interface Shares {
  /** @param place which of a worker's shares it is: what stays at one place is discarded before the next comes. */
  compute(step: number, share: number, place: number): ShareGradients;
  discard(computed: ShareGradients): void;
}

export function sharesFor(
  replica: Replica | CompiledReplica,
  variables: readonly Variable[],
  shares: number,
  places: number,
): Shares {
  return 'inputs' in replica
    ? new CompiledShares(replica, variables, shares, places)
    : new EagerShares(replica, variables, shares);
}

class EagerShares implements Shares {
  constructor(
    private readonly replica: Replica,
    private readonly variables: readonly Variable[],
    private readonly shares: number,
  ) {}

  compute(step: number, share: number): ShareGradients {
    const { shares, variables } = this;
    const { optimizer, loss } = this.replica;
    const pairs = optimizer.computeGradients(() => loss({ step, share, shares }), { varList: variables });
    const sum = sumOf(pairs.loss.data);
    pairs.loss.dispose();
    return { loss: sum, gradients: pairs.map(([gradient]) => gradient) };
  }

  discard({ gradients }: ShareGradients): void {
    for (const gradient of gradients) gradient?.dispose();
  }
}

/** Each share in one native call, into memory of its own. */
class CompiledShares implements Shares {
  private readonly places;

  constructor(
    private readonly replica: CompiledReplica,
    variables: readonly Variable[],
    private readonly shares: number,
    places: number,
  ) {
    if (replica.optimizer instanceof MixedPrecisionLossScaleOptimizer) {
      throw new Error('a compiled loss is not scaled: with a loss scale give a loss without inputs');
    }
    const { inputs } = replica;
    this.places = Array.from({ length: places }, () => {
      const program = compileGradients<Inputs>({ inputs, loss: (traced) => replica.loss(traced), variables });
      const gradients = program.gradients.map((array, i) => alias(array, variables[i]!.dtype, variables[i]!.shape));
      return { program, gradients };
    });
  }

  compute(step: number, share: number, place: number): ShareGradients {
    const { program, gradients } = this.places[place]!;
    const loss = program.runSync(this.replica.batch({ step, share, shares: this.shares }));
    return { loss, gradients };
  }

  discard(): void {}
}

function sumOf(values: FloatArray): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

/** The shares of a rank: neighbours, so that the order of ranks is that of shares. */
export function sharesOf(rank: number, workers: number, shares: number): readonly [first: number, end: number] {
  return [Math.floor((rank * shares) / workers), Math.floor(((rank + 1) * shares) / workers)];
}

/** Pairs for an optimizer. */
export function pairsOf(
  gradients: readonly (Gradient | null)[],
  variables: readonly Variable[],
): [Gradient | null, Variable][] {
  return variables.map((variable, i) => [gradients[i] ?? null, variable]);
}
