import { expect } from 'chai';
import {
  AdamOptimizer,
  compileStep,
  createGlobalStep,
  DynamicLossScale,
  MixedPrecisionLossScaleOptimizer,
  ops,
  variable,
} from 'gradstep';
import { saveCheckpoint } from 'gradstep/checkpoint';
import { Metrics, TrainingMetrics, type StepObservation } from 'gradstep/metrics';
import { trainInWorkers, type Mode, type Training } from 'gradstep/parallel';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { models, stateOf, trainAlone } from '../parallel/support/models';
import type { ReplicaData } from '../parallel/support/replica';

function made() {
  const metrics = Metrics.create();
  const training = new TrainingMetrics(metrics);
  return { metrics, training };
}

/** The numbers of a training, without the start of their names, over all labels. */
function numbersOf(metrics: Metrics): Record<string, number> {
  const totals: Record<string, number> = {};
  for (const { samples } of metrics.collect()) {
    for (const { name, value, labels } of samples) {
      if ('le' in labels) continue;
      const short = name.replace(/^gradstep_/, '');
      totals[short] = (totals[short] ?? 0) + value;
    }
  }
  return totals;
}

describe('the metrics of a training', () => {
  it('count a step with all that is told of it', () => {
    const { metrics, training } = made();
    training.observeStep({ step: 8, seconds: 0.25, loss: 3, norm: 7, clipNorm: 5, examples: 64 });
    training.observeStep({ step: 9, seconds: 0.5, loss: 2, norm: 5, clipNorm: 5, examples: 32 });
    training.observeStep({ loss: NaN, norm: Infinity, clipNorm: 5, applied: false });
    training.observeStep();
    expect(numbersOf(metrics)).to.deep.equal({
      checkpoint_bytes_total: 0,
      checkpoint_failures_total: 0,
      checkpoint_seconds_sum: 0,
      checkpoint_seconds_count: 0,
      checkpoint_seconds_nonfinite_total: 0,
      clipped_steps_total: 1,
      examples_total: 96,
      gradient_norm_sum: 12,
      gradient_norm_count: 2,
      gradient_norm_nonfinite_total: 1,
      loss: NaN,
      skipped_steps_total: 1,
      step: 9,
      step_seconds_sum: 0.75,
      step_seconds_count: 2,
      step_seconds_nonfinite_total: 0,
      steps_total: 3,
    });
  });

  it('have a norm that is NaN where it was to be clipped by, and none where a compiled step has none', () => {
    const { metrics, training } = made();
    training.observeStep({ norm: NaN });
    training.observeStep({ norm: NaN, clipNorm: 1 });
    expect(numbersOf(metrics)).to.include({ gradient_norm_count: 0, gradient_norm_nonfinite_total: 1, steps_total: 2 });
  });

  it('refuse what cannot be told of a step or a checkpoint, and count nothing of it', () => {
    const { metrics, training } = made();
    const before = metrics.text();
    const wrong: [StepObservation, string][] = [
      [{ seconds: -1 }, 'seconds must be finite and not negative'],
      [{ seconds: NaN }, 'seconds'],
      [{ examples: Infinity }, 'examples'],
      [{ clipNorm: 0 }, 'clipNorm must be positive'],
      [{ clipNorm: NaN }, 'clipNorm'],
    ];
    for (const [observation, text] of wrong) {
      expect(() => training.observeStep({ loss: 1, ...observation })).to.throw(RangeError, text);
    }
    expect(() => training.observeStep({ loss: '1' as never })).to.throw(TypeError, 'loss must be a number, got "1"');
    expect(() => training.observeStep({ applied: 1 as never })).to.throw(TypeError, 'applied must be a boolean');
    expect(() => training.observeStep({ gradientNorm: 1 } as never)).to.throw(TypeError, "did you mean 'norm'?");
    expect(() => training.observeCheckpoint({ bytes: -1 })).to.throw(RangeError, 'bytes must be finite');
    expect(() => training.observeCheckpoint({ size: 1 } as never)).to.throw(TypeError, "there is no 'size'");
    expect(() => training.timeStep(5 as never)).to.throw(TypeError, 'step must be a function');
    expect(() => training.timeStep(() => 1, { clipNorm: -1 })).to.throw(RangeError, 'clipNorm');
    expect(() => training.timeCheckpoint(5 as never)).to.throw(TypeError, 'save must be a function');
    expect(metrics.text()).to.equal(before);
    expect(() => new TrainingMetrics({} as never)).to.throw(TypeError, 'metrics must be a Metrics');
    const fails = (options: object) => () => new TrainingMetrics(Metrics.create(), options);
    expect(fails({ buckets: [1] })).to.throw(TypeError, "there is no 'buckets'");
    expect(fails({ normBuckets: [] })).to.throw(RangeError, 'buckets');
    expect(fails({ labels: { le: 1 } })).to.throw(RangeError, "'le'");
  });

  it('of two trainings are told apart by labels, and both are there before the first step', () => {
    const metrics = Metrics.create();
    const [a, b] = ['a', 'b'].map((model) => new TrainingMetrics(metrics, { labels: { model } }));
    a!.steps.inc(3);
    const lines = metrics
      .text()
      .split('\n')
      .filter((line) => line.startsWith('gradstep_steps_total{'));
    expect(lines).to.deep.equal(['gradstep_steps_total{model="a"} 3', 'gradstep_steps_total{model="b"} 0']);
    b!.loss.set(1);
    expect(metrics.text())
      .to.match(/^gradstep_loss\{model="b"\} 1$/m)
      .and.not.to.match(/^gradstep_loss\{model="a"/m);
  });

  it('have buckets of one, two and a half, and five, as they are written', () => {
    const { metrics } = made();
    const limits = (name: string): string[] =>
      [...metrics.text().matchAll(new RegExp(`${name}_bucket\\{le="([^"]*)"`, 'g'))].map(([, limit]) => limit!);
    expect(limits('step_seconds').slice(0, 4)).to.deep.equal(['0.00001', '0.000025', '0.00005', '0.0001']);
    expect(limits('gradient_norm').slice(-4)).to.deep.equal(['250', '500', '1000', '+Inf']);
    expect(limits('checkpoint_seconds').slice(-3)).to.deep.equal(['50', '100', '+Inf']);
  });

  it('take what a compiled step returns, now or later', async () => {
    const { metrics, training } = made();
    const w = variable([3, 4]);
    const optimizer = new AdamOptimizer();
    const step = compileStep({ inputs: {}, loss: () => ops.l2Loss(w), optimizer, clip: { globalNorm: 1 } });
    const first = training.timeStep(() => step.runSync({}), { clipNorm: 1, examples: 2 });
    expect(first).to.deep.equal({ loss: 12.5, norm: 5, applied: true });
    const running = training.timeStep(() => step.run({}), { clipNorm: 1, examples: 2 });
    expect(numbersOf(metrics)).to.include({ steps_total: 1, loss: 12.5 });
    const { loss, norm } = await running;
    expect(numbersOf(metrics)).to.include({
      steps_total: 2,
      clipped_steps_total: 2,
      examples_total: 4,
      step_seconds_count: 2,
      gradient_norm_count: 2,
      gradient_norm_sum: 5 + norm,
      loss,
    });
  });

  it('count a step that a loss scale leaves out as skipped', () => {
    const { metrics, training } = made();
    const w = variable([3, 4]);
    const optimizer = new MixedPrecisionLossScaleOptimizer(new AdamOptimizer(), new DynamicLossScale());
    const infinite = compileStep({ inputs: {}, loss: () => ops.mul(ops.reduceSum(w), 1e38), optimizer });
    expect(training.timeStep(() => infinite.runSync({})).applied).to.equal(false);
    expect(numbersOf(metrics)).to.include({ steps_total: 0, skipped_steps_total: 1, step_seconds_count: 1 });
  });

  it('count no step that throws, and pass on whatever a step returns', async () => {
    const { metrics, training } = made();
    const fail = (): never => {
      throw new Error('mine');
    };
    expect(() => training.timeStep(fail)).to.throw('mine');
    const rejected = await training.timeStep(() => Promise.reject(new Error('late'))).catch((error: Error) => error);
    expect(rejected.message).to.equal('late');
    expect(numbersOf(metrics)).to.include({ steps_total: 0 });
    for (const result of [undefined, null, 'done', { other: 1 }, { loss: 'none' }]) {
      expect(training.timeStep(() => result)).to.equal(result);
    }
    expect(training.timeStep(() => 0.5)).to.equal(0.5);
    expect(numbersOf(metrics)).to.include({ steps_total: 6, loss: 0.5 });
  });

  it('count checkpoints that are saved, and those that are not', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gradstep-'));
    try {
      const { metrics, training } = made();
      const variables = [variable([1, 2], { name: 'w' })];
      const save = () => training.timeCheckpoint(() => saveCheckpoint(folder, { variables }, { step: 1 }));
      const { bytes } = await save();
      expect(numbersOf(metrics)).to.include({ checkpoint_seconds_count: 1, checkpoint_bytes_total: bytes });
      expect(numbersOf(metrics)['checkpoint_timestamp_seconds']).to.be.closeTo(Date.now() / 1000, 60);
      const failing = training.timeCheckpoint(() => saveCheckpoint('/dev/null/runs', { variables }, { step: 1 }));
      const error: unknown = await failing.catch((error: unknown) => error);
      expect(error).to.have.property('code', 'not-saved');
      expect(numbersOf(metrics)).to.include({ checkpoint_seconds_count: 1, checkpoint_failures_total: 1 });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('the metrics of trainInWorkers', function () {
  this.timeout(120_000);
  const module = join(__dirname, '..', 'parallel', 'support', 'replica.js');
  let running: Training | null = null;
  afterEach(async () => {
    await running?.stop().catch(() => {});
    running = null;
  });

  function begin(data: ReplicaData, options: { workers?: number; steps?: number; mode?: Mode; useLocking?: boolean }) {
    const model = models[data.model]!;
    const variables = model.variables();
    const globalStep = createGlobalStep();
    const optimizer = model.optimizer(globalStep);
    running = trainInWorkers({ module, variables, optimizer, globalStep, data, workers: 2, ...options });
    return { training: running, state: () => stateOf(variables, optimizer, globalStep) };
  }

  const modes: Record<string, { mode: Mode; useLocking?: boolean }> = {
    synchronous: { mode: 'synchronous' },
    asynchronous: { mode: 'asynchronous' },
    'asynchronous with locking': { mode: 'asynchronous', useLocking: true },
    replicas: { mode: 'replicas' },
  };
  for (const [name, mode] of Object.entries(modes)) {
    for (const model of ['dense', 'compiled']) {
      it(`have every step, ${name}, ${model}`, async () => {
        const metrics = Metrics.create();
        await begin({ model, metrics: metrics.share() }, { ...mode, steps: 60 }).training.finished;
        const counts = { steps_total: 60, examples_total: 480, step_seconds_count: 60, gradient_norm_count: 60 };
        expect(numbersOf(metrics)).to.include(counts);
        expect(numbersOf(metrics)['clipped_steps_total']).to.be.within(1, 60);
        const ranks = new Set(
          metrics.collect().flatMap(({ samples }) => samples.map(({ labels }) => labels['worker'])),
        );
        // Of the others one may be late, when all has been done.
        if (name === 'synchronous') expect(ranks).to.deep.equal(new Set(['0', '1']));
      });
    }
  }

  it('change no bits, and have the losses that are told of', async () => {
    const metrics = Metrics.create();
    const training = new TrainingMetrics(metrics);
    const losses: number[] = [];
    const model = models['clipped']!;
    const [variables, globalStep] = [model.variables(), createGlobalStep()];
    const optimizer = model.optimizer(globalStep);
    const onStep = (report: { step: number; loss: number }): void => {
      losses.push(report.loss);
      training.observeStep(report);
    };
    const data = { model: 'clipped', metrics: Metrics.create().share() };
    const workers = { module, variables, optimizer, globalStep, data, workers: 2, steps: 12, onStep };
    await trainInWorkers(workers).finished;
    const alone = trainAlone('clipped', 12, 2);
    expect(stateOf(variables, optimizer, globalStep)).to.deep.equal(alone.state);
    expect(losses).to.deep.equal(alone.losses);
    expect(numbersOf(metrics)).to.include({ steps_total: 12, step: 11, loss: alone.losses.at(-1) });
  });

  for (const failure of ['throw', 'exit'] as const) {
    it(`have every step when a worker ends by ${failure}, with a place for each worker and no more`, async () => {
      const metrics = Metrics.create({ threads: 2 });
      const failed = new Int32Array(new SharedArrayBuffer(4));
      const data = { model: 'dense', failure, rank: 0, at: 5, failed, metrics: metrics.share() };
      await begin(data, { steps: 20 }).training.finished;
      expect(failed[0]).to.equal(1);
      expect(numbersOf(metrics)).to.include({ steps_total: 20, gradient_norm_count: 20 });
    });
  }

  it('miss at most one step of a worker that is terminated', async () => {
    const metrics = Metrics.create({ threads: 2 });
    const { training } = begin({ model: 'dense', metrics: metrics.share() }, { steps: 4000 });
    let terminations = 0;
    for (; terminations < 6; terminations++) {
      const before = training.steps;
      while (training.steps < before + 20) await new Promise(setImmediate);
      await training.workers[terminations % 2]!.terminate();
    }
    const steps = await training.stop();
    expect(numbersOf(metrics)['steps_total']).to.be.within(steps - terminations - 1, steps);
  });
});
