import { safetensorsDTypes, type SafetensorsDType } from './dtypes';
import { openBrace } from './scanner';

/** The shortest that a tensor can be written in: `"":{"dtype":"U8","shape":[],"data_offsets":[0,0]}`. */
const shortest = 48;

/** What a header says of its tensors, 25 bytes for each, which is less than half of what a tensor takes in it. */
export class Columns {
  count = 0;
  /** The places of names in the header, ascending, and of shapes. */
  readonly names: Uint32Array;
  readonly shapes: Uint32Array;
  readonly begins: Float64Array;
  readonly ends: Float64Array;
  private readonly dtypes: Uint8Array;

  /** Room for as many tensors as a header can have. */
  constructor(header: Uint8Array) {
    const most = mostTensors(header);
    this.names = new Uint32Array(most);
    this.shapes = new Uint32Array(most);
    this.begins = new Float64Array(most);
    this.ends = new Float64Array(most);
    this.dtypes = new Uint8Array(most);
  }

  add(name: number, dtype: SafetensorsDType, shape: number, begin: number, end: number): void {
    const i = this.count++;
    this.names[i] = name;
    this.dtypes[i] = safetensorsDTypes.indexOf(dtype);
    this.shapes[i] = shape;
    this.begins[i] = begin;
    this.ends[i] = end;
  }

  dtype(i: number): SafetensorsDType {
    return safetensorsDTypes[this.dtypes[i]!]!;
  }

  /** Which tensor has its name at this place, which one has. */
  named(at: number): number {
    let [low, high] = [0, this.count - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.names[middle]! < at) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The tensors in the order of their elements; null where the header has them in it. */
  order(): Uint32Array | null {
    const { begins, ends, count } = this;
    const compare = (a: number, b: number): number => begins[a]! - begins[b]! || ends[a]! - ends[b]! || a - b;
    let i = 1;
    while (i < count && compare(i - 1, i) < 0) i++;
    if (i >= count) return null;
    return Uint32Array.from({ length: count }, (_, k) => k).sort(compare);
  }
}

/** Each of them has a brace: most headers have not many more than these. */
function mostTensors(header: Uint8Array): number {
  const most = Math.floor(header.length / shortest) + 1;
  let braces = 0;
  for (let i = 0; i < header.length && braces < most; i++) if (header[i] === openBrace) braces++;
  return braces;
}
