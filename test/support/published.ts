import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export const root = dirname(require.resolve('gradstep/package.json'));
export const built = process.env['GRADSTEP_BINARY'] ?? join(root, 'build', 'Release', 'gradstep.node');

const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
export const isMusl = process.platform === 'linux' && header?.glibcVersionRuntime === undefined;
/** What the package has a binary for on this machine. */
export const ownTarget = `${process.platform}${isMusl ? 'musl' : ''}-${process.arch}`;

/** Runs a program of Node in a folder; `output` is all that it writes. */
export function node(folder: string, ...args: string[]): { status: number | null; output: string } {
  const env = { ...process.env };
  delete env['GRADSTEP_BINARY'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, env, encoding: 'utf8' });
  return { status, output: `${stdout}${stderr}` };
}

/** The package as it is published, installed in a folder of its own, with the binary of this machine as its only one. */
export class Installation {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'gradstep-')));
  readonly library = join(this.folder, 'node_modules', 'gradstep');

  constructor(readonly target = ownTarget) {
    mkdirSync(join(this.library, 'prebuilds'), { recursive: true });
    cpSync(join(root, 'package.json'), join(this.library, 'package.json'));
    cpSync(join(root, 'build', 'release', 'dist'), join(this.library, 'dist'), { recursive: true });
    for (const entry of ['index.mjs', 'gradstep-safetensors.mjs']) {
      cpSync(join(root, 'dist', entry), join(this.library, 'dist', entry));
    }
    cpSync(built, this.binary);
  }

  get binary(): string {
    return join(this.library, 'prebuilds', `${this.target}.node`);
  }

  /** Runs a script there that may `require('gradstep')`. */
  run(script: string, ...options: string[]): { status: number | null; output: string } {
    return node(this.folder, ...options, '-e', script);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
