// Protocol Buffers' wire format, as much of it as events need.

export const enum Wire {
  Varint = 0,
  Fixed64 = 1,
  Bytes = 2,
  Fixed32 = 5,
}

const utf8 = new TextEncoder();

/**
 * Writes a message from its end to its start, so that the length of what is inside of another message is known when it
 * is due: last fields come first. Fields that have their default value are the caller's to leave out.
 */
export class Encoder {
  private buffer = new Uint8Array(1024);
  private view = new DataView(this.buffer.buffer);
  private start = this.buffer.length;

  /** Starts anew. */
  clear(): void {
    this.start = this.buffer.length;
  }

  /** What has been written, until the next `clear`. */
  get written(): Uint8Array {
    return this.buffer.subarray(this.start);
  }

  double(field: number, value: number): void {
    this.view.setFloat64(this.room(8), value, true);
    this.key(field, Wire.Fixed64);
  }

  float(field: number, value: number): void {
    this.view.setFloat32(this.room(4), value, true);
    this.key(field, Wire.Fixed32);
  }

  /** A whole number of 64 bits; negative ones take ten bytes. */
  int64(field: number, value: number): void {
    this.varint(value);
    this.key(field, Wire.Varint);
  }

  doubles(field: number, values: ArrayLike<number>): void {
    let at = this.room(8 * values.length);
    for (let i = 0; i < values.length; i++, at += 8) this.view.setFloat64(at, values[i]!, true);
    this.tag(field, 8 * values.length);
  }

  bytes(field: number, value: Uint8Array): void {
    const at = this.room(value.length); // it may be another buffer afterwards
    this.buffer.set(value, at);
    this.tag(field, value.length);
  }

  string(field: number, value: string): void {
    if (value.length < 128 && this.ascii(value)) this.tag(field, value.length);
    else this.bytes(field, utf8.encode(value));
  }

  /** Writes a short string, unless it has other characters than ASCII's: most tags do not. */
  private ascii(value: string): boolean {
    const { length } = value;
    const at = this.room(length);
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code >= 128) {
        this.start += length;
        return false;
      }
      this.buffer[at + i] = code;
    }
    return true;
  }

  /** What is in front of a field's bytes. */
  private tag(field: number, length: number): void {
    this.varint(length);
    this.key(field, Wire.Bytes);
  }

  /** The message that `content` writes. */
  message(field: number, content: () => void): void {
    const before = this.buffer.length - this.start;
    content();
    this.tag(field, this.buffer.length - this.start - before);
  }

  private key(field: number, wire: Wire): void {
    this.varint((field << 3) | wire);
  }

  private varint(value: number): void {
    if (value >= 0 && value < 128) {
      const at = this.room(1); // in what may be another buffer afterwards
      this.buffer[at] = value;
      return;
    }
    // Of 64 bits in two's complement, 7 at a time.
    let low = (value % 2 ** 32) >>> 0;
    let high = Math.floor(value / 2 ** 32) >>> 0;
    let count = 0;
    do {
      const rest = (low >>> 7) | (high << 25);
      scratch[count++] = (low & 127) | 128;
      high >>>= 7;
      low = rest >>> 0;
    } while (low !== 0 || high !== 0);
    scratch[count - 1]! &= 127;
    const at = this.room(count);
    for (let i = 0; i < count; i++) this.buffer[at + i] = scratch[i]!;
  }

  /** Where so many bytes are to be written. */
  private room(bytes: number): number {
    if (bytes > this.start) this.grow(bytes);
    return (this.start -= bytes);
  }

  private grow(bytes: number): void {
    const { written } = this;
    this.buffer = new Uint8Array(2 * (written.length + bytes));
    this.view = new DataView(this.buffer.buffer);
    this.start = this.buffer.length - written.length;
    this.buffer.set(written, this.start);
  }
}

const scratch = new Uint8Array(10);
