import { readFileSync } from 'node:fs';
import { crc32c } from '../../lib/tensorboard/crc';

// A second opinion on event files, from the published definitions alone (tensorflow/core/util/event.proto,
// framework/summary.proto, histogram.proto, tensor.proto, tensor_shape.proto). It refuses whatever a writer of ours need not
// write: unknown fields, fields out of order, defaults that are spelled out, numbers that are longer than they must be.

type Kind = 'double' | 'float' | 'int64' | 'enum' | 'string' | 'bytes' | 'doubles' | Schema;
interface FieldSchema {
  readonly name: string;
  readonly kind: Kind;
  /** Whether it is one of a oneof, and so written even if it is its default. */
  readonly isChoice?: boolean;
  readonly isRepeated?: boolean;
}
interface Schema {
  readonly [number: number]: FieldSchema;
}

const histogram: Schema = {
  1: { name: 'min', kind: 'double' },
  2: { name: 'max', kind: 'double' },
  3: { name: 'num', kind: 'double' },
  4: { name: 'sum', kind: 'double' },
  5: { name: 'sum_squares', kind: 'double' },
  6: { name: 'bucket_limit', kind: 'doubles' },
  7: { name: 'bucket', kind: 'doubles' },
};
const image: Schema = {
  1: { name: 'height', kind: 'int64' },
  2: { name: 'width', kind: 'int64' },
  3: { name: 'colorspace', kind: 'int64' },
  4: { name: 'encoded_image_string', kind: 'bytes' },
};
const tensor: Schema = {
  1: { name: 'dtype', kind: 'enum' },
  2: { name: 'tensor_shape', kind: {}, isChoice: true },
  8: { name: 'string_val', kind: 'string', isRepeated: true },
};
const metadata: Schema = {
  1: { name: 'plugin_data', kind: { 1: { name: 'plugin_name', kind: 'string' } }, isChoice: true },
  4: { name: 'data_class', kind: 'enum' },
};
const value: Schema = {
  1: { name: 'tag', kind: 'string' },
  2: { name: 'simple_value', kind: 'float', isChoice: true },
  4: { name: 'image', kind: image, isChoice: true },
  5: { name: 'histo', kind: histogram, isChoice: true },
  8: { name: 'tensor', kind: tensor, isChoice: true },
  9: { name: 'metadata', kind: metadata, isChoice: true },
};
const event: Schema = {
  1: { name: 'wall_time', kind: 'double' },
  2: { name: 'step', kind: 'int64' },
  3: { name: 'file_version', kind: 'string', isChoice: true },
  5: { name: 'summary', kind: { 1: { name: 'value', kind: value, isRepeated: true } }, isChoice: true },
};

export type Message = { [name: string]: unknown };

class Bytes {
  at = 0;
  constructor(private readonly buffer: Buffer) {}

  get isAtEnd(): boolean {
    return this.at === this.buffer.length;
  }

  take(count: number): Buffer {
    if (this.at + count > this.buffer.length) throw new Error('past the end');
    return this.buffer.subarray(this.at, (this.at += count));
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = BigInt(this.take(1)[0]!);
      value |= (byte & 127n) << shift;
      if (byte >= 128n) continue;
      if (byte === 0n && shift > 0n) throw new Error('a number is longer than it must be');
      return value;
    }
  }
}

function numbersIn(data: Buffer): number[] {
  if (data.length % 8 !== 0) throw new Error('no whole doubles');
  return Array.from({ length: data.length / 8 }, (_, i) => data.readDoubleLE(8 * i));
}

function read(bytes: Bytes, kind: Kind, wire: number): unknown {
  const expected = { double: 1, float: 5, int64: 0, enum: 0, string: 2, bytes: 2, doubles: 2 };
  if (wire !== (typeof kind === 'string' ? expected[kind] : 2)) throw new Error(`wire type ${wire}`);
  if (kind === 'double') return bytes.take(8).readDoubleLE();
  if (kind === 'float') return bytes.take(4).readFloatLE();
  const number = bytes.varint();
  if (kind === 'int64' || kind === 'enum') return Number(BigInt.asIntN(64, number));
  const data = bytes.take(Number(number));
  if (kind === 'string') return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(data);
  if (kind === 'bytes') return data;
  return kind === 'doubles' ? numbersIn(data) : decode(data, kind);
}

const isDefault = (value: unknown): boolean => Object.is(value, 0) || value === '';

function decode(data: Buffer, schema: Schema): Message {
  const bytes = new Bytes(data);
  const message: Message = {};
  for (let last = 0; !bytes.isAtEnd;) {
    const key = Number(bytes.varint());
    const field = schema[key >> 3];
    if (field === undefined) throw new Error(`unknown field ${key >> 3}`);
    if (key >> 3 < last) throw new Error(`field ${field.name} is out of order`);
    last = key >> 3;
    const found = read(bytes, field.kind, key & 7);
    if (field.isRepeated) message[field.name] = [...((message[field.name] as unknown[]) ?? []), found];
    else if (field.name in message) throw new Error(`field ${field.name} occurs twice`);
    else if (isDefault(found) && !field.isChoice) throw new Error(`field ${field.name} spells its default out`);
    else message[field.name] = found;
  }
  return message;
}

/** The payloads of a file of records, whose checksums are right and which ends after a record. */
export function payloadsOf(file: Buffer): Buffer[] {
  const bytes = new Bytes(file);
  const payloads: Buffer[] = [];
  const expectChecksum = (data: Buffer): void => {
    const crc = crc32c(data);
    const rotated = ((crc >>> 15) | (crc << 17)) >>> 0;
    if (bytes.take(4).readUInt32LE() !== (rotated + 0xa282ead8) % 2 ** 32) throw new Error('a checksum is wrong');
  };
  while (!bytes.isAtEnd) {
    const length = bytes.take(8);
    expectChecksum(length);
    const payload = bytes.take(Number(length.readBigUInt64LE()));
    expectChecksum(payload);
    payloads.push(payload);
  }
  return payloads;
}

/** All events of a file, the first of which says its version. */
export function strictEvents(path: string): Message[] {
  const [first, ...others] = payloadsOf(readFileSync(path)).map((payload) => decode(payload, event));
  if (first?.['file_version'] !== 'brain.Event:2') throw new Error('the first event does not have the version');
  return others;
}

/** The values of all summaries with their steps. */
export function strictValues(path: string): Message[] {
  return strictEvents(path).flatMap(({ step = 0, summary }) =>
    (summary as { value: Message[] }).value.map((each) => ({ step, ...each })),
  );
}
