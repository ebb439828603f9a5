import type { FastifyInstance } from 'fastify';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApp } from '../../examples/server/app';
import { Service } from '../../examples/server/service';
import type { Settings } from '../../examples/server/settings';
import { writeDataset } from '../examples/idx-files';

/** A server in this process, over a small MNIST. */
export interface Server {
  readonly service: Service;
  readonly app: FastifyInstance;
  readonly settings: Settings;
  /** Asks, without a socket. */
  ask(method: 'GET' | 'POST', url: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  close(): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  /** The body, where it is JSON. */
  readonly json: Json;
}

/** What is in an answer: the tests say which. */
export interface Json {
  readonly error?: { readonly code: string; readonly message: string };
  readonly [name: string]: unknown;
}

/** A folder with a small MNIST that is there while the tests of a block run. */
export function withFolder(): () => string {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'gradstep-server-'));
    writeDataset(join(folder, 'data'));
  });
  after(() => rmSync(folder, { recursive: true }));
  return () => folder;
}

let runs = 0;

/** Neither streams nor starts unless it is told to. */
export function settingsIn(folder: string, given: Partial<Settings> = {}): Settings {
  return {
    host: '127.0.0.1',
    port: 0,
    open: false,
    workers: 2,
    checkpoints: join(folder, `run-${runs++}`),
    checkpointEvery: 3600,
    keep: 3,
    stream: false,
    queue: 64,
    batch: 16,
    learningRate: 0.001,
    clipNorm: 1,
    seed: 1,
    start: false,
    data: join(folder, 'data'),
    ...given,
  };
}

export async function open(settings: Settings): Promise<Server> {
  const service = await Service.open(settings);
  const app = createApp(service);
  return {
    service,
    app,
    settings,
    async ask(method, url, body, headers = {}) {
      const given = body === undefined ? {} : { payload: JSON.stringify(body) };
      const type = body === undefined ? {} : { 'content-type': 'application/json' };
      const response = await app.inject({ method, url, ...given, headers: { host: 'localhost', ...type, ...headers } });
      return answerOf(response.statusCode, response.headers, response.body);
    },
    async close() {
      await service.close();
      await app.close();
    },
  };
}

export function answerOf(status: number, headers: Readonly<Record<string, unknown>>, text: string): Answer {
  const isJson = String(headers['content-type']).startsWith('application/json');
  return { status, headers, text, json: isJson ? (JSON.parse(text) as Json) : {} };
}

/** An image that says which digit it is, as the small MNIST has them. */
export const digit = (y: number): number[] =>
  Array.from({ length: 784 }, (_, i) => (Math.floor(i / 28) < 2 + 2 * y ? 0.9 : (i % 7) / 100));

export const examples = (count: number): { examples: { x: number[]; y: number }[] } => ({
  examples: Array.from({ length: count }, (_, i) => ({ x: digit(i % 10), y: i % 10 })),
});

/** Waits until something is so. */
export async function until(isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let waited = 0; !(await isSo()); waited += 10) {
    if (waited > 15_000) throw new Error(`never came: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
