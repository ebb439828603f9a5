// A process that trains, for bench/cases/tfjs-fit.ts, and prints the most memory that it took, in bytes.
import { perceptron, training, type Library } from './cases/tfjs-fit';
import { installPeers } from './peers/installed';
import { loadTfjs, type TfjsBackend } from './peers/tfjs';

async function main(): Promise<void> {
  const [backend, side, examples] = process.argv.slice(2);
  installPeers(); // that has happened: it only looks
  const tfjs = (await loadTfjs())!;
  const isOurs = side === 'gradstep';
  const model = await training(
    tfjs.library as Library,
    '',
    backend as TfjsBackend,
    isOurs,
    perceptron,
    Number(examples),
  );
  for (let i = 0; i < 2; i++) await model.epoch();
  console.log(process.resourceUsage().maxRSS * 1024);
}

void main();
