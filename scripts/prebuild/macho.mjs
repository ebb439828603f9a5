// What a 64-bit Mach-O file says of itself, and whether its signature is of these very bytes.
import { createHash } from 'node:crypto';

const command = { symbols: 2, needs: 12, searchPath: 0x8000001c, signature: 29, uuid: 27, system: 50 };

export function readMachO(bytes) {
  if (bytes.readUInt32LE(0) !== 0xfeedfacf) throw new Error('no 64-bit Mach-O file');
  const commands = readCommands(bytes);
  const all = (id) => commands.filter((each) => each.id === id).map(({ at }) => at);
  const text = (at, field) => readText(bytes, at + bytes.readUInt32LE(at + field));
  const [symbolTable] = all(command.symbols);
  const [system] = all(command.system);
  const [signature] = all(command.signature);
  const symbols = readSymbols(bytes, symbolTable);
  return {
    cpuType: bytes.readUInt32LE(4),
    isBundle: bytes.readUInt32LE(12) === 8,
    hasExecutableStack: (bytes.readUInt32LE(24) & 0x20000) !== 0,
    needed: all(command.needs).map((at) => text(at, 8)),
    searchPaths: all(command.searchPath).map((at) => text(at, 8)),
    hasUuid: all(command.uuid).length === 1,
    platform: bytes.readUInt32LE(system + 8),
    oldestSystem: `${bytes.readUInt16LE(system + 14)}.${bytes[system + 13]}`,
    exported: symbols.filter(({ isDefined }) => isDefined).map(({ name }) => name),
    wanted: symbols.filter(({ isDefined }) => !isDefined),
    signature: signature === undefined ? undefined : readSignature(bytes, bytes.readUInt32LE(signature + 8)),
  };
}

const readText = (bytes, at) => bytes.toString('latin1', at, bytes.indexOf(0, at));

function readCommands(bytes) {
  const commands = [];
  for (let at = 32; commands.length < bytes.readUInt32LE(16); at += bytes.readUInt32LE(at + 4)) {
    commands.push({ id: bytes.readUInt32LE(at), at });
  }
  return commands;
}

function readSymbols(bytes, table) {
  const [symbols, count, strings] = [8, 12, 16].map((field) => bytes.readUInt32LE(table + field));
  return Array.from({ length: count }, (_, i) => symbols + 16 * i)
    .filter((at) => (bytes[at + 4] & 0xe1) === 1) // visible outside, and nothing for a debugger
    .map((at) => ({
      name: readText(bytes, strings + bytes.readUInt32LE(at)).replace(/^_/, ''),
      isDefined: (bytes[at + 4] & 0x0e) !== 0,
      library: bytes[at + 7], // by its place among those needed, from 1
    }));
}

/** The hash of each page is in the signature; a system refuses to run a page that has another. */
function readSignature(bytes, at) {
  if (bytes.readUInt32BE(at) !== 0xfade0cc0) throw new Error('the signature is none');
  const count = bytes.readUInt32BE(at + 8);
  const blobs = Array.from({ length: count }, (_, i) => at + bytes.readUInt32BE(at + 16 + 8 * i));
  const directory = blobs.find((blob) => bytes.readUInt32BE(blob) === 0xfade0c02);
  const [flags, hashes, , , pages, end] = [12, 16, 20, 24, 28, 32].map((field) =>
    bytes.readUInt32BE(directory + field),
  );
  const size = 1 << bytes[directory + 39];
  const isRight = (page) => {
    const own = bytes.subarray(page * size, Math.min(end, (page + 1) * size));
    const hash = directory + hashes + 32 * page;
    return createHash('sha256')
      .update(own)
      .digest()
      .equals(bytes.subarray(hash, hash + 32));
  };
  const wrong = Array.from({ length: pages }, (_, page) => page).filter((page) => !isRight(page));
  return {
    isAdHoc: (flags & 2) !== 0,
    isWhole: end === at && pages === Math.ceil(end / size),
    wrongPages: wrong.length,
  };
}
