import { mkdtempSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AdamOptimizer, createGlobalStep, variable } from 'gradstep';
import { restoreCheckpoint, saveCheckpoint } from 'gradstep/checkpoint';
import type { Bench, Case } from '../bench';
import { numbers, showCount, weights } from '../data';
import { sampled, type Side } from '../sides';

// How fast state gets to the disk, beside the disk itself, and what training notices.

/** A model with Adam's slots: 12 bytes a parameter. */
function model(parameters: number) {
  const w = variable(weights(parameters, 7, 2 ** -6), { name: 'w' });
  const optimizer = new AdamOptimizer();
  const globalStep = createGlobalStep();
  const gradient = variable(numbers(parameters, 5, 1)).data;
  const step = () => optimizer.applyGradientsAsync([[gradient, w]], { globalStep });
  return { w, optimizer, step, parts: { variables: [w], optimizer, globalStep } };
}

const seconds = async (work: () => Promise<unknown>, times: number): Promise<number> => {
  const start = performance.now();
  for (let i = 0; i < times; i++) await work();
  return (performance.now() - start) / 1000;
};

/** The same bytes in one file that is written two megabytes at a time and synced. */
async function plainWrite(path: string, bytes: number): Promise<void> {
  const piece = new Uint8Array(2 ** 21).fill(7);
  const file = await open(path, 'w');
  for (let done = 0; done < bytes; done += piece.byteLength) await file.write(piece);
  await file.sync();
  await file.close();
}

async function besideDisk(bench: Bench, folder: string, parameters: number): Promise<void> {
  const here = model(parameters);
  await here.step();
  const other = model(parameters);
  const save = (copy: boolean) => saveCheckpoint(folder, here.parts, { keep: 1, copy });
  const side = (name: string, work: () => Promise<unknown>, rest: Partial<Side> = {}): Side => ({
    name,
    turn: (calls) => seconds(work, calls),
    ...rest,
  });
  await bench.contest(
    `checkpoint saving ${showCount(parameters)} parameters with Adam's slots`,
    () => [
      side('gradstep', () => save(false)),
      side('from a copy', () => save(true)),
      side('the disk alone', () => plainWrite(join(folder, 'plain'), 12 * parameters)),
    ],
    { work: { parameters, bytes: 12 * parameters } },
  );
  await bench.contest(
    `checkpoint restoring ${showCount(parameters)} parameters with Adam's slots`,
    () => [side('gradstep', () => restoreCheckpoint(folder, other.parts))],
    { work: { parameters, bytes: 12 * parameters } },
  );
  const [saved, restored] = [sampled(here.w.data), sampled(other.w.data)];
  if (saved.some((x, i) => x !== restored[i])) throw new Error('what was restored is not what was saved');
}

/** Steps one after another, while checkpoints are saved without a pause. */
async function meanwhile(bench: Bench, folder: string, parameters: number): Promise<void> {
  const { step, parts, optimizer } = model(parameters);
  const steps = 50;
  await step();
  const alone = await seconds(step, steps);
  for (const copy of [true, false]) {
    const what = copy ? 'from a copy' : 'without a copy';
    const delays = monitorEventLoopDelay({ resolution: 1 });
    delays.enable();
    let saves = 0;
    let held = 0;
    let isOver = false;
    const saving = (async () => {
      while (!isOver) {
        const start = performance.now();
        const save = saveCheckpoint(folder, parts, { keep: 1, copy });
        await optimizer.idle();
        held += performance.now() - start;
        await save;
        saves++;
      }
    })();
    const beside = await seconds(step, steps);
    isOver = true;
    await saving;
    delays.disable();
    const name = `${showCount(parameters)} parameters, ${what}`;
    bench.measure(`checkpoint steps meanwhile, ${name}`, () => ({ value: beside / alone, unit: '× a step alone' }));
    bench.measure(`checkpoint steps wait, ${name}`, () => ({ value: held / saves, unit: 'ms' }));
    bench.measure(`checkpoint event-loop delay, p99, ${name}`, () => ({
      value: delays.percentile(99) / 1e6,
      unit: 'ms',
    }));
    bench.measure(`checkpoint event-loop delay, longest, ${name}`, () => ({ value: delays.max / 1e6, unit: 'ms' }));
  }
}

/** How long the event loop stands still while state is restored that is there already. */
async function whileRestoring(bench: Bench, folder: string, parameters: number): Promise<void> {
  const { step, parts } = model(parameters);
  await step();
  await saveCheckpoint(folder, parts, { keep: 1 });
  const delays = monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  for (let i = 0; i < 5; i++) await restoreCheckpoint(folder, parts);
  delays.disable();
  const name = `while restoring ${showCount(parameters)} parameters`;
  for (const [what, nanoseconds] of [
    ['p99', delays.percentile(99)],
    ['longest', delays.max],
  ] as const) {
    bench.measure(`checkpoint event-loop delay, ${what}, ${name}`, () => ({ value: nanoseconds / 1e6, unit: 'ms' }));
  }
}

export const checkpoint: Case = {
  name: 'checkpoint',
  about: 'state on the disk and back, beside the disk alone, and what training notices',
  async run(bench) {
    if (!bench.wants('checkpoint')) return;
    const parameters = bench.isQuick ? 2 ** 22 : 2 ** 25;
    const folder = mkdtempSync(join(tmpdir(), 'gradstep-'));
    try {
      await besideDisk(bench, folder, parameters);
      await meanwhile(bench, folder, parameters);
      await whileRestoring(bench, folder, parameters);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};
