import { crc32c, masked } from './crc';

// A record: the payload's length in 8 bytes, the masked CRC-32C of these, the payload, its masked CRC-32C; little-endian.

export const headerBytes = 12;
export const footerBytes = 4;

/** How many bytes a record takes. */
export const recordBytes = (payload: Uint8Array): number => headerBytes + payload.length + footerBytes;

/** Writes a record. Returns where it ends. */
export function writeRecord(out: Uint8Array, start: number, payload: Uint8Array): number {
  const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
  view.setUint32(start, payload.length, true);
  view.setUint32(start + 4, 0, true); // an array of 2^32 bytes would not fit a message
  view.setUint32(start + 8, masked(crc32c(out, start, start + 8)), true);
  out.set(payload, start + headerBytes);
  const end = start + headerBytes + payload.length;
  view.setUint32(end, masked(crc32c(payload)), true);
  return end + footerBytes;
}

/** A record by itself. */
export function recordOf(payload: Uint8Array): Uint8Array {
  const out = new Uint8Array(recordBytes(payload));
  writeRecord(out, 0, payload);
  return out;
}
