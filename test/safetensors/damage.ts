import { safetensorsDTypes, serializeSafetensors } from 'gradstep/safetensors';
import { fileOf } from './files';
import { bitsOf } from './tensors';

/** Numbers from a seed, the same on every machine: from 0 up to `below`. */
export function dice(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

type Roll = (below: number) => number;
const pick = <T>(roll: Roll, list: readonly T[]): T => list[roll(list.length)]!;

/** A small file of some tensors. */
function someFile(roll: Roll): Uint8Array {
  const tensors = Array.from({ length: roll(4) }, (_, i) => {
    const dtype = pick(roll, safetensorsDTypes);
    const shape = [...Array.from({ length: roll(3) }, () => roll(4)), ...(bitsOf(dtype) % 8 === 0 ? [] : [4])];
    const bytes = (shape.reduce((product, length) => product * length, 1) * bitsOf(dtype)) / 8;
    return [
      `${pick(roll, ['w', 'layer.0', '__proto__', 'ü', '\u{1f600}'])}${i}`,
      { data: new Uint8Array(bytes), dtype, shape },
    ] as const;
  });
  return serializeSafetensors(tensors, roll(2) === 0 ? {} : { metadata: { format: 'pt', 'a"b': '\n' } });
}

const fragments = [
  '{', '}', '[', ']', ',', ':', '"', '\\', '\\u', '\\ud800', '\\u0041', '0', '-', '-0', '.5', '1e3', '9007199254740993',
  '18446744073709551616', 'null', 'true', '{}', '[]', ' ', '\t', '\n', '\0', '\u00a0', '\ufeff', '"w0"', '"dtype"', '"x":1,', '"x":{"y":[1.5]},',
  '"__metadata__":{},', '"__metadata__":null,', '"F32"', '"F4"', 'NaN', '/**/', '\x7f', 'é',
]; // prettier-ignore

/** Changes the text of a header, leaving the rest as it is. */
function otherText(roll: Roll, json: string): string {
  const at = roll(json.length + 1);
  const fields = [...json.matchAll(/\d+|"[^"]*"|\[[^\]]*\]/g)];
  switch (roll(6)) {
    case 0:
      return json.slice(0, at) + pick(roll, fragments) + json.slice(at);
    case 1:
      return json.slice(0, at) + json.slice(at + 1 + roll(4));
    case 2:
      return json.slice(0, at) + pick(roll, fragments) + json.slice(at + 1);
    case 3: {
      const from = roll(json.length + 1);
      return json.slice(0, at) + json.slice(from, from + roll(40)) + json.slice(at);
    }
    default: {
      // One number, string or array in the place of another, or a number that is a little wrong.
      if (fields.length === 0) return `${json}x`;
      const field = pick(roll, fields);
      const other = /^\d/.test(field[0]) ? String(Number(field[0]) + roll(5) - 2) : pick(roll, fields)[0];
      return json.slice(0, field.index) + other + json.slice(field.index + field[0].length);
    }
  }
}

function otherBytes(roll: Roll, file: Uint8Array): Uint8Array {
  const bytes = Uint8Array.from(file);
  switch (roll(5)) {
    case 0:
      return bytes.subarray(0, roll(bytes.length + 1));
    case 1:
      return Uint8Array.from([...bytes, ...new Uint8Array(1 + roll(9))]);
    case 2:
      bytes[roll(8)] = roll(256);
      return bytes;
    default:
      for (let i = roll(4); i >= 0; i--) bytes[roll(bytes.length)]! ^= 1 << roll(8);
      return bytes;
  }
}

/** A file that has been damaged in one or more ways; now and then in none that matters. */
export function damagedFile(roll: Roll): Uint8Array {
  let file = someFile(roll);
  const end = 8 + Number(new DataView(file.buffer).getBigUint64(0, true));
  if (roll(4) > 0) {
    let json = Buffer.from(file.subarray(8, end)).toString().trimEnd();
    for (let i = roll(3); i >= 0; i--) json = otherText(roll, json);
    file = fileOf(json, file.subarray(end));
  }
  if (roll(4) === 0) file = otherBytes(roll, file);
  return file;
}
