import {
  collectState,
  restoreState,
  Tensor,
  variable,
  type DType,
  type Initializer,
  type RestoreOptions,
  type StateEntry,
  type Stateful,
  type StateSource,
  type Variable,
} from 'gradstep';
import { shown } from '../checks';

/** How a layer is called. */
export interface CallOptions {
  /** Whether it is being trained: dropout drops, batch normalisation takes the batch's own statistics. Default: false. */
  training?: boolean;
}

/** From tensor to tensor, with variables of its own. Extend `VariableHolder` to write another. */
export interface Layer {
  /** What it makes of x. */
  call(x: Tensor, options?: CallOptions): Tensor;
  /** All of its variables, also those that are not trained, in a fixed order. */
  variables(): Variable[];
}

/** What a list of layers is made of: layers, and functions, which have no variables. */
export type LayerLike = Layer | ((x: Tensor, options?: CallOptions) => Tensor);

/** What every layer with variables takes. */
export interface LayerOptions {
  /**
   * What the names of its variables start with; no two variables of one model may have the same. Default: the kind of
   * layer, `dense` for one.
   */
  name?: string;
  /** Default: `'float32'`. */
  dtype?: DType;
}

/** What has variables and no other state: the base of the layers, and of models that are made of them. */
export abstract class VariableHolder implements Stateful {
  /** All of its variables, also those that are not trained, in a fixed order. */
  abstract variables(): Variable[];

  /** Its trainable variables, as `varList` takes them. */
  parameters(): Variable[] {
    return this.variables().filter(({ trainable }) => trainable);
  }

  /** The values of all variables, by their names. */
  state(): StateEntry[] {
    return collectState(this.variables());
  }

  /** Becomes what it was when `state()` gave these entries; when it throws, nothing has changed. */
  restore(entries: Iterable<StateEntry>, options?: RestoreOptions): void {
    restoreState(this.variables(), entries, options);
  }

  planRestore(source: StateSource): () => void {
    const plans = this.variables().map((own) => own.planRestore(source));
    return () => {
      for (const plan of plans) plan();
    };
  }
}

/** A variable `name` of a layer, with start values of this shape. */
export function parameter(
  { name, dtype }: { name: string; dtype: DType },
  suffix: string,
  shape: readonly number[],
  initializer: Initializer,
  trainable = true,
): Variable {
  if (typeof initializer !== 'function') {
    const what = shown(initializer);
    throw new TypeError(`the initializer of ${name}/${suffix} must be a function, got ${what}: initializers has some`);
  }
  const values: unknown = initializer(shape, dtype);
  if (!(values instanceof Tensor)) {
    const hint = typeof values === 'function' ? ': call it, as in initializers.zeros()' : '';
    throw new TypeError(`the initializer of ${name}/${suffix} must give a Tensor, got ${shown(values)}${hint}`);
  }
  const made = variable(values as Tensor, { name: `${name}/${suffix}`, trainable });
  values.dispose();
  return made;
}
