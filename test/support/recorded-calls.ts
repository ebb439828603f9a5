import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { DiskFile } from '../../lib/checkpoint/disk';
import type { LosingDisk } from './losing-disk';

const root = dirname(require.resolve('gradstep/package.json'));

/** Something that a process has asked of the file system. */
export interface Call {
  readonly what: string;
  readonly path: string;
  readonly other: string;
  readonly data: Buffer;
}

/** Compiles what records calls. @returns its path; null where that cannot be. */
export function compileRecorder(folder: string): string | null {
  if (process.platform !== 'linux') return null;
  const library = join(folder, 'recorded_calls.so');
  const source = join(root, 'test', 'checkpoint', 'recorded_calls.c');
  const args = ['-shared', '-fPIC', '-O1', '-Wall', '-Wextra', '-Werror', '-o', library, source, '-ldl', '-pthread'];
  return spawnSync('cc', args, { stdio: ['ignore', 'ignore', 'inherit'] }).status === 0 ? library : null;
}

/** What goes wrong below a folder: see recorded_calls.c. */
export interface Fault {
  readonly RECORD_SPACE?: string;
  readonly RECORD_DENY?: string;
}

/** What a program of the tests asks below a folder, which is its first argument. */
export function callsOf(recorder: string, program: string, folder: string, ...args: string[]): Call[] {
  runRecorded(recorder, program, folder, args);
  const log = logOf(folder);
  return existsSync(log) ? parsed(readFileSync(log)) : [];
}

/** Runs a program of the tests where something goes wrong. @returns what it prints. */
export function runWith(fault: Fault, recorder: string, program: string, folder: string, ...args: string[]): string {
  return runRecorded(recorder, program, folder, args, fault);
}

const logOf = (folder: string): string => `${realpathSync(folder)}.calls`;

function runRecorded(recorder: string, program: string, folder: string, args: string[], more: Fault = {}): string {
  const env = {
    ...process.env,
    ...more,
    RECORD_BELOW: realpathSync(folder),
    RECORD_TO: logOf(folder),
    UV_USE_IO_URING: '0',
    LD_PRELOAD: [process.env['LD_PRELOAD'], recorder].filter(Boolean).join(':'),
  };
  const all = [join(__dirname, program), realpathSync(folder), ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, all, { encoding: 'utf8', env });
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

function parsed(log: Buffer): Call[] {
  const calls: Call[] = [];
  for (let at = 0; at < log.length;) {
    const end = log.indexOf(10, at);
    const [what, path, other, bytes] = log.toString('utf8', at, end).split('\t') as [string, string, string, string];
    at = end + 1 + Number(bytes);
    calls.push({ what, path, other, data: log.subarray(end + 1, at) });
  }
  return calls;
}

/** Makes these calls on a disk that may lose its power then. @returns the last step that is said to be saved. */
export async function replay(disk: LosingDisk, calls: readonly Call[]): Promise<number> {
  const files = new Map<string, DiskFile>();
  let said = 0;
  for (const { what, path, other, data } of calls) {
    if (basename(path).startsWith('said-')) said = Number(basename(path).slice(5));
    else if (what === 'mkdir') await disk.makeFolder(path);
    else if (what === 'create') files.set(path, await disk.create(path));
    else if (what === 'write') await files.get(path)!.write(data);
    else if (what === 'sync') await (files.get(path)?.sync() ?? disk.syncFolder(path));
    else if (what === 'rename') await disk.rename(path, other);
    else await disk.remove(path);
  }
  return said;
}
