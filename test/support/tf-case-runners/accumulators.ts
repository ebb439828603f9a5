import { expect } from 'chai';
import {
  ConditionalAccumulator,
  GlobalStep,
  GradientDescentOptimizer,
  SparseConditionalAccumulator,
  SyncReplicasOptimizer,
  tensor,
  variable,
  type GradientAndVariable,
  type IndexedSlices,
  type ReductionType,
  type Tensor,
  type Variable,
} from 'gradstep';
import { decodeGradient, decodeTensor, type Encoded, type EncodedSlices, type TfRun, type TfRunner } from '../tf-cases';

interface Round {
  readonly globalStep: number | null;
  readonly grads: readonly Encoded[];
  readonly localSteps: readonly number[];
}

/** Some cases give each round its gradients, others the same to all. */
function roundsOf({ inputs, steps }: TfRun): Round[] {
  const rounds = inputs.optional<{ grads: Encoded[]; local_step: number }[]>('rounds');
  if (rounds !== undefined) {
    return rounds.map(({ grads, local_step }) => ({
      globalStep: null,
      grads,
      localSteps: grads.map(() => local_step),
    }));
  }
  const grads = inputs.required<Encoded[]>('grads');
  const localSteps = inputs.optional<number[]>('local_steps') ?? grads.map(() => 0);
  const globalSteps = inputs.optional<number[]>('set_global_step_before_each_round');
  return Array.from({ length: steps! }, (_, i) => ({ globalStep: globalSteps?.[i] ?? null, grads, localSteps }));
}

/** Pushes each round's gradients and compares what is taken. */
function runRounds(
  run: TfRun,
  accumulator: ConditionalAccumulator | SparseConditionalAccumulator,
  push: (gradient: Encoded, localStep: number) => void,
  compare: (taken: Tensor | IndexedSlices, expected: Encoded) => void,
): void {
  const expected = run.expected.required<Encoded[]>('taken');
  const rounds = roundsOf(run);
  expect(rounds.length).to.equal(run.steps);
  const numRequired = run.args.required<number>('num_required');
  rounds.forEach(({ globalStep, grads, localSteps }, i) => {
    if (globalStep !== null) accumulator.setGlobalStep(globalStep);
    grads.forEach((gradient, k) => push(gradient, localSteps[k]!));
    compare(accumulator.takeGrad(numRequired)!, expected[i]!);
  });
}

function runDense(run: TfRun): void {
  const reductionType = run.args.required<ReductionType>('reduction_type');
  const accumulator = new ConditionalAccumulator(run.dtype, { reductionType });
  runRounds(
    run,
    accumulator,
    (gradient, localStep) => accumulator.applyGrad(decodeTensor(gradient, run.dtype), localStep),
    (taken, expected) => run.close((taken as Tensor).toArray(), expected, 'mean'),
  );
}

function runSparse(run: TfRun): void {
  const reductionType = run.args.required<ReductionType>('reduction_type');
  const accumulator = new SparseConditionalAccumulator(run.dtype, { reductionType });
  runRounds(
    run,
    accumulator,
    (gradient, localStep) => accumulator.applyGrad(decodeGradient(gradient, run.dtype) as IndexedSlices, localStep),
    (taken, expected) => {
      const { values, indices, dense_shape } = (expected as EncodedSlices).indexed_slices;
      const slices = taken as IndexedSlices;
      expect([...slices.indices]).to.deep.equal(indices);
      run.close(slices.values.toArray(), values, 'values');
      // TensorFlow does not say how many rows there are, here it is what one of the gradients said.
      expect(dense_shape).to.deep.equal([-1, ...slices.denseShape!.slice(1)]);
    },
  );
}

interface Moment {
  readonly do: keyof typeof workersOf;
  readonly global_step: number;
  readonly local_steps_worker1?: number;
  readonly vars: Readonly<Record<string, number>>;
}

/** Who pushes, by the words of the case. */
const workersOf = {
  'workers 0 and 2 run': [0, 2],
  'worker 1 runs (stale, dropped); then 0, 1, 2 run again (all stale)': [1, 0, 1, 2],
  'workers 0 and 1 run concurrently': [0, 1],
} as const;

function runSyncReplicas({ inputs, args, expected, steps, dtype, close }: TfRun): void {
  expect(inputs.required('inner')).to.equal('GradientDescentOptimizer(2.0)');
  const initial = Object.entries(inputs.required<Record<string, number>>('vars'));
  const vars = initial.map(([name, value]) => variable(value, { name, dtype }));
  const gradients = inputs.required<Record<string, number[]>>('worker_grads');
  const globalStep = new GlobalStep();
  globalStep.value = inputs.required('global_step');
  const optimizer = new SyncReplicasOptimizer(new GradientDescentOptimizer({ learningRate: 2 }), {
    replicasToAggregate: args.required('replicas_to_aggregate'),
    totalNumReplicas: args.required('total_num_replicas'),
    numTokens: args.required('num_tokens'),
  });
  const gradientsOf = (replica: number) =>
    vars.map((v: Variable): GradientAndVariable => [tensor(gradients[v.name]![replica]!, undefined, dtype), v]);
  const moments = expected.required<Moment[]>('sequence');
  expect(moments.length).to.equal(steps);
  for (const moment of moments) {
    for (const replica of workersOf[moment.do]) {
      optimizer.applyGradients(gradientsOf(replica), { globalStep, replica });
    }
    expect(globalStep.value, moment.do).to.equal(moment.global_step);
    for (const v of vars) close(v.toArray(), moment.vars[v.name]!, `${v.name} after ${moment.do}`);
    if (moment.local_steps_worker1 !== undefined) expect(optimizer.localStep(1)).to.equal(moment.local_steps_worker1);
  }
}

export const accumulatorRunners: Readonly<Record<string, TfRunner>> = {
  ConditionalAccumulator: runDense,
  SparseConditionalAccumulator: runSparse,
  SyncReplicasOptimizer: runSyncReplicas,
};
