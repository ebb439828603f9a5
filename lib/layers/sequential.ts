import type { Tensor, Variable } from 'gradstep';
import { checkFunction, shown } from '../checks';
import { isTraining } from './checks';
import { VariableHolder, type CallOptions, type Layer, type LayerLike } from './layer';

/** Layers one after the other. */
export class Sequential extends VariableHolder implements Layer {
  readonly layers: readonly LayerLike[];

  /** @throws TypeError for what is no layer, Error where two variables have one name. */
  constructor(layers: readonly LayerLike[]) {
    super();
    if (!Array.isArray(layers)) {
      const isLayer = typeof (layers as Partial<Layer> | null | undefined)?.call === 'function';
      throw new TypeError(`layers must be an array, got ${shown(layers)}${isLayer ? ': write sequential([...])' : ''}`);
    }
    layers.forEach((layer, i) => {
      if (typeof layer === 'function') return;
      if (typeof layer !== 'object' || layer === null || Array.isArray(layer)) {
        const hint = Array.isArray(layer) ? ': a list of layers is sequential([...])' : '';
        throw new TypeError(`layer ${i} must be a layer or a function of a tensor, got ${shown(layer)}${hint}`);
      }
      const { call, variables } = layer as Partial<Layer>;
      checkFunction(`call of layer ${i}`, call);
      checkFunction(`variables of layer ${i}`, variables);
    });
    this.layers = [...(layers as readonly LayerLike[])];
    const seen = new Set<string>();
    for (const { name } of new Set(this.variables())) {
      if (seen.has(name)) throw new Error(`two variables of the layers are called '${name}': give the layers names`);
      seen.add(name);
    }
  }

  override variables(): Variable[] {
    return this.layers.flatMap((layer) => (typeof layer === 'function' ? [] : layer.variables()));
  }

  /** What the last one makes of what the others have made of x. */
  call(x: Tensor, options: CallOptions = {}): Tensor {
    isTraining(options); // says so of what is none
    return this.layers.reduce(
      (y: Tensor, layer) => (typeof layer === 'function' ? layer(y, options) : layer.call(y, options)),
      x,
    );
  }
}

/**
 * Layers one after the other: `y = layers[n - 1](… layers[0](x))`. Functions of a tensor may stand among them.
 *
 * @throws TypeError for what is no layer, Error where two variables have one name.
 * Source: `tf.keras.Sequential`.
 * @example
 * import { dense, dropout, sequential } from 'gradstep/layers';
 *
 * const model = sequential([
 *   dense({ inputs: 784, units: 256, activation: ops.relu, name: 'hidden' }),
 *   dropout(0.5),
 *   dense({ inputs: 256, units: 10, name: 'logits' }),
 * ]);
 */
export const sequential = (layers: readonly LayerLike[]): Sequential => new Sequential(layers);
