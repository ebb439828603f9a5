// What must be true of a binary before anybody gets it, read from its bytes: no program runs, so that any machine can
// look at all of them.
import { existsSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { readElf } from './elf.mjs';
import { readMachO } from './macho.mjs';
import { readPe } from './pe.mjs';
import { exported, nodeApi, windowsImports } from './targets.mjs';

const mostBytes = 4 * 2 ** 20;
const mostPacked = 12_000_000;

/** @returns what is wrong with the target's file, in sentences; none when all is well. */
export function faultsOf(target, bytes = read(target)) {
  if (bytes === undefined) return [`${target.file} is not there`];
  try {
    return [...faultsOfAny(target, bytes), ...formats[target.system.format](target, bytes)];
  } catch (error) {
    return [`it cannot be read: ${error.message}`];
  }
}

/** What is wrong with all of them together: the package holds them packed. */
export function faultsOfSum(targets) {
  const files = targets.map(read).filter((bytes) => bytes !== undefined);
  const packed = files.reduce((sum, bytes) => sum + gzipSync(bytes).length, 0);
  return packed > mostPacked ? [`packed they take ${packed} bytes, more than ${mostPacked}`] : [];
}

const read = ({ file }) => (existsSync(file) ? readFileSync(file) : undefined);

const formats = { elf: faultsOfElf, macho: faultsOfMachO, pe: faultsOfPe };

/** A fault for each of `wrong` that there is. */
const each = (wrong, say) => wrong.map(say);
const unless = (holds, fault) => (holds ? [] : [fault]);
const sameNames = (a, b) => [...a].sort().join() === [...b].sort().join();

function faultsOfAny({ cpu }, bytes) {
  const own = process.cwd();
  return [
    ...unless(bytes.length <= mostBytes, `it has ${bytes.length} bytes, more than ${mostBytes}`),
    ...each(
      cpu.isas.filter((isa) => !bytes.includes(`${isa}\0`)),
      (isa) => `the kernels for ${isa} are missing`,
    ),
    ...each(
      [own, '/home/', 'build/toolchain'].filter((path) => bytes.includes(path)),
      (path) => `it names the folder ${path} of the machine that built it`,
    ),
  ];
}

const exportFaults = (names) =>
  unless(sameNames(names, exported), `it shows ${names.join(', ') || 'nothing'} in place of ${exported.join(', ')}`);

function faultsOfElf({ system, cpu }, bytes) {
  const file = readElf(bytes);
  const isOurs = (library) => [...system.needed, cpu.glibc.loader].includes(library);
  return [
    ...unless(file.isLibrary && file.machine === cpu.elf.machine, `it is for machine ${file.machine}`),
    ...exportFaults(file.exported),
    ...each(
      file.needed.filter((library) => !isOurs(library)),
      (library) => `it needs ${library}`,
    ),
    ...unless(file.needed.includes(system.needed[0]), `it does not say that it needs ${system.needed[0]}`),
    ...each(file.searchPaths, (path) => `it looks for libraries in ${path}`),
    ...unless(!file.hasExecutableStack, 'it wants a stack that can be executed'),
    ...unless(!file.writesCode, 'it has code that is written to'),
    ...unless(file.staysLoaded, 'it can be unloaded, while its threads run'),
    ...each(
      file.wanted.filter((symbol) => !system.mayWant(symbol, cpu)),
      ({ name, version }) => `it wants ${name}${version ? `@${version}` : ''}`,
    ),
  ];
}

function faultsOfMachO({ system, cpu }, bytes) {
  const file = readMachO(bytes);
  const node = new Set(nodeApi());
  const { signature } = file;
  return [
    ...unless(file.isBundle && file.cpuType === cpu.macho.cpuType, `it is for processor ${file.cpuType}`),
    ...exportFaults(file.exported),
    ...unless(sameNames(file.needed, system.needed), `it needs ${file.needed.join(', ')}`),
    ...each(file.searchPaths, (path) => `it looks for libraries in ${path}`),
    ...unless(!file.hasExecutableStack, 'it wants a stack that can be executed'),
    ...unless(
      file.platform === 1 && file.oldestSystem === '11.0',
      `it is for platform ${file.platform} from ${file.oldestSystem}`,
    ),
    ...unless(file.hasUuid, 'it has no UUID, which new systems ask for'),
    ...each(
      file.wanted.filter(({ name, library }) => library !== 1 && !node.has(name)),
      ({ name }) => `it wants ${name} of the program`,
    ),
    ...unless(signature?.isAdHoc && signature.isWhole, 'it is not signed'),
    ...unless(!signature?.wrongPages, `${signature?.wrongPages} pages are not those that were signed`),
  ];
}

function faultsOfPe({ cpu }, bytes) {
  const file = readPe(bytes);
  const safety = 0x160; // addresses of 64 bits that nobody can guess, no data that is executed
  return [
    ...unless(file.isLibrary && file.machine === cpu.pe.machine, `it is for machine ${file.machine}`),
    ...exportFaults(file.exported),
    ...unless((file.safety & safety) === safety, 'it has fixed addresses or executable data'),
    ...unless(file.time === 0, 'it says when it was built'),
    ...importFaults(file.imports, windowsImports, 'at once'),
    ...importFaults(file.lateImports, { 'node.exe': nodeApi() }, 'late'),
  ];
}

function importFaults(found, allowed, when) {
  const wrong = (library, names) => names.filter((name) => !allowed[library]?.includes(name));
  const faults = Object.entries(found).flatMap(([library, names]) =>
    each(wrong(library, names), (name) => `it wants ${name} of ${library} ${when}`),
  );
  return [
    ...faults,
    ...unless(sameNames(Object.keys(found), Object.keys(allowed)), `it loads ${Object.keys(found).join(', ')} ${when}`),
  ];
}
