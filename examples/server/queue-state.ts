import { restoreState, type StateEntry, type Stateful, type StateSource } from 'gradstep';
import { inputSize } from './model';
import type { Examples } from './queue';

/** Examples that wait, as a part of a checkpoint: what was accepted is trained on, also when the process ends before. */
export class QueueState implements Stateful {
  constructor(public examples: Examples = { pixels: new Float32Array(0), labels: new Int32Array(0) }) {}

  state(): StateEntry[] {
    const { pixels, labels } = this.examples;
    return [
      { key: 'labels', dtype: 'int32', shape: [labels.length], memory: labels },
      { key: 'pixels', dtype: 'float32', shape: [labels.length, inputSize], memory: pixels },
    ];
  }

  restore(entries: Iterable<StateEntry>): void {
    restoreState([this], entries);
  }

  planRestore(source: StateSource): () => void {
    const labels = source.take('labels', 'int32').memory;
    const pixels = source.take('pixels', 'float32', [labels.length, inputSize]).memory;
    return () => (this.examples = { pixels: Float32Array.from(pixels), labels: Int32Array.from(labels) });
  }
}
