// Cyclic redundancy checks of 32 bits, a byte at a time: Castagnoli's for records, that of ISO 3309 for PNG.

type Crc = (bytes: Uint8Array, start?: number, end?: number) => number;

/** @param polynomial the reflected one. */
function crcOf(polynomial: number): Crc {
  const table = Uint32Array.from({ length: 256 }, (_, byte) => {
    let rest = byte;
    for (let bit = 0; bit < 8; bit++) rest = (rest >>> 1) ^ (rest & 1 ? polynomial : 0);
    return rest;
  });
  return (bytes, start = 0, end = bytes.length) => {
    let crc = -1;
    for (let i = start; i < end; i++) crc = (crc >>> 8) ^ table[(crc ^ bytes[i]!) & 255]!;
    return ~crc >>> 0;
  };
}

/** CRC-32C, the Castagnoli one. */
export const crc32c = crcOf(0x82f63b78);
/** That of PNG and zlib. */
export const crc32 = crcOf(0xedb88320);

/** A checksum as records carry it: a checksum of bytes that hold their own checksum would say little. */
export function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
