import { readFileSync, writeFileSync } from 'node:fs';
import type { Model, Optimizer, Tf } from './tf';

// A small model, its training, and saving it to JSON, for tests of saving and for the processes that they start.

interface Artifacts {
  weightData: ArrayBuffer;
  trainingConfig: { optimizer_config: { class_name: string; config: Record<string, unknown> } };
}

/** A model with the same weights each time. */
export function makeModel(tf: Tf, optimizer: unknown): Model {
  const model = tf.sequential({
    layers: [tf.layers.dense!({ units: 3, inputShape: [4], activation: 'tanh' }), tf.layers.dense!({ units: 2 })],
  });
  tf.tidy(() => model.setWeights(model.getWeights().map(({ shape, size }, k) => tf.tensor(waves(size, k), shape))));
  model.compile({ optimizer, loss: 'meanSquaredError' });
  return model;
}

const waves = (n: number, k: number): number[] => Array.from({ length: n }, (_, i) => Math.sin(1 + k + 1.7 * i));

/** Trains on some batches, beginning with one of this number. */
export async function trainOn(tf: Tf, model: Model, first: number, count: number): Promise<void> {
  for (let k = first; k < first + count; k++) {
    const x = tf.tensor(waves(20, k), [5, 4]);
    const y = tf.tensor(waves(10, k + 3), [5, 2]);
    await model.trainOnBatch(x, y);
    tf.dispose([x, y]);
  }
}

export const weightsOf = (model: Model): number[] => model.getWeights().flatMap((tensor) => [...tensor.dataSync()]);

/** What `model.save` gives to its handler, as it comes out of JSON. */
export async function saved(tf: Tf, model: Model): Promise<Artifacts> {
  let artifacts: Artifacts | undefined;
  const handler = tf.io.withSaveHandler((given) => {
    artifacts = given as Artifacts;
    return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } });
  });
  await model.save(handler, { includeOptimizer: true });
  return fromJson(toJson(artifacts!));
}

export const load = (tf: Tf, artifacts: object): Promise<Model> => tf.loadLayersModel(tf.io.fromMemory(artifacts));

const toJson = ({ weightData, ...rest }: Artifacts): string =>
  JSON.stringify({ ...rest, weightData: Buffer.from(weightData).toString('base64') });

function fromJson(json: string): Artifacts {
  const artifacts = JSON.parse(json) as Artifacts & { weightData: unknown };
  const bytes = Uint8Array.from(Buffer.from(artifacts.weightData as unknown as string, 'base64'));
  return { ...artifacts, weightData: bytes.buffer };
}

/** What a process without gradstep makes of saved models. */
export interface Loaded {
  readonly className: string;
  readonly isOurs: boolean;
  readonly weights: number[];
  readonly error?: string;
}

export function writeModels(file: string, models: readonly Artifacts[]): void {
  writeFileSync(file, JSON.stringify(models.map(toJson)));
}

/** Loads each model and goes on to train it. */
export async function loadModels(tf: Tf, file: string, first: number, count: number): Promise<Loaded[]> {
  const loaded: Loaded[] = [];
  for (const json of JSON.parse(readFileSync(file, 'utf8')) as string[]) {
    try {
      const model = await load(tf, fromJson(json));
      await trainOn(tf, model, first, count);
      const optimizer: Optimizer = model.optimizer;
      loaded.push({
        className: optimizer.getClassName(),
        isOurs: optimizer.constructor.name === 'TfjsOptimizer',
        weights: weightsOf(model),
      });
    } catch (error) {
      loaded.push({ className: '', isOurs: false, weights: [], error: (error as Error).message });
    }
  }
  return loaded;
}
