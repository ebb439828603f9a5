import { native } from '../../native';
import { assignCopy, type Engine, type TfTensor, type TfVariable } from '../engine';
import type { BackendMemory } from './memory';

/** The slow path for a backend whose memory is out of reach: values are read before a step and assigned after it. */
export class CopiedMemory implements BackendMemory {
  private readonly copies = new Map<TfTensor, Float32Array>();
  private readonly claimed = new Set<TfVariable>();

  constructor(private readonly engine: Engine) {}

  claim(variable: TfVariable): number {
    this.claimed.add(variable);
    return native.addressOf(this.arrayOf(variable));
  }

  reach(tensor: TfTensor): void {
    this.arrayOf(tensor);
  }

  begin(): number {
    return 0;
  }

  addressToRead(tensor: TfTensor): number | undefined {
    return 'trainable' in tensor ? undefined : native.addressOf(this.arrayOf(tensor));
  }

  arrayOf(tensor: TfTensor): Float32Array {
    let copy = this.copies.get(tensor);
    if (copy === undefined) this.copies.set(tensor, (copy = this.engine.readSync(tensor.dataId).slice()));
    return copy;
  }

  changed(): void {}

  end(): void {
    for (const variable of this.claimed) assignCopy(this.engine, variable, this.copies.get(variable)!);
    this.claimed.clear();
    this.copies.clear();
  }
}
