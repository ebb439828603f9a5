// What the headers of the programs and libraries of Linux say.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

type Read = (at: number, length: number) => Buffer;

/**
 * Whether the running program uses musl, as on Alpine, in place of glibc: its header names the dynamic linker. That is
 * right in Bun and Deno too, and takes a fiftieth of what Node's own report does.
 */
export function usesMusl(): boolean {
  return ask(process.execPath, (read) => interpreterOf(read).includes('/ld-musl-')) ?? false;
}

/**
 * Whether the end of a library is missing, as after a download that broke off: the system would end the process when
 * it comes to the gap. The last thing in the file is the table of its sections.
 */
export function isCutShort(library: string): boolean {
  const answer = ask(library, (read, size) => {
    const header = read(0, 64);
    return Number(header.readBigUInt64LE(40)) + header.readUInt16LE(58) * header.readUInt16LE(60) > size;
  });
  return answer ?? false;
}

/** The answer of a file, or undefined when it cannot be read or is none of its kind. */
function ask(path: string, question: (read: Read, size: number) => boolean): boolean | undefined {
  try {
    const file = openSync(path, 'r');
    try {
      const read: Read = (at, length) => {
        const bytes = Buffer.alloc(length);
        readSync(file, bytes, 0, length, at);
        return bytes;
      };
      return read(0, 4).toString('latin1') === '\x7fELF' ? question(read, fstatSync(file).size) : undefined;
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
}

function interpreterOf(read: Read): string {
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
