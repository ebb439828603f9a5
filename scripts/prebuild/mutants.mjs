// Ways to spoil a binary, and the fault that the verification must find then.
import { Buffer } from 'node:buffer';

/** A copy in which `from` has become `to`, wherever it is. */
function replaced(bytes, from, to) {
  const copy = Buffer.from(bytes);
  for (let at = copy.indexOf(from); at >= 0; at = copy.indexOf(from, at + 1)) copy.write(to, at, 'latin1');
  return copy;
}

function changed(bytes, change) {
  const copy = Buffer.from(bytes);
  change(copy);
  return copy;
}

const ofAll = ({ cpu }) => [
  { name: 'its end missing', spoil: (bytes) => bytes.subarray(0, 4000), fault: /cannot be read/ },
  { name: 'too much in it', spoil: (bytes) => Buffer.concat([bytes, Buffer.alloc(4 * 2 ** 20)]), fault: /more than/ },
  { name: 'kernels missing', spoil: (bytes) => replaced(bytes, `${cpu.isas.at(-1)}\0`, 'x'), fault: /kernels for/ },
  {
    name: 'a path in it',
    spoil: (bytes) => Buffer.concat([bytes, Buffer.from('/home/me')]),
    fault: /names the folder/,
  },
  {
    name: 'another export',
    spoil: (bytes) => replaced(bytes, 'node_api_module_get_api', 'node_api_module_gat_api'),
    fault: /it shows/,
  },
];

/** Where the program header of this type is. */
function segment(bytes, type) {
  let at = Number(bytes.readBigUInt64LE(32));
  while (bytes.readUInt32LE(at) !== type) at += 56;
  return at;
}

/** Where the dynamic entry with this tag is. */
function dynamic(bytes, tag) {
  let at = Number(bytes.readBigUInt64LE(segment(bytes, 2) + 8));
  while (bytes.readBigUInt64LE(at) !== BigInt(tag)) at += 16;
  return at;
}

const formats = {
  elf: [
    {
      name: 'another processor',
      spoil: (bytes) => changed(bytes, (copy) => copy.writeUInt16LE(243, 18)),
      fault: /machine 243/,
    },
    {
      name: 'an executable stack',
      spoil: (bytes) => changed(bytes, (copy) => copy.writeUInt32LE(7, segment(copy, 0x6474e551) + 4)),
      fault: /stack/,
    },
    {
      name: 'a search path',
      spoil: (bytes) => changed(bytes, (copy) => copy.writeBigUInt64LE(29n, dynamic(copy, 1))),
      fault: /looks for libraries in/,
    },
    { name: 'another library', spoil: (bytes) => replaced(bytes, 'libc.so', 'libz.so'), fault: /needs libz\.so/ },
    {
      name: 'an unknown function',
      spoil: (bytes) => replaced(bytes, 'napi_get_cb_info', 'napi_got_cb_info'),
      fault: /wants napi_got/,
    },
    {
      name: 'no flag that keeps it',
      spoil: (bytes) => changed(bytes, (copy) => copy.writeBigUInt64LE(1n, dynamic(copy, 0x6ffffffb) + 8)),
      fault: /unloaded/,
    },
  ],
  macho: [
    {
      name: 'another processor',
      spoil: (bytes) => changed(bytes, (copy) => copy.writeUInt32LE(7, 4)),
      fault: /processor 7/,
    },
    {
      name: 'one byte of code changed',
      spoil: (bytes) => changed(bytes, (copy) => (copy[0x8000] ^= 1)),
      fault: /1 pages are not/,
    },
    {
      name: 'another library',
      spoil: (bytes) => replaced(bytes, 'libSystem', 'libSystom'),
      fault: /needs .*libSystom/,
    },
    {
      name: 'an unknown function',
      spoil: (bytes) => replaced(bytes, 'napi_get_cb_info', 'napi_got_cb_info'),
      fault: /wants napi_got/,
    },
  ],
  pe: [
    {
      name: 'another processor',
      spoil: (bytes) => changed(bytes, (copy) => copy.writeUInt16LE(0x14c, copy.readUInt32LE(0x3c) + 4)),
      fault: /machine 332/,
    },
    {
      name: 'a time',
      spoil: (bytes) => changed(bytes, (copy) => copy.writeUInt32LE(1, copy.readUInt32LE(0x3c) + 8)),
      fault: /when it was built/,
    },
    { name: 'another library', spoil: (bytes) => replaced(bytes, 'ucrtbase', 'msvcr100'), fault: /msvcr100/ },
    {
      name: 'an unknown function',
      spoil: (bytes) => replaced(bytes, 'napi_get_cb_info', 'napi_got_cb_info'),
      fault: /wants napi_got/,
    },
    {
      name: 'fixed addresses',
      spoil: (bytes) => changed(bytes, (copy) => copy.writeUInt16LE(0, copy.readUInt32LE(0x3c) + 24 + 70)),
      fault: /fixed addresses/,
    },
  ],
};

const ofGlibc = [
  { name: 'a newer C library', spoil: (bytes) => replaced(bytes, 'GLIBC_2.17', 'GLIBC_2.34'), fault: /@GLIBC_2\.34/ },
];

export function mutants(target) {
  const { format, needed = [] } = target.system;
  return [...ofAll(target), ...formats[format], ...(needed.includes('libc.so.6') ? ofGlibc : [])];
}
