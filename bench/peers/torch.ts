import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { sources } from '../paths';
import type { Side } from '../sides';

type Answer = Readonly<{ id?: number; seconds?: number; result?: number[]; version?: string }>;

/** A Python process with PyTorch. It takes its turns when asked to and sleeps in between. */
export class Torch {
  private readonly lines: AsyncIterator<string, undefined>;
  version = '';

  private constructor(
    /** The Python that has it. */
    readonly python: string,
    private readonly child: ChildProcessWithoutNullStreams,
  ) {
    this.lines = createInterface(child.stdout)[Symbol.asyncIterator]() as AsyncIterator<string, undefined>;
  }

  /** Null where no Python has PyTorch. */
  static async start(): Promise<Torch | null> {
    // Debian's python3-torch belongs to its own Python, which need not be the first in the path.
    const pythons = [process.env['GRADSTEP_BENCH_PYTHON'], '/usr/bin/python3', 'python3'];
    for (const python of pythons) {
      if (python === undefined) continue;
      const child = spawn(python, [join(sources, 'peers', 'torch_worker.py')]);
      child.on('error', () => {}); // no such program: stdout ends
      child.stderr.resume();
      const torch = new Torch(python, child);
      const greeting = await torch.answer();
      if (greeting?.version === undefined) continue;
      torch.version = greeting.version;
      return torch;
    }
    return null;
  }

  /** @param settings the arguments of the workload's class in torch_worker.py. */
  async side(name: string, kind: string, threads: number, settings: object = {}): Promise<Side> {
    const { id } = await this.ask({ make: kind, threads, ...settings });
    return {
      name,
      turn: async (calls) => (await this.ask({ id, turn: calls, threads })).seconds!,
      result: async () => (await this.ask({ id, result: true })).result!,
      dispose: async () => void (await this.ask({ id, drop: true })),
    };
  }

  async stop(): Promise<void> {
    this.child.stdin.end();
    if (this.child.exitCode === null) await once(this.child, 'exit');
  }

  private async ask(request: object): Promise<Answer> {
    this.child.stdin.write(`${JSON.stringify(request)}\n`);
    const answer = await this.answer();
    if (answer === null) throw new Error('the PyTorch process ended');
    return answer;
  }

  private async answer(): Promise<Answer | null> {
    const line = await this.lines.next();
    return line.done === true ? null : (JSON.parse(line.value) as Answer);
  }
}
