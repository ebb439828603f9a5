import { createHash } from 'node:crypto';
import { Worker } from 'node:worker_threads';

/** SHA-256 of bytes that come piece by piece, as `sha256sum` prints it. */
export interface Checksum {
  /** The bytes must stay as they are until the promise is settled. */
  update(bytes: Uint8Array): Promise<void>;
  /** The checksum of all since the last call. */
  digest(): Promise<string>;
  end(): Promise<void>;
}

/** From so many bytes on, a thread of its own does it: starting one takes as long as computing that of some 50 MB. */
const manyBytes = 2 ** 25;

/** @param bytes about how many there will be; those that come in pieces must be in shared memory then. */
export function checksumFor(bytes: number): Checksum {
  if (bytes < manyBytes) return onThisThread();
  try {
    return new OnAnotherThread();
  } catch {
    return onThisThread(); // where the permission model allows no threads
  }
}

function onThisThread(): Checksum {
  let hash = createHash('sha256');
  return {
    update: (bytes) => {
      hash.update(bytes);
      return Promise.resolve();
    },
    digest: () => {
      const sum = hash.digest('hex');
      hash = createHash('sha256');
      return Promise.resolve(sum);
    },
    end: () => Promise.resolve(),
  };
}

// In text, as bundlers would not find a file.
const program = `
const { parentPort } = require('node:worker_threads');
const { createHash } = require('node:crypto');
let hash = createHash('sha256');
parentPort.on('message', (bytes) => {
  if (bytes !== null) return parentPort.postMessage(void hash.update(bytes));
  parentPort.postMessage(hash.digest('hex'));
  hash = createHash('sha256');
});`;

class OnAnotherThread implements Checksum {
  readonly #worker = new Worker(program, { eval: true, execArgv: [], env: {} });
  readonly #waiting: { resolve: (sum: string) => void; reject: (error: unknown) => void }[] = [];
  #failure: Error | undefined;

  constructor() {
    this.#worker.unref(); // who waits for a file keeps the process alive
    this.#worker.on('message', (sum: string) => this.#waiting.shift()?.resolve(sum));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(new Error('the thread for checksums has ended')));
  }

  async update(bytes: Uint8Array): Promise<void> {
    await this.#ask(bytes);
  }

  digest(): Promise<string> {
    return this.#ask(null);
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #ask(bytes: Uint8Array | null): Promise<string> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      this.#waiting.push({ resolve, reject });
      this.#worker.ref();
      this.#worker.postMessage(bytes);
    }).finally(() => {
      if (this.#waiting.length === 0) this.#worker.unref();
    }) as Promise<string>;
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}
