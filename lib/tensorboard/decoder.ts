import { Wire } from './encoder';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A field of a message: what it is depends on its wire type. */
export interface Field {
  readonly number: number;
  readonly wire: Wire;
  /** Of the wire type `Bytes`. */
  readonly bytes: Uint8Array;
  /** Of the other wire types: the bits of the number. */
  readonly bits: bigint;
}

const none = new Uint8Array(0);

/** Reads the wire format of Protocol Buffers, and refuses what is not of it. */
class Reader {
  private at = 0;
  private readonly view: DataView;

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd(): boolean {
    return this.at === this.bytes.length;
  }

  private take(count: number): number {
    if (count > this.bytes.length - this.at) throw new Error('a field goes past the end of its message');
    const start = this.at;
    this.at += count;
    return start;
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.bytes[this.take(1)]!;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asUintN(64, value);
    }
    throw new Error('a number has more than ten bytes');
  }

  field(): Field {
    const key = this.varint();
    const number = Number(key >> 3n);
    const wire = Number(key & 7n) as Wire;
    if (number === 0 || number >= 2 ** 29) throw new Error(`there is no field ${number}`);
    switch (wire) {
      case Wire.Varint:
        return { number, wire, bytes: none, bits: this.varint() };
      case Wire.Fixed64:
        return { number, wire, bytes: none, bits: this.view.getBigUint64(this.take(8), true) };
      case Wire.Fixed32:
        return { number, wire, bytes: none, bits: BigInt(this.view.getUint32(this.take(4), true)) };
      case Wire.Bytes: {
        const length = Number(this.varint());
        const start = this.take(length);
        return { number, wire, bytes: this.bytes.subarray(start, start + length), bits: 0n };
      }
      default:
        throw new Error(`field ${number} has the wire type ${key & 7n}, which there is not`);
    }
  }
}

/** The fields of a message, in their order. @throws Error for bytes that are no message. */
export function* fieldsOf(message: Uint8Array): Generator<Field> {
  const reader = new Reader(message);
  while (!reader.isAtEnd) yield reader.field();
}

function expectWire({ number, wire }: Field, expected: Wire): void {
  if (wire !== expected) throw new Error(`field ${number} has the wire type ${wire}, expected ${expected}`);
}

const scratch = new DataView(new ArrayBuffer(8));

// Each is a field as what it should be. @throws Error when its wire type is another.

export function doubleOf(field: Field): number {
  expectWire(field, Wire.Fixed64);
  scratch.setBigUint64(0, field.bits);
  return scratch.getFloat64(0);
}

export function floatOf(field: Field): number {
  expectWire(field, Wire.Fixed32);
  scratch.setUint32(0, Number(field.bits));
  return scratch.getFloat32(0);
}

export function int64Of(field: Field): number {
  expectWire(field, Wire.Varint);
  const value = Number(BigInt.asIntN(64, field.bits));
  if (!Number.isSafeInteger(value)) throw new Error(`field ${field.number} is a number beyond 2^53`);
  return value;
}

export function bytesOf(field: Field): Uint8Array {
  expectWire(field, Wire.Bytes);
  return field.bytes;
}

export const stringOf = (field: Field): string => utf8.decode(bytesOf(field));

/** Of a repeated field, one number or several at once. */
export function doublesOf(field: Field): number[] {
  return field.wire === Wire.Bytes ? packed(field, 8, (view, at) => view.getFloat64(at, true)) : [doubleOf(field)];
}

export function floatsOf(field: Field): number[] {
  return field.wire === Wire.Bytes ? packed(field, 4, (view, at) => view.getFloat32(at, true)) : [floatOf(field)];
}

function packed({ number, bytes }: Field, size: number, read: (view: DataView, at: number) => number): number[] {
  if (bytes.length % size !== 0)
    throw new Error(`field ${number} has ${bytes.length} bytes, which are no whole numbers`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / size }, (_, i) => read(view, size * i));
}
