// What a 64-bit ELF file says of itself.
const nameAt = (bytes, at) => bytes.toString('latin1', at, bytes.indexOf(0, at));

export function readElf(bytes) {
  if (bytes.readUInt32BE(0) !== 0x7f454c46 || bytes[4] !== 2 || bytes[5] !== 1) throw new Error('no 64-bit ELF file');
  const segments = readSegments(bytes);
  const dynamic = readDynamic(bytes, segments);
  const first = (tag) => dynamic.find((entry) => entry.tag === tag)?.value ?? 0;
  const offsetOf = (address) => {
    const load = segments.find(({ type, start, size }) => type === 1 && address >= start && address < start + size);
    return address - load.start + load.offset;
  };
  const strings = offsetOf(first(5));
  const named = (tag) =>
    dynamic.filter((entry) => entry.tag === tag).map(({ value }) => nameAt(bytes, strings + value));
  const versions = first(0x6ffffffe) > 0 ? readVersions(bytes, offsetOf(first(0x6ffffffe)), strings) : new Map();
  const table = {
    symbols: sectionOf(bytes, 11),
    versionOf: offsetOf(first(0x6ffffff0) || first(6)),
    strings,
    versions,
  };
  const symbols = readSymbols(bytes, table, first(0x6ffffff0) > 0);
  const stack = segments.find(({ type }) => type === 0x6474e551);
  return {
    machine: bytes.readUInt16LE(18),
    isLibrary: bytes.readUInt16LE(16) === 3,
    needed: named(1),
    searchPaths: [...named(15), ...named(29)],
    staysLoaded: (first(0x6ffffffb) & 8) !== 0,
    writesCode: first(22) !== 0 || segments.some(({ flags }) => (flags & 3) === 3),
    hasExecutableStack: stack === undefined || (stack.flags & 1) !== 0,
    exported: symbols.filter(({ isDefined }) => isDefined).map(({ name }) => name),
    wanted: symbols.filter(({ isDefined }) => !isDefined),
  };
}

const number = (bytes, at) => Number(bytes.readBigUInt64LE(at));

function readSegments(bytes) {
  const at = number(bytes, 32);
  return Array.from({ length: bytes.readUInt16LE(56) }, (_, i) => {
    const header = at + 56 * i;
    const [offset, start, , size] = [8, 16, 24, 32].map((field) => number(bytes, header + field));
    return { type: bytes.readUInt32LE(header), flags: bytes.readUInt32LE(header + 4), offset, start, size };
  });
}

function readDynamic(bytes, segments) {
  const { offset, size } = segments.find(({ type }) => type === 2);
  return Array.from({ length: size / 16 }, (_, i) => offset + 16 * i).map((at) => ({
    tag: number(bytes, at),
    value: number(bytes, at + 8),
  }));
}

function sectionOf(bytes, type) {
  const at = number(bytes, 40);
  for (let i = 0; i < bytes.readUInt16LE(60); i++) {
    const header = at + 64 * i;
    if (bytes.readUInt32LE(header + 4) === type)
      return { offset: number(bytes, header + 24), size: number(bytes, header + 32) };
  }
  throw new Error(`no section of type ${type}`);
}

/** From the number of a version, as symbols have it, to the library and the version's name. */
function readVersions(bytes, start, strings) {
  const versions = new Map();
  for (let at = start, next = 1; next !== 0; at += next) {
    const library = nameAt(bytes, strings + bytes.readUInt32LE(at + 4));
    let entry = at + bytes.readUInt32LE(at + 8);
    for (let i = 0; i < bytes.readUInt16LE(at + 2); i++) {
      versions.set(bytes.readUInt16LE(entry + 6), {
        library,
        version: nameAt(bytes, strings + bytes.readUInt32LE(entry + 8)),
      });
      entry += bytes.readUInt32LE(entry + 12);
    }
    next = bytes.readUInt32LE(at + 12);
  }
  return versions;
}

function readSymbols(bytes, { symbols, versionOf, strings, versions }, hasVersions) {
  return Array.from({ length: symbols.size / 24 - 1 }, (_, i) => {
    const at = symbols.offset + 24 * (i + 1);
    return {
      name: nameAt(bytes, strings + bytes.readUInt32LE(at)),
      isWeak: bytes[at + 4] >> 4 === 2,
      isDefined: bytes.readUInt16LE(at + 6) !== 0,
      version: hasVersions ? versions.get(bytes.readUInt16LE(versionOf + 2 * (i + 1)) & 0x7fff)?.version : undefined,
    };
  });
}
