// A server that says what a test has it say, by the contract of examples/server: for states that a real one is hard to
// bring into. Run by itself (`node test/server/browser/mock.mjs [port]`), it makes up a run, to look at the page with.
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../../../scripts/files.mjs';
import { histograms, madeUpRun } from './made-up.mjs';

const kinds = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};
export const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; " +
  "form-action 'none'; frame-ancestors 'none'";

export const variables = [
  { name: 'dense_1/kernel', shape: [784, 256] },
  { name: 'dense_1/bias', shape: [256] },
  { name: 'dense_2/kernel', shape: [256, 10] },
  { name: 'dense_2/bias', shape: [10] },
];

export function statusOf(changes = {}) {
  return {
    state: 'running',
    step: 0,
    examplesSeen: 0,
    stream: true,
    queue: { length: 0, capacity: 4096 },
    workers: [0, 1].map((rank) => ({ rank, state: 'running', examplesPerSecond: 0 })),
    eventLoopDelay: { p50: 0.2, p99: 1.1 },
    uptimeSeconds: 1,
    checkpoints: [],
    saving: false,
    ...changes,
  };
}

export class MockServer {
  status = statusOf();
  history = { points: [], accuracies: [] };
  /** Answers to come instead of the usual ones, by path: { status, body, headers }. */
  refusals = new Map();
  /** What was asked to change something, in order: { path, body, authorization }. */
  asked = [];
  token = null;
  port = 0;
  #streams = new Set();
  #server = null;

  /** Starts, or starts again where it was. @returns its URL. */
  async start(port = this.port) {
    this.#server = createServer((request, response) => this.#answer(request, response));
    await new Promise((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    this.port = this.#server.address().port;
    return `http://127.0.0.1:${this.port}/`;
  }

  /** Ends as a killed process does: connections break. */
  async stop() {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    this.#streams.clear();
    await closed;
  }

  get listeners() {
    return this.#streams.size;
  }

  emit(event, data) {
    const text = `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
    for (const stream of this.#streams) stream.write(text);
  }

  setStatus(changes) {
    this.status = { ...this.status, ...changes };
    this.emit('status', this.status);
  }

  async #answer(request, response) {
    const { pathname } = new URL(request.url, 'http://localhost');
    if (request.method === 'POST') return this.#change(pathname, request, response);
    const refusal = this.refusals.get(pathname);
    if (refusal !== undefined) return send(response, refusal.status, refusal.body, refusal.headers);
    if (pathname === '/events') return this.#listen(response);
    if (pathname === '/status') return send(response, 200, this.status);
    if (pathname === '/history') return send(response, 200, this.history);
    if (pathname === '/model') return send(response, 200, this.#model());
    return sendFile(response, pathname);
  }

  #listen(response) {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write('retry: 500\n\n');
    response.write(`event: status\ndata: ${JSON.stringify(this.status)}\n\n`);
    this.#streams.add(response);
    response.on('close', () => this.#streams.delete(response));
  }

  #model() {
    const { step, state } = this.status;
    const optimizer = { class: 'AdamOptimizer', hyperparameters: { learningRate: 0.001, beta1: 0.9, beta2: 0.999 } };
    return {
      name: 'MNIST 784-256-10',
      optimizer,
      parameters: 203530,
      variables,
      batchSize: 64,
      workers: 2,
      step,
      state,
    };
  }

  async #change(path, request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = JSON.parse(Buffer.concat(chunks).toString() || '{}');
    const { authorization } = request.headers;
    this.asked.push({ path, body, authorization });
    const refusal = this.refusals.get(path);
    if (refusal !== undefined) return send(response, refusal.status, refusal.body, refusal.headers);
    if (this.token !== null && path !== '/predict' && authorization !== `Bearer ${this.token}`) {
      return send(response, 401, { error: { code: 'unauthorized', message: 'this needs the token' } });
    }
    if (path === '/predict') return send(response, 200, this.#predict());
    if (path === '/examples') return send(response, 202, { accepted: 1, queued: 1 });
    this.#act(path, body);
    return send(response, 200, { state: this.status.state, step: this.status.step });
  }

  #act(path, body) {
    const { step, checkpoints } = this.status;
    if (path === '/start' || path === '/resume') this.setStatus({ state: 'running' });
    if (path === '/pause') this.setStatus({ state: 'paused' });
    if (path === '/restore') this.setStatus({ step: body.step ?? checkpoints[0]?.step ?? 0 });
    if (path === '/checkpoint') {
      const saved = { step, bytes: 2_442_512, seconds: 0.042, savedAt: Date.now() };
      this.setStatus({ checkpoints: [saved, ...checkpoints].slice(0, 10) });
    }
  }

  #predict() {
    const probabilities = Array.from({ length: 10 }, (_, digit) => (digit === 2 ? 0.91 : 0.01));
    return { predictions: [{ label: 2, probabilities }], step: this.status.step };
  }
}

function send(response, status, body, headers = {}) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

function sendFile(response, pathname) {
  const vendor = /^\/uplot\/([\w.]+)$/.exec(pathname);
  const name = pathname === '/' ? 'index.html' : pathname.slice(1);
  const file = vendor
    ? join(root, 'node_modules/uplot/dist', vendor[1])
    : join(root, 'examples/server/page', name.replaceAll('/', '_'));
  try {
    const text = readFileSync(file);
    response.writeHead(200, {
      'content-type': kinds[extname(file)] ?? 'application/octet-stream',
      'content-security-policy': policy,
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-cache',
    });
    response.end(text);
  } catch {
    send(response, 404, { error: { code: 'not_found', message: `there is no ${pathname}` } });
  }
}

async function runByItself(port) {
  const server = new MockServer();
  const run = madeUpRun();
  server.status = statusOf();
  const advance = (points) => {
    const made = Array.from({ length: points }, () => run.next().value);
    const { step } = made.at(-1);
    server.history.points.push(...made);
    server.history.points.splice(0, server.history.points.length - 2000);
    return { made, step };
  };
  const first = advance(800);
  for (let at = 300; at <= first.step; at += 300) {
    server.history.accuracies.push({ step: at, accuracy: 0.985 - 0.12 * Math.exp(-at / 700) });
  }
  const now = Date.now();
  const checkpoints = [4000, 3000, 2000, 1000].map((step, i) => ({
    step,
    bytes: 2_442_512,
    seconds: 0.03 + 0.007 * i,
    savedAt: now - 60_000 * (i + 1),
  }));
  server.setStatus({ step: first.step, checkpoints });
  const url = await server.start(port);
  console.log(url);
  const past = new Map();
  setInterval(() => {
    if (server.status.state !== 'running') return server.setStatus({});
    const { made, step } = advance(3);
    server.emit('progress', { points: made });
    const half = made.at(-1).examplesPerSecond / 2;
    server.setStatus({
      step,
      examplesSeen: step * 64,
      uptimeSeconds: server.status.uptimeSeconds + 0.25,
      queue: { length: Math.round(1500 + 700 * Math.sin(step / 200)), capacity: 4096 },
      workers: [0, 1].map((rank) => ({ rank, state: 'running', examplesPerSecond: half * (rank ? 0.97 : 1.03) })),
      eventLoopDelay: { p50: 0.2 + 0.1 * Math.random(), p99: 0.9 + 1.4 * Math.random() ** 3 },
    });
  }, 250);
  setInterval(() => {
    if (server.listeners > 0 && past.size === 0) {
      past.set('sent', true);
      for (let step = 100; step < server.status.step; step += 100)
        server.emit('histograms', histograms(step, variables));
    }
    server.emit('histograms', histograms(server.status.step, variables));
  }, 2000);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await runByItself(Number(process.argv[2] ?? 8090));
