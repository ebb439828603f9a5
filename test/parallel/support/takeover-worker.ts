import { parentPort } from 'node:worker_threads';
import { step, takeOver, type RunHandles } from './takeover';

export interface Order {
  readonly name: string;
  readonly handles: RunHandles;
  readonly steps: readonly number[];
  readonly isSparse: boolean;
}

parentPort!.on('message', ({ name, handles, steps, isSparse }: Order) => {
  const run = takeOver(name, handles);
  for (const i of steps) step(run, i, isSparse);
  parentPort!.postMessage('done');
});
