import { createGlobalStep } from 'gradstep';
import { restoreCheckpoint, saveCheckpoint, type JsonValue, type SavedCheckpoint } from 'gradstep/checkpoint';
import type { TrainingMetrics } from 'gradstep/metrics';
import { mkdir, readdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Examples } from './queue';
import { QueueState } from './queue-state';
import { Mirror, type Run } from './run';

/** A checkpoint that is on the disk. */
export interface Saved {
  readonly step: number;
  readonly bytes: number;
  /** How long it took; null where an earlier process has saved it. */
  readonly seconds: number | null;
  /** Milliseconds since 1970. */
  readonly savedAt: number;
}

/** What a checkpoint has beside the run. */
export interface Beside {
  readonly examplesSeen: number;
  readonly waiting: Examples;
}

/** How many are told of. */
const mostTold = 10;

/** Saves a run, while it goes on, and restores it. */
export class Checkpoints {
  private readonly mirror: Mirror;
  private readonly parts;
  private last: Promise<unknown> = Promise.resolve();
  private saved: Saved[] = [];
  private underWay = 0;

  constructor(
    private readonly run: Run,
    private readonly settings: { readonly checkpoints: string; readonly keep: number },
    /** Copies the run to a mirror, and says what there is beside it at that step. */
    private readonly copyTo: (mirror: Mirror) => Beside,
    private readonly metrics: TrainingMetrics,
    private readonly onChange: () => void,
  ) {
    this.mirror = new Mirror(run);
    const globalStep = createGlobalStep();
    const { variables } = this.mirror;
    this.parts = { variables, optimizer: this.mirror.optimizer(globalStep), globalStep, queue: new QueueState() };
  }

  /** The newest first. */
  get list(): readonly Saved[] {
    return this.saved.slice(0, mostTold);
  }

  /** Whether one is being written. */
  get saving(): boolean {
    return this.underWay > 0;
  }

  /** Saves the step that is the last one now, or when others that are being saved are done. */
  save(): Promise<Saved> {
    return this.inTurn(async () => {
      const start = performance.now();
      const { examplesSeen, waiting } = this.copyTo(this.mirror);
      this.parts.globalStep.value = this.mirror.step;
      this.parts.queue.examples = waiting;
      const contents = { ...this.parts, metadata: { examplesSeen } };
      // The mirror is a copy already, and nobody else writes to it.
      const { checkpoints: folder, keep } = this.settings;
      const save = (): Promise<SavedCheckpoint> => saveCheckpoint(folder, contents, { keep, copy: false });
      const { step, bytes } = await this.metrics.timeCheckpoint(save);
      const saved = { step, bytes, seconds: (performance.now() - start) / 1000, savedAt: Date.now() };
      await this.look(saved);
      return saved;
    });
  }

  /**
   * Restores the newest checkpoint, or that of a step; later ones are moved out of the way, or a restart would go on from
   * them. Nobody may train meanwhile.
   * @param queue takes the examples that waited: those of the process that saved it, for one that has none yet.
   * @returns how many examples had been trained on; null where there is no checkpoint.
   */
  restore({ step, queue }: { step?: number; queue?: QueueState } = {}): Promise<number | null> {
    return this.inTurn(async () => {
      const { variables, optimizer, globalStep } = this.run;
      const parts = { variables, optimizer, globalStep, ...(queue !== undefined && { queue }) };
      const options = { partial: queue === undefined, ...(step !== undefined && { step }) };
      const restored = await restoreCheckpoint(this.settings.checkpoints, parts, options);
      if (restored !== null) await this.moveAside(restored.step);
      await this.look();
      return restored && seenIn(restored.metadata);
    });
  }

  /** When all that has been asked for is done. */
  async idle(): Promise<void> {
    await this.last.catch(() => {});
  }

  private async inTurn<T>(work: () => Promise<T>): Promise<T> {
    this.underWay++;
    this.onChange();
    const before = this.last;
    const own = before.then(work, work);
    this.last = own;
    try {
      return await own;
    } finally {
      this.underWay--;
      this.onChange();
    }
  }

  /** Looks which there are; `fresh` was saved just now. */
  private async look(fresh?: Saved): Promise<void> {
    const known = new Map([...this.saved, ...(fresh === undefined ? [] : [fresh])].map((each) => [each.step, each]));
    const found = await namesIn(this.settings.checkpoints);
    this.saved = await Promise.all(
      found.map(async ({ name, step }) => known.get(step) ?? describe(join(this.settings.checkpoints, name), step)),
    );
  }

  private async moveAside(after: number): Promise<void> {
    const later = (await namesIn(this.settings.checkpoints)).filter(({ step }) => step > after);
    if (later.length === 0) return;
    const aside = join(this.settings.checkpoints, `undone-${Date.now()}`);
    await mkdir(aside);
    for (const { name } of later) await rename(join(this.settings.checkpoints, name), join(aside, name));
  }
}

/** The checkpoints in a folder by their names, the newest first. */
async function namesIn(folder: string): Promise<{ name: string; step: number }[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names
    .flatMap((name) => {
      const step = /^step-(\d+)(\.\d+)?$/.exec(name)?.[1];
      return step === undefined ? [] : [{ name, step: Number(step) }];
    })
    .sort((a, b) => b.step - a.step);
}

async function describe(path: string, step: number): Promise<Saved> {
  const files = await Promise.all((await readdir(path)).map((file) => stat(join(path, file))));
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  return { step, bytes, seconds: null, savedAt: Math.max(...files.map(({ mtimeMs }) => Math.round(mtimeMs))) };
}

function seenIn(metadata: JsonValue): number {
  const { examplesSeen } = (metadata ?? {}) as { examplesSeen?: unknown };
  return typeof examplesSeen === 'number' ? examplesSeen : 0;
}
