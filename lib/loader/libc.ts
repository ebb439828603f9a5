import { closeSync, openSync, readSync } from 'node:fs';

/**
 * Whether the running program uses musl, as on Alpine, in place of glibc: its ELF header names the dynamic linker. That
 * is right in Bun and Deno too, and takes a fiftieth of what Node's own report does.
 */
export function usesMusl(): boolean {
  try {
    const file = openSync(process.execPath, 'r');
    try {
      return interpreterOf(file).includes('/ld-musl-');
    } finally {
      closeSync(file);
    }
  } catch {
    return false; // Not allowed to read it. The binary for the other C library will be tried as well.
  }
}

function interpreterOf(file: number): string {
  const read = (at: number, length: number): Buffer => {
    const bytes = Buffer.alloc(length);
    readSync(file, bytes, 0, length, at);
    return bytes;
  };
  const header = read(0, 64);
  const size = header.readUInt16LE(54);
  const segments = read(Number(header.readBigUInt64LE(32)), size * header.readUInt16LE(56));
  for (let at = 0; at < segments.length; at += size) {
    const isInterpreter = segments.readUInt32LE(at) === 3;
    if (isInterpreter)
      return read(Number(segments.readBigUInt64LE(at + 8)), 256)
        .toString('latin1')
        .split('\0', 1)[0]!;
  }
  return '';
}
