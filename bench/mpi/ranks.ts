import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { scratch, sources } from '../paths';
import type { Side } from '../sides';

type Answer = Readonly<{ seconds: number; result?: number[] }>;

/** Open MPI's, each rank on a core of its own. Null where there is none. */
export function launcher(ranks: number): string[] | null {
  for (const command of ['mpirun.openmpi', 'mpirun']) {
    const { stdout, status } = spawnSync(command, ['--version'], { encoding: 'utf8' });
    if (status !== 0 || !stdout.includes('Open MPI')) continue;
    return [command, '--allow-run-as-root', '--bind-to', 'core', '-n', `${ranks}`];
  }
  return null;
}

/** Ranks that take their turns when asked to, and sleep in between. */
export class Ranks {
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly lines: AsyncIterator<string, undefined>;
  private errors = '';

  constructor(command: readonly string[]) {
    this.child = spawn(command[0]!, command.slice(1));
    this.child.stderr.on('data', (text) => (this.errors += String(text)));
    this.lines = createInterface(this.child.stdout)[Symbol.asyncIterator]() as AsyncIterator<string, undefined>;
  }

  /** Of our program. */
  static ofGradstep(command: readonly string[]): Ranks {
    return new Ranks([...command, process.execPath, join(__dirname, 'rank.js')]);
  }

  /** Of MPI's own loop, bench/native/mpi/allreduce.cpp, which is built first. Null where it cannot be. */
  static ofMpi(command: readonly string[]): Ranks | null {
    const program = join(scratch, 'mpi-allreduce');
    const source = join(sources, 'native', 'mpi', 'allreduce.cpp');
    const { status } = spawnSync(process.env['CXX'] ?? 'g++', ['-O3', source, '-o', program, '-l:libmpi.so.40']);
    return status === 0 ? new Ranks([...command, program]) : null;
  }

  /** @param work what the program is to do, a word. */
  side(name: string, work: string): Side {
    let result: readonly number[] | undefined;
    const turn = async (calls: number): Promise<number> => {
      const answer = await this.ask(`${work} ${calls}`);
      result = answer.result;
      return answer.seconds;
    };
    return { name, turn, result: () => result ?? [] };
  }

  async stop(): Promise<void> {
    this.child.stdin.end();
    if (this.child.exitCode === null) await once(this.child, 'exit');
  }

  private async ask(request: string): Promise<Answer> {
    this.child.stdin.write(`${request}\n`);
    const line = await this.lines.next();
    if (line.done === true) throw new Error(`the ranks have ended: ${this.errors}`);
    return JSON.parse(line.value) as Answer;
  }
}
