import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const root = dirname(require.resolve('gradstep/package.json'));

function filesUnder(folder: string, ending: RegExp): string[] {
  const path = join(root, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((file) => ending.test(file))
    .map((file) => join(folder, file));
}

function linesMatching(files: string[], pattern: RegExp): string[] {
  return files.flatMap((file) =>
    readFileSync(join(root, file), 'utf8')
      .split('\n')
      .filter((line) => pattern.test(line))
      .map((line) => `${file}: ${line.trim()}`),
  );
}

/** What `nm -P` says of one symbol: its mangled name and its kind, a letter that is upper case, u, v or w when not local. */
interface ObjectSymbol {
  readonly name: string;
  readonly kind: string;
}

function symbolsOf(objectFile: string): ObjectSymbol[] {
  const lines = execFileSync('nm', ['-P', join(root, objectFile)], { encoding: 'utf8' }).split('\n');
  return lines.map((line) => line.split(' ')).map(([name = '', kind = '']) => ({ name, kind }));
}

// Code of each instruction set may run only after dispatch has chosen it. The linker keeps one of several functions of
// the same name, from whichever object comes first: were that one compiled with AVX-512, older processors would crash.
describe('an object compiled for one instruction set', () => {
  const objectFiles = [
    ...filesUnder('build/Release/obj.target', /isa_\w+[\\/].*\.o$/),
    ...filesUnder('build/cmake/addon/CMakeFiles', /isa_\w+\.dir[\\/].*\.o$/),
  ];
  const called = new Set(['memcpy', 'memmove', 'memset', 'memcmp', 'fma', 'fmaf', '_GLOBAL_OFFSET_TABLE_']);

  it('is there to be looked at', () => {
    const expected = process.arch === 'x64' ? ['scalar', 'avx2', 'avx512'] : ['scalar', 'neon'];
    const found = objectFiles.map((file) => basename(file).replace(/(\.cpp)?\.o$/, ''));
    expect(found).to.include.members(expected);
  });

  for (const objectFile of objectFiles) {
    const isa = basename(objectFile).replace(/(\.cpp)?\.o$/, '');
    const ownNamespace = new RegExp(`^_ZNK?8gradstep${isa.length}${isa}`);

    it(`shares no function with another one (${isa})`, () => {
      const shared = symbolsOf(objectFile).filter(
        ({ name, kind }) => /[A-TV-Zu]/.test(kind) && !ownNamespace.test(name),
      );
      expect(shared).to.deep.equal([]);
    });

    it(`calls nothing but memcpy, fma and their like (${isa})`, () => {
      const others = symbolsOf(objectFile).filter(({ name, kind }) => /[Uvw]/.test(kind) && !called.has(name));
      expect(others).to.deep.equal([]);
    });

    it(`runs nothing while it is loaded (${isa})`, () => {
      expect(symbolsOf(objectFile).filter(({ name }) => name.startsWith('_GLOBAL__sub_I'))).to.deep.equal([]);
      expect(execFileSync('objdump', ['-h', join(root, objectFile)], { encoding: 'utf8' })).not.to.match(
        /init_array|ctors/,
      );
    });
  }
});

describe('the native sources', () => {
  const sources = /\.(h|cpp)$/;

  it('include no standard library where they are compiled per instruction set', () => {
    const perIsa = ['native/simd', 'native/kernels', 'native/isa'].flatMap((folder) => filesUnder(folder, sources));
    const includes = linesMatching(perIsa, /^\s*#\s*include\s*</);
    const allowed = /<(stddef|stdint|immintrin|arm_neon)\.h>/;
    expect(includes.filter((line) => !allowed.test(line))).to.deep.equal([]);
  });

  it('use intrinsics in the vector vocabulary only', () => {
    const others = ['kernels', 'isa', 'runtime', 'drivers', 'mpi', 'binding'].flatMap((name) =>
      filesUnder(`native/${name}`, sources),
    );
    expect(linesMatching(others, /immintrin|arm_neon|\b_mm\d*_|\bv\w+q_[fsu]\d/)).to.deep.equal([]);
  });

  it('know the operating system in runtime/os only', () => {
    const others = filesUnder('native', sources).filter((file) => !/native.(test|runtime.os)/.test(file));
    const headers =
      /<(pthread|dlfcn|sched|signal|unistd|windows|malloc|fcntl|sys\/.*|mach.*)\.h>|<(fstream|iostream|thread)>|\b(posix_memalign|aligned_alloc)\b/;
    expect(linesMatching(others, headers)).to.deep.equal([]);
  });

  it('turn numbers into addresses in one file of the binding', () => {
    const others = filesUnder('native/binding', sources).filter((file) => !file.endsWith('addresses.cpp'));
    expect(linesMatching(others, /reinterpret_cast/)).to.deep.equal([]);
  });

  it('are all in the list that both builds read', () => {
    const text = readFileSync(join(root, 'native/sources.gypi'), 'utf8');
    const listed = Object.values((JSON.parse(text) as { variables: Record<string, string[]> }).variables).flat();
    const present = ['isa', 'runtime', 'drivers', 'mpi', 'binding'].flatMap((name) =>
      filesUnder(`native/${name}`, /\.cpp$/),
    );
    expect(listed).to.have.members(present.map((file) => file.replaceAll('\\', '/')));
  });
});

describe('the TypeScript sources', () => {
  it('ask the class of an array for its dtype only where the array of a caller comes in', () => {
    const lib = filesUnder('lib', /\.ts$/);
    const asking = linesMatching(lib, /\bdtypeOf\(/).map((line) => line.split(':')[0]);
    const places = ['lib/tensor/arrays.ts', 'lib/tensor/tensor.ts', 'lib/tensor/variable.ts'];
    expect(new Set(asking.map((file) => file!.replaceAll('\\', '/')))).to.deep.equal(new Set(places));
    expect(linesMatching(lib, /instanceof Float(32|64)Array/)).to.deep.equal([]);
  });
});

describe('the package', () => {
  it('needs no other package and runs nothing when it is installed', () => {
    const text = readFileSync(join(root, 'package.json'), 'utf8');
    const { dependencies = {}, scripts } = JSON.parse(text) as Record<
      'dependencies' | 'scripts',
      Record<string, string>
    >;
    expect(dependencies).to.deep.equal({});
    expect(scripts).not.to.have.any.keys('preinstall', 'install', 'postinstall', 'prepare', 'prepublish');
  });

  it('names the binaries in the entry only', () => {
    const others = filesUnder('lib', /\.ts$/).filter((file) => basename(file) !== 'gradstep.ts');
    expect(linesMatching(others, /require\('.*prebuilds/)).to.deep.equal([]);
  });
});
