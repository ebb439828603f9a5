// Compiles and links one target of the table.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fingerprint, isFresh, listFiles, packageJson, run, writeFile } from '../files.mjs';
import { gcc, llvm, packages, standardLibrary } from './targets.mjs';
import { folderOf, needCompiler, needPackage } from './toolchain.mjs';

// As in binding.gyp. Paths are relative to the project and no debug information is written: no folder's name gets in.
const common = [
  ...[
    '-ffp-contract=off',
    '-fno-math-errno',
    '-fvisibility=hidden',
    '-fvisibility-inlines-hidden',
    '-ffunction-sections',
  ],
  ...['-fdata-sections', '-fno-exceptions', '-fno-rtti', '-fno-lto', '-g0', '-Qn'],
];
const own = ['-std=c++17', '-O3', '-Wall', '-Wextra', '-Werror'];

// What `__config_site` says of a libc++ that was configured.
const libcxxSettings = [
  ...['_LIBCPP_ABI_VERSION=1', '_LIBCPP_ABI_NAMESPACE=__1', '_LIBCPP_DISABLE_VISIBILITY_ANNOTATIONS'],
  ...['_LIBCXXABI_DISABLE_VISIBILITY_ANNOTATIONS', '_LIBCPP_HAS_NO_VENDOR_AVAILABILITY_ANNOTATIONS'],
  '_LIBCPP_HAS_NO_PSTL_CPU_BACKEND',
].map((setting) => `-D${setting}`);

const packageFolder = (key) => folderOf(packages[key]);

const stampOf = ({ name }) => `build/prebuild/${name}.stamp`;

function madeOf({ name }) {
  const sources = listFiles('native', ['.cpp', '.h', '.gypi']).filter(
    (file) => !file.startsWith(join('native', 'test')),
  );
  const scripts = listFiles('scripts/prebuild', ['.mjs', '.cpp', '.h', '.c']);
  return fingerprint([...sources, ...scripts], [packageJson().version, name]);
}

/** Whether there is no binary of the present sources. */
export const isStale = (target) => !existsSync(target.file) || !isFresh(stampOf(target), madeOf(target));

export async function build(target) {
  const { system, cpu } = target;
  const folder = join('build/prebuild', target.name);
  needCompiler();
  for (const key of system.packages(cpu)) needPackage(packages[key]);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const jobs = compilations(target, folder);
  await inParallel(jobs.map(({ command }) => command));
  const tools = linkingTools(folder, target, jobs);
  tools.libraries = system.libraries?.(cpu, packageFolder, tools) ?? [];
  tools.run(system.link(cpu, packageFolder, tools));
  mkdirSync(dirname(target.file), { recursive: true });
  renameSync(tools.output, target.file);
  writeFile(stampOf(target), madeOf(target));
}

/** For kernels only, which include nothing of a system. */
const gnuCompiler = [`g++-${gcc}`, ...common, '-fPIC'];

/** The compiler for a target, up to what a single file needs. */
function clang({ system, cpu }) {
  const texts = packageFolder('texts');
  const headers = [
    join(texts, 'libcxx/include'),
    join(texts, 'libcxxabi/include'),
    `/usr/lib/llvm-${llvm}/lib/clang/${llvm}/include`,
    ...system.headers(cpu, packageFolder),
  ];
  const includes = headers.flatMap((path) => ['-isystem', path]);
  return [
    `clang++-${llvm}`,
    `--target=${system.triple(cpu)}`,
    '-nostdinc',
    ...includes,
    ...libcxxSettings,
    ...common,
    ...system.flags(cpu),
  ];
}

/** The longest first, so that the last one to end is a short one. */
function compilations(target, folder) {
  const lists = JSON.parse(readFileSync('native/sources.gypi', 'utf8')).variables;
  const standard = standardLibrary(target, packageFolder);
  const groups = [
    ...target.parts.map(({ list, flags, byGcc }) => ({
      name: list,
      byGcc,
      sources: lists[list],
      flags: [...own, ...flags],
    })),
    { name: 'start', sources: target.system.runtimeSources, flags: own },
    { name: 'libcxx', sources: standard.sources, flags: standard.flags },
  ];
  return groups.flatMap(({ name, sources, flags, byGcc }) =>
    sources.map((source) => {
      const object = join(folder, `${name}-${objectName(source)}.o`);
      return { object, command: [...(byGcc ? gnuCompiler : clang(target)), ...flags, '-c', source, '-o', object] };
    }),
  );
}

function linkingTools(folder, target, jobs) {
  const path = (name) => join(folder, name);
  const execute = ([program, ...args]) => run(program, args);
  return {
    objects: jobs.map(({ object }) => object),
    output: path('addon'),
    path,
    run: execute,
    write(name, text) {
      writeFile(path(name), text);
      return path(name);
    },
    /** A shared library that has the names of an assembler file, to link with. */
    sharedStub(name, assembly, flags) {
      const triple = `--target=${target.system.triple(target.cpu)}`;
      execute([`clang-${llvm}`, triple, ...flags, '-c', assembly, '-o', path(`${name}.o`)]);
      execute([`ld.lld-${llvm}`, '-shared', '-soname', name, path(`${name}.o`), '-o', path(name)]);
      return path(name);
    },
  };
}

async function inParallel(commands) {
  const queue = [...commands];
  const worker = async () => {
    for (let command = queue.shift(); command !== undefined; command = queue.shift()) await execute(command);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
}

function execute([program, ...args]) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
    child.on('error', reject);
    child.on('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`${program} ${args.at(-3)} ended with ${code}`)),
    );
  });
}

/** Of the source's whole path: two folders may have files of one name. */
const objectName = (source) => source.replace(/\.cpp$/, '').replaceAll('/', '-');
