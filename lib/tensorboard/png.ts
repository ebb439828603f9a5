import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import { crc32 } from './crc';
import type { Pixels } from './pixels';

/** An image as PNG. */
export interface Png {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly bytes: Uint8Array;
}

const compressed = promisify<Uint8Array, Uint8Array>(deflate);

const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const colorTypes: Readonly<Record<number, number>> = { 1: 0, 3: 2, 4: 6 };
const latin1 = new TextEncoder();

/** Length, name, data and checksum. */
function chunk(name: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(latin1.encode(name), 4);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crc32(bytes, 4, 8 + data.length));
  return bytes;
}

function header({ width, height, channels }: Pixels): Uint8Array {
  const bytes = new Uint8Array(13);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  bytes[8] = 8; // bits of a sample
  bytes[9] = colorTypes[channels]!;
  return bytes;
}

/** Compresses an image, off the event loop. */
export async function encodePng(pixels: Pixels): Promise<Png> {
  const { width, height, channels, lines } = pixels;
  const data = await compressed(lines);
  const parts = [signature, chunk('IHDR', header(pixels)), chunk('IDAT', data), chunk('IEND', new Uint8Array(0))];
  return { width, height, channels, bytes: Buffer.concat(parts) };
}
