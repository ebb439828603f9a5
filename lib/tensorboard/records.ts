import { crc32c, masked } from './crc';

// A record: the payload's length in 8 bytes, the masked CRC-32C of these, the payload, its masked CRC-32C; little-endian.

export const headerBytes = 12;
export const footerBytes = 4;

/** How many bytes a record takes. */
export const recordBytes = (payload: Uint8Array): number => headerBytes + payload.length + footerBytes;

function writeUint32(out: Uint8Array, at: number, value: number): void {
  for (let i = 0; i < 4; i++) out[at + i] = value >>> (8 * i);
}

/** Writes a record. Returns where it ends. */
export function writeRecord(out: Uint8Array, start: number, payload: Uint8Array): number {
  writeUint32(out, start, payload.length);
  writeUint32(out, start + 4, 0); // an array of 2^32 bytes would not fit a message
  writeUint32(out, start + 8, masked(crc32c(out, start, start + 8)));
  out.set(payload, start + headerBytes);
  const end = start + headerBytes + payload.length;
  writeUint32(out, end, masked(crc32c(payload)));
  return end + footerBytes;
}

/** A record by itself. */
export function recordOf(payload: Uint8Array): Uint8Array {
  const out = new Uint8Array(recordBytes(payload));
  writeRecord(out, 0, payload);
  return out;
}
