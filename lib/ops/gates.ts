import { shown } from '../checks';

/** The orders in which an LSTM's gates lie beside one another. */
export type GateOrder = 'ijfo' | 'ifjo';

/** @throws TypeError for what is none of them. */
export function checkGateOrder(order: unknown): asserts order is GateOrder {
  if (order !== 'ijfo' && order !== 'ifjo') {
    throw new TypeError(`gateOrder must be 'ijfo' or 'ifjo', got ${shown(order)}`);
  }
}
