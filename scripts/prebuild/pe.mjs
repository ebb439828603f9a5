// What a 64-bit Windows library says of itself.
const readText = (bytes, at) => bytes.toString('latin1', at, bytes.indexOf(0, at));

export function readPe(bytes) {
  const header = bytes.readUInt16LE(0) === 0x5a4d ? bytes.readUInt32LE(0x3c) : 0;
  if (bytes.readUInt32BE(header) !== 0x50450000) throw new Error('no Windows library');
  const optional = header + 24;
  if (bytes.readUInt16LE(optional) !== 0x20b) throw new Error('no 64-bit Windows library');
  const at = sectionReader(bytes, header);
  const directory = (index) => bytes.readUInt32LE(optional + 112 + 8 * index);
  return {
    machine: bytes.readUInt16LE(header + 4),
    isLibrary: (bytes.readUInt16LE(header + 22) & 0x2000) !== 0,
    time: bytes.readUInt32LE(header + 8),
    safety: bytes.readUInt16LE(optional + 70),
    exported: readExports(bytes, at, directory(0)),
    imports: readImports(bytes, at, directory(1), { size: 20, library: 12, names: 0 }),
    lateImports: readImports(bytes, at, directory(13), { size: 32, library: 4, names: 16 }),
  };
}

/** From an address of the loaded library to a place in the file. */
function sectionReader(bytes, header) {
  const table = header + 24 + bytes.readUInt16LE(header + 20);
  const sections = Array.from({ length: bytes.readUInt16LE(header + 6) }, (_, i) => {
    const [size, start, , offset] = [8, 12, 16, 20].map((field) => bytes.readUInt32LE(table + 40 * i + field));
    return { size, start, offset };
  });
  return (address) => {
    const section = sections.find(({ start, size }) => address >= start && address < start + size);
    if (section === undefined) throw new Error(`no section has the address ${address}`);
    return address - section.start + section.offset;
  };
}

function readExports(bytes, at, address) {
  if (address === 0) return [];
  const table = at(address);
  const names = at(bytes.readUInt32LE(table + 32));
  return Array.from({ length: bytes.readUInt32LE(table + 24) }, (_, i) =>
    readText(bytes, at(bytes.readUInt32LE(names + 4 * i))),
  );
}

/** By library, the names. */
function readImports(bytes, at, address, { size, library, names }) {
  const imports = {};
  if (address === 0) return imports;
  for (let entry = at(address); bytes.readUInt32LE(entry + library) !== 0; entry += size) {
    const list = [];
    for (let i = at(bytes.readUInt32LE(entry + names)); bytes.readBigUInt64LE(i) !== 0n; i += 8) {
      const name = bytes.readBigUInt64LE(i);
      list.push(name >> 63n ? `number ${name & 0xffffn}` : readText(bytes, at(Number(name)) + 2));
    }
    imports[readText(bytes, at(bytes.readUInt32LE(entry + library)))] = list;
  }
  return imports;
}
