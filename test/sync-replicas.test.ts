import { expect } from 'chai';
import {
  AdamOptimizer,
  createGlobalStep,
  DynamicLossScale,
  ExponentialMovingAverage,
  GradientDescentOptimizer,
  IndexedSlices,
  MixedPrecisionLossScaleOptimizer,
  ops,
  Optimizer,
  SyncReplicasOptimizer,
  tensor,
  variable,
  type GradientAndVariable,
  type SyncReplicasOptions,
} from 'gradstep';

const sgd = () => new GradientDescentOptimizer({ learningRate: 1 });

function setting(options: SyncReplicasOptions, inner: Optimizer = sgd()) {
  const v = variable([0], { name: 'v' });
  const globalStep = createGlobalStep();
  const optimizer = new SyncReplicasOptimizer(inner, options);
  const push = (replica: number, gradient: number) =>
    optimizer.applyGradients([[tensor([gradient]), v]], { globalStep, replica });
  return { v, globalStep, optimizer, push };
}

describe('SyncReplicasOptimizer', () => {
  it('without initial tokens makes every step of one gradient of each replica', () => {
    const { v, globalStep, optimizer, push } = setting({ replicasToAggregate: 2, numTokens: 0 });
    for (let step = 0; step < 3; step++) {
      expect(push(0, 2)).to.equal(true);
      expect(optimizer.isWaiting(0)).to.equal(true);
      expect(globalStep.value).to.equal(step);
      expect(push(1, 4)).to.equal(true);
      expect([0, 1].map((replica) => optimizer.isWaiting(replica))).to.deep.equal([false, false]);
      expect([0, 1].map((replica) => optimizer.localStep(replica))).to.deep.equal([step + 1, step + 1]);
      expect(v.item()).to.equal(-3 * (step + 1));
    }
  });

  it('does not let a replica that waits push again', () => {
    const { v, optimizer, push } = setting({ replicasToAggregate: 2, numTokens: 0 });
    push(1, 2);
    expect(() => push(1, 2)).to.throw(Error, 'replica 1 waits for the others');
    push(0, 4);
    expect(v.item()).to.equal(-3);
    expect(optimizer.isWaiting(1)).to.equal(false);
  });

  it('with the initial tokens of TensorFlow drops one gradient of each replica after the first step', () => {
    const { v, globalStep, push } = setting({ replicasToAggregate: 2 });
    const accepted = [0, 1, 0, 1, 0, 1].map((replica) => push(replica, 1));
    expect(accepted).to.deep.equal([true, true, false, false, true, true]);
    expect([globalStep.value, v.item()]).to.deep.equal([2, -2]);
  });

  it('drops what a backup replica brings too late, and gives it the present step', () => {
    const { v, optimizer, push } = setting({ replicasToAggregate: 2, totalNumReplicas: 3, numTokens: 0 });
    push(0, 1);
    push(1, 1);
    expect(optimizer.tokens).to.deep.equal([1]);
    expect(push(2, 100)).to.equal(false);
    expect(optimizer.localStep(2)).to.equal(1);
    expect(v.item()).to.equal(-1);
  });

  it('aggregates more gradients than there are replicas by way of initial tokens', () => {
    const { v, globalStep, push } = setting({ replicasToAggregate: 4, totalNumReplicas: 2 });
    for (const [replica, gradient] of [[0, 1], [1, 2], [0, 3], [1, 6]] as const) push(replica, gradient); // prettier-ignore
    expect([globalStep.value, v.item()]).to.deep.equal([1, -3]);
  });

  it('averages sparse gradients row by row', () => {
    const v = variable([[0], [0], [0]]);
    const globalStep = createGlobalStep();
    const optimizer = new SyncReplicasOptimizer(sgd(), { replicasToAggregate: 2, numTokens: 0 });
    const push = (replica: number, values: number[][], indices: number[]) =>
      optimizer.applyGradients([[new IndexedSlices(values, indices), v]], { globalStep, replica });
    push(0, [[2], [4]], [0, 2]);
    push(1, [[8]], [2]);
    expect(v.toArray()).to.deep.equal([[-2], [0], [-6]]);
  });

  it('starts from the step that training was resumed at', () => {
    const { optimizer, globalStep, push } = setting({ replicasToAggregate: 1, numTokens: 0 });
    globalStep.value = 41;
    expect(push(0, 1)).to.equal(true);
    expect([globalStep.value, optimizer.localStep(0)]).to.deep.equal([42, 42]);
  });

  it('gives minimize its replica, and the state of the inner optimizer', () => {
    const v = variable([1], { name: 'v' });
    const globalStep = createGlobalStep();
    const inner = new AdamOptimizer();
    const optimizer = new SyncReplicasOptimizer(inner, { replicasToAggregate: 2, numTokens: 0 });
    for (const replica of [0, 1]) optimizer.minimize(() => ops.square(v), { globalStep, replica });
    expect(globalStep.value).to.equal(1);
    expect(optimizer.getSlotNames()).to.deep.equal(['m', 'v']);
    expect(optimizer.variables()).to.deep.equal(inner.variables());
    expect(optimizer.getName()).to.equal('sync_replicas');
    expect(optimizer).to.be.instanceOf(Optimizer);
  });

  it('updates moving averages after each step', () => {
    const variableAverages = new ExponentialMovingAverage(0.5);
    const { v, push } = setting({ replicasToAggregate: 1, numTokens: 0, variableAverages });
    push(0, 1);
    push(0, 2);
    expect(variableAverages.average(v)!.item()).to.equal(-2); // of -1 and -3
  });

  it('goes on when the inner optimizer leaves a step out', () => {
    const scale = new DynamicLossScale();
    const inner = new MixedPrecisionLossScaleOptimizer(sgd(), scale);
    const { v, globalStep, push } = setting({ replicasToAggregate: 1, numTokens: 0 }, inner);
    expect([push(0, NaN), push(0, 2)]).to.deep.equal([true, true]);
    expect([v.item(), globalStep.value, scale.value]).to.deep.equal([-2, 1, 2 ** 14]);
  });

  it('tries again with what it has gathered when the inner optimizer throws', () => {
    let learningRate: unknown = 'x';
    const inner = new GradientDescentOptimizer({ learningRate: () => learningRate as number });
    const { v, push } = setting({ replicasToAggregate: 1, totalNumReplicas: 2, numTokens: 0 }, inner);
    expect(() => push(0, 2)).to.throw(TypeError, 'learningRate');
    learningRate = 1;
    push(1, 4);
    expect(v.item()).to.equal(-3);
  });

  it('refuses arguments by name, with nothing changed', () => {
    const { v, globalStep, optimizer, push } = setting({ replicasToAggregate: 2, numTokens: 0 });
    const other = variable([0], { name: 'other' });
    const apply = (pairs: GradientAndVariable[], options: object) => () => optimizer.applyGradients(pairs, options);
    const pair = [tensor([1]), v] as const;
    expect(apply([pair], {})).to.throw(TypeError, 'globalStep must be a GlobalStep');
    expect(apply([], { globalStep })).to.throw(Error, 'No variables provided');
    expect(apply([pair], { globalStep, replica: 2 })).to.throw(
      RangeError,
      'replica must be a whole number from 0 to 1',
    );
    push(0, 1);
    expect(apply([pair], { globalStep: createGlobalStep(), replica: 1 })).to.throw(Error, 'the one of the first call');
    expect(apply([pair, [tensor([1]), other]], { globalStep, replica: 1 })).to.throw(
      Error,
      "'other' has a gradient, but had none",
    );
    expect(apply([[tensor([1]), other]], { globalStep, replica: 1 })).to.throw(Error, "'other' has a gradient");
    expect(apply([[new IndexedSlices([1], [0]), v]], { globalStep, replica: 1 })).to.throw(
      TypeError,
      'is sparse, in the first',
    );
    push(1, 3);
    expect(v.item()).to.equal(-2);
  });

  it('refuses options by name', () => {
    const make =
      (options: object, inner: unknown = sgd()) =>
      () =>
        new SyncReplicasOptimizer(inner as Optimizer, options as SyncReplicasOptions);
    expect(make({})).to.throw(TypeError, 'replicasToAggregate must be a number, got undefined');
    expect(make({ replicasToAggregate: 0 })).to.throw(RangeError, 'replicasToAggregate must be a whole number from 1');
    expect(make({ replicasToAggregate: 3, totalNumReplicas: 1, numTokens: 1 })).to.throw(
      RangeError,
      'numTokens must be a whole number from 2',
    );
    expect(make({ replicasToAggregate: 1, variableAverages: 1 })).to.throw(TypeError, 'variableAverages');
    expect(make({ replicasToAggregate: 1, variablesToAverage: [1] })).to.throw(TypeError, 'variablesToAverage');
    expect(make({ replicasToAggregate: 1 }, {})).to.throw(TypeError, 'optimizer must be an Optimizer');
  });
});
