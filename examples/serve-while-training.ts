// `node build/ts/examples/serve-while-training.js [port]`: serves a model over HTTP from this thread, while two workers train it.
// GET /predict?x=0.5 answers with what the model of the last snapshot says of x, and how many steps that one is of.
import { AdamOptimizer, createGlobalStep, variable } from 'gradstep';
import { trainInWorkers } from 'gradstep/parallel';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { predict, sizes } from './serve-while-training/model';

/** Small numbers to start from, the same in every run. */
const initial = (length: number, scale: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => scale * Math.sin(12.9898 * (i + 1)));

const variables = [
  variable(initial(sizes.hidden, 2), { shape: [1, sizes.hidden], name: 'kernel' }),
  variable(initial(sizes.hidden, 1), { name: 'bias' }),
  variable(initial(sizes.hidden, 0.3), { shape: [sizes.hidden, 1], name: 'kernel2' }),
  variable([0], { name: 'bias2' }),
];

const globalStep = createGlobalStep();
const training = trainInWorkers({
  module: join(__dirname, 'serve-while-training', 'replica.js'),
  workers: 2,
  variables,
  optimizer: new AdamOptimizer({ learningRate: 0.005 }),
  globalStep,
});

// The model that is served: variables of its own, written anew every now and then, between two steps.
const served = training.snapshot();
let steps = 0;
const refresh = setInterval(() => {
  training.snapshot(served);
  steps = training.steps;
}, 100);

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const x = Number(searchParams.get('x') ?? NaN);
  if (pathname !== '/predict' || !Number.isFinite(x)) {
    response.writeHead(404).end('ask for /predict?x=0.5\n');
    return;
  }
  const [y] = predict(served, Float32Array.of(x));
  response.end(`${JSON.stringify({ x, y, wanted: Math.sin(3 * x), steps })}\n`);
});

server.listen(Number(process.argv[2] ?? 8080), () => {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : address;
  console.log(`http://localhost:${port}/predict?x=0.5`);
});

async function end(): Promise<void> {
  clearInterval(refresh);
  server.close();
  server.closeAllConnections();
  console.log(`stopped after ${await training.stop()} steps`);
}

process.once('SIGINT', () => void end());
process.once('SIGTERM', () => void end());
training.finished.catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
