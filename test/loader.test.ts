import { expect } from 'chai';
import { buildSync } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { built, Installation, isMusl, node, root } from './support/published';

const step = `
  const { GradientDescentOptimizer, variable } = require('gradstep');
  const v = variable([1, 2]);
  new GradientDescentOptimizer({ learningRate: 0.5 }).applyGradients([[new Float32Array([1, -1]), v]]);
  console.log(v.data.join());`;
const stepped = '0.5,2.5\n';
const isLinux = process.platform === 'linux';

let installed: Installation;
const use = (target?: string): void => {
  installed?.remove();
  installed = new Installation(target);
};

/** What is said when the library is loaded, as the name of each line and the rest of it. */
function failure(...options: string[]): Record<string, string> {
  return saidBy(installed.run("try { require('gradstep') } catch (e) { console.log(e.message) }", ...options));
}

function saidBy({ status, output }: { status: number | null; output: string }): Record<string, string> {
  expect(output).to.match(/^gradstep cannot load its binary\n/m);
  expect(status).to.equal(0);
  return Object.fromEntries([...output.matchAll(/^ {2}([\w ]+): +(.*)$/gm)].map(([, name, rest]) => [name!, rest!]));
}

/** Puts other bytes in the binary's place. */
function damage(change: (bytes: Buffer) => Uint8Array | string): void {
  writeFileSync(installed.binary, change(readFileSync(installed.binary)));
}

describe('the package as it is published', function () {
  this.timeout(60_000);
  beforeEach(() => use());
  after(() => installed.remove());

  it('steps, by require and by import, by its entry and by that of the target, as one library', () => {
    expect(installed.run(step).output).to.equal(stepped);
    const entry = `gradstep/${installed.target}`;
    expect(installed.run(step.replace("'gradstep'", `'${entry}'`)).output).to.equal(stepped);
    const script = `import * as all from 'gradstep'; import { Variable } from '${entry}';
      import { createRequire } from 'node:module';
      console.log(all.Variable === Variable, createRequire(import.meta.url)('gradstep').Variable === Variable);`;
    expect(installed.run(script, '--input-type=module').output).to.equal('true true\n');
  });

  it('knows nothing of a clone', () => {
    for (const file of [
      'core.js',
      'core-tfjs.js',
      'core-parallel.js',
      'core-tensorboard.js',
      'core-metrics.js',
      'core-mpi.js',
      'gradstep.js',
      'gradstep-tfjs.js',
      'gradstep-parallel.js',
      'gradstep-safetensors.js',
      'gradstep-checkpoint.js',
      'gradstep-layers.js',
      'gradstep-tensorboard.js',
      'gradstep-metrics.js',
      'gradstep-mpi.js',
      'loader/addon.js',
      'loader/failure.js',
    ]) {
      const text = readFileSync(join(installed.library, 'dist', file), 'utf8');
      expect(text, file).not.to.match(/build\/|built-addon|\.\.\/scripts|devDependencies|sourceMappingURL/);
    }
  });

  it('reads and writes safetensors without its binary', () => {
    rmSync(installed.binary);
    const script = (load: string): string => `${load}
      const bytes = st.serializeSafetensors({ w: new Float32Array([1, 2]) });
      console.log(st.parseSafetensors(bytes).read('w').join());`;
    const required = script("const st = require('gradstep/safetensors');");
    expect(installed.run(required).output).to.equal('1,2\n');
    const imported = script("import * as st from 'gradstep/safetensors';");
    expect(installed.run(imported, '--input-type=module').output).to.equal('1,2\n');
  });

  it('saves and restores checkpoints of what `gradstep` made, by require and by import', () => {
    const script = (load: string): string => `${load}
      const w = variable([1, 2], { name: 'w' }), folder = require('node:path').join(process.cwd(), 'checkpoints');
      (async () => {
        await saveCheckpoint(folder, { variables: [w] }, { step: 3 });
        w.assign([0, 0]);
        const { step } = await restoreCheckpoint(folder, { variables: [w] });
        console.log(step, w.data.join());
      })();`;
    const names = '{ saveCheckpoint, restoreCheckpoint }';
    const required = `const { variable } = require('gradstep'), ${names} = require('gradstep/checkpoint');`;
    expect(installed.run(script(required)).output).to.equal('3 1,2\n');
    const imported = `import { createRequire } from 'node:module'; import { variable } from 'gradstep';
      import ${names} from 'gradstep/checkpoint'; const require = createRequire(import.meta.url);`;
    expect(installed.run(script(imported), '--input-type=module').output).to.equal('3 1,2\n');
  });

  it('says in a browser that it does not run there', () => {
    const bundled = buildSync({
      stdin: {
        contents: "import { adam } from 'gradstep/tfjs'; console.log(adam());",
        resolveDir: installed.folder,
      },
      platform: 'browser',
      logLevel: 'error', // it warns that there is no such export
      bundle: true,
      write: false,
    });
    const { status, output } = node(installed.folder, '-e', bundled.outputFiles[0]!.text);
    expect(output).to.match(/Error: gradstep\/tfjs runs native code, which browsers do not: train in Node/);
    expect(status).to.equal(1);
  });

  it('has an entry and types for each target that it chooses among', () => {
    interface Package {
      readonly exports: Record<string, unknown>;
      readonly typesVersions: { readonly '*': Record<string, unknown> };
    }
    const { exports, typesVersions } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Package;
    const text = readFileSync(join(root, 'lib', 'gradstep.ts'), 'utf8');
    const targets = [...text.matchAll(/require\('\.\.\/prebuilds\/(.*)\.node'\)/g)].map(([, target]) => target!);
    expect(targets).to.have.lengthOf(8);
    const entries = [
      'tfjs',
      'parallel',
      'safetensors',
      'checkpoint',
      'layers',
      'tensorboard',
      'metrics',
      'mpi',
      ...targets,
    ];
    expect(Object.keys(exports)).to.have.members(['.', ...entries.map((name) => `./${name}`), './package.json']);
    expect(Object.keys(typesVersions['*'])).to.have.members(entries);
  });

  it('carries one version, in package.json and in the native sources', () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    expect(readFileSync(join(root, 'native', 'binding', 'version.h'), 'utf8')).to.include(`"${version}"`);
  });

  it('takes the file that GRADSTEP_BINARY names', () => {
    const file = join(installed.folder, 'elsewhere.node');
    renameSync(installed.binary, file);
    const setting = 'process.env.GRADSTEP_BINARY = "elsewhere.node";';
    expect(installed.run(setting + step).output).to.equal(stepped);
  });

  it('tries the other C library when the file of the own one is missing', function () {
    if (!isLinux) this.skip();
    use(`${isMusl ? 'linux' : 'linuxmusl'}-${process.arch}`);
    expect(installed.run(step).output).to.equal(stepped);
  });

  it('takes the file for musl where the running program has the dynamic linker of musl', function () {
    if (!isLinux) this.skip();
    const program = join(installed.folder, 'program');
    const head = readFileSync(process.execPath).subarray(0, 8192).toString('latin1');
    writeFileSync(
      program,
      head.replace(/\/lib\S*?ld-linux[^\0]*/, (path) => '/lib/ld-musl-x.so'.padEnd(path.length, '\0')),
      'latin1',
    );
    rmSync(installed.binary);
    const said = failure('-r', prelude(`process.execPath = ${JSON.stringify(program)};`));
    expect(said['system']).to.match(/^linuxmusl-.* \(musl, Node /);
    expect(said['looked for']).to.match(/^prebuilds\/linuxmusl-/);
  });
});

/** A file that is run before the script. */
function prelude(code: string): string {
  const file = join(installed.folder, 'prelude.cjs');
  writeFileSync(file, code);
  return file;
}

describe('a binary that cannot be loaded', function () {
  this.timeout(60_000);
  beforeEach(() => use());
  after(() => installed.remove());

  it('is told with the system, its C library and the version of Node', () => {
    rmSync(installed.binary);
    const { system } = failure();
    expect(system).to.include(`Node ${process.versions.node}`);
    expect(system!.startsWith(`${installed.target} (`)).to.be.true;
    if (isLinux) expect(system).to.match(/glibc \d+\.\d+|musl/);
  });

  it('is missing: the package has to be installed anew', () => {
    rmSync(installed.binary);
    const said = failure();
    expect(said['looked for']).to.equal(
      `prebuilds/${installed.target}.node, from ${join(installed.library, 'dist', 'gradstep.js')}`,
    );
    expect(said['reason']).to.match(/^MODULE_NOT_FOUND: Cannot find module/);
    expect(said['what to do']).to.match(/installed, copied or pruned in part.*install it again/);
  });

  for (const format of ['cjs', 'esm'] as const) {
    it(`was left out by a bundler (${format})`, () => {
      const outfile = join(installed.folder, 'moved', format === 'cjs' ? 'out.cjs' : 'out.mjs');
      const contents = "import('gradstep').catch((error) => console.log(error.message))";
      buildSync({
        stdin: { contents, resolveDir: installed.folder },
        outfile,
        bundle: true,
        format,
        platform: 'node',
        external: ['*.node'],
        banner: { js: format === 'cjs' ? '' : recipe },
      });
      rmSync(installed.library, { recursive: true });
      const said = saidBy(node(dirname(outfile), outfile));
      expect(said['what to do']).to.match(/A bundler has left the binary out.*--loader:\.node=copy.*GRADSTEP_BINARY/);
    });
  }

  it('does not exist for the system', () => {
    const said = failure('-r', prelude("Object.defineProperty(process, 'platform', { value: 'freebsd' });"));
    expect(said['looked for']).to.equal(`prebuilds/freebsd-${process.arch}.node`);
    expect(said['reason']).to.equal('there is no binary for this system');
    expect(said['what to do']).to.match(/Linux \(glibc, musl\), macOS and Windows on x64 and arm64 only/);
  });

  it('may not be loaded under the permission model', () => {
    const permission = process.allowedNodeEnvironmentFlags.has('--permission')
      ? '--permission'
      : '--experimental-permission';
    const said = failure(permission, `--allow-fs-read=*`);
    expect(said['reason']).to.match(/^ERR_DLOPEN_DISABLED/);
    expect(said['what to do']).to.match(/--allow-addons/);
    expect(failure('--no-addons')['what to do']).to.match(/without --no-addons/);
    expect(installed.run(step, permission, '--allow-fs-read=*', '--allow-addons').output).to.include(stepped);
  });

  it('needs a newer system', function () {
    if (!isLinux || isMusl) this.skip();
    damage((bytes) => Buffer.from(bytes.toString('latin1').replaceAll(/\0GLIBC_2\.\d/g, '\0GLIBC_9.9'), 'latin1'));
    const said = failure();
    expect(said['looked for']).to.equal(installed.binary);
    expect(said['reason']).to.match(/version `GLIBC_9\.9.*' not found/);
    expect(said['what to do']).to.match(/C library of this system is older/);
  });

  for (const [what, change] of Object.entries<(bytes: Buffer) => Uint8Array | string>({
    empty: () => '',
    'a page of a proxy': () => '<html>'.repeat(100),
    'cut short': (bytes) => bytes.subarray(0, 50_000),
    'cut short by a page': (bytes) => bytes.subarray(0, -4096),
  })) {
    it(`is damaged: ${what}`, function () {
      if (!isLinux && what.startsWith('cut')) this.skip();
      damage(change);
      const said = failure();
      expect(said['looked for']).to.equal(installed.binary);
      expect(said['what to do']).to.match(/^The file \(\d+ bytes\) is damaged.*install it again/);
    });
  }

  it('is made for another processor or system', function () {
    if (!isLinux) this.skip();
    const [other, machine] = process.arch === 'x64' ? ['arm64', 0xb7] : ['x64', 0x3e];
    damage((bytes) => {
      bytes.writeUInt16LE(machine, 18);
      return bytes;
    });
    expect(failure()['what to do']).to.equal(
      `The file is made for linux ${other}, and this process runs on linux ${process.arch}: ` +
        `use a Node of that architecture, or gradstep/${installed.target} where one binary is chosen`,
    );
    damage(() => Buffer.concat([Buffer.from('cffaedfe0c000001', 'hex'), Buffer.alloc(100)]));
    expect(failure()['what to do']).to.include('The file is made for darwin arm64');
    const pe = Buffer.alloc(200);
    pe.write('MZ');
    pe.writeUInt32LE(128, 60);
    pe.writeUInt16LE(0xaa64, 132);
    damage(() => pe);
    expect(failure()['what to do']).to.include('The file is made for win32 arm64');
  });

  it('comes from another version', () => {
    const file = join(installed.library, 'dist', 'loader', 'addon.js');
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    writeFileSync(file, readFileSync(file, 'utf8').replace(`"${version}"`, '"99.0.0"'));
    const said = failure();
    expect(said['reason']).to.equal(`the binary is of gradstep ${version}, and this is gradstep 99.0.0`);
    expect(said['what to do']).to.match(/different versions/);
  });

  it('is named by GRADSTEP_BINARY but is not there, or is something else', () => {
    const missing = failure('-r', prelude('process.env.GRADSTEP_BINARY = "nowhere.node"'));
    expect(missing['looked for']).to.equal('nowhere.node');
    expect(missing['what to do']).to.match(/There is no such file/);
    const text = failure('-r', prelude('process.env.GRADSTEP_BINARY = "prelude.cjs"'));
    expect(text['what to do']).to.match(/damaged, or no binary/);
  });

  it('is another library', function () {
    if (!isLinux) this.skip();
    const { sharedObjects } = process.report.getReport() as unknown as { sharedObjects: string[] };
    const library = sharedObjects.find((path) => path.includes('libm.') || path.includes('libc.'))!;
    const said = failure('-r', prelude(`process.env.GRADSTEP_BINARY = ${JSON.stringify(library)}`));
    expect(said['what to do']).to.equal('The file is no binary of gradstep');
  });

  it('lies where no program may be run', function () {
    const mounted = join(installed.folder, 'mounted');
    mkdirSync(mounted);
    const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'noexec', 'none', mounted]);
    if (mount.status !== 0) this.skip(); // That takes Linux and its administrator.
    try {
      cpSync(join(installed.folder, 'node_modules'), join(mounted, 'node_modules'), { recursive: true });
      const script = "try { require('gradstep') } catch (e) { console.log(e.message) }";
      expect(saidBy(node(mounted, '-e', script))['what to do']).to.match(/noexec/);
    } finally {
      spawnSync('umount', [mounted]);
    }
  });

  it('is not what a wrong setting is called', () => {
    const { output } = installed.run(`process.env.GRADSTEP_ISA = 'mmx';${step}`);
    expect(output)
      .to.match(/Error: GRADSTEP_ISA is 'mmx'/)
      .and.not.to.include('cannot load');
  });

  it('says what the page on installing says that it says', () => {
    const source = readFileSync(join(root, 'lib', 'loader', 'failure.ts'), 'utf8');
    const page = readFileSync(join(root, 'docs', 'installing.md'), 'utf8');
    const [, rows] = /\| it says .*\n\| -.*\n((?:\|.*\n)+)/.exec(page)!;
    const phrases = rows!.split('\n').flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`(.*?)`/g)]);
    expect(phrases).to.have.length.of.at.least(10);
    expect(phrases.map(([, phrase]) => phrase!).filter((phrase) => !source.includes(phrase))).to.deep.equal([]);
  });

  it('keeps what was thrown as its cause', () => {
    rmSync(installed.binary);
    const script = "try { require('gradstep') } catch (e) { console.log(e.cause.code) }";
    expect(installed.run(script).output).to.equal('MODULE_NOT_FOUND\n');
  });
});

/** The line that lets what was CommonJS call `require` in an ES module; docs/installing.md has it. */
const recipe = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

describe('a clone', function () {
  this.timeout(60_000);
  let folder: string;
  before(() => {
    use();
    folder = join(installed.folder, 'clone');
    mkdirSync(join(folder, 'native'), { recursive: true });
    for (const path of ['package.json', 'scripts', 'dist', 'build/addon.stamp']) {
      cpSync(join(root, path), join(folder, path), { recursive: true });
    }
    cpSync(built, join(folder, 'build', 'Release', 'gradstep.node'));
    for (const file of ['binding.gyp', 'native/kernel.cpp']) touch(file, -60);
    touch('build/addon.stamp', 0);
  });
  after(() => installed.remove());

  const touch = (file: string, seconds: number): void => {
    const time = new Date(Date.now() + seconds * 1000);
    writeFileSync(join(folder, file), '');
    utimesSync(join(folder, file), time, time);
  };
  const run = () => node(folder, '-e', step);

  it('loads what was built in it, without a word', () => {
    expect(run()).to.deep.equal({ status: 0, output: stepped });
  });

  it('says when that is older than a native source', () => {
    touch('native/kernel.cpp', 60);
    const { status, output } = run();
    expect(status).to.equal(0);
    expect(output).to.match(/Warning: gradstep's addon is older than native.kernel\.cpp: npm run compile/);
    touch('native/kernel.cpp', -60);
  });

  it('says so when nothing was built', () => {
    rmSync(join(folder, 'build', 'Release'), { recursive: true });
    const script = "try { require('gradstep') } catch (e) { console.log(e.message) }";
    expect(saidBy(node(folder, '-e', script))['what to do']).to.match(/npm run compile/);
  });
});
