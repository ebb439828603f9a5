import { expect } from 'chai';
import { AdamOptimizer, GradientDescentOptimizer, MomentumOptimizer, ops, variable } from 'gradstep';
import { DistributedOptimizer, SharedMemoryCommunicator } from 'gradstep/parallel';
import type { Mistake } from '../support/distributed';
import { hex } from '../support/takeover';
import { Team, withTeam } from '../support/together';

/** The same training without the step that fails. */
function withoutThatStep(): string[] {
  const [a, b] = ['a', 'b'].map((name) => variable([1, 2, 3], { name }));
  const optimizer = new MomentumOptimizer({ learningRate: 0.1, momentum: 0.9 });
  return [0, 1].map(() => {
    optimizer.minimize(() => ops.add(ops.l2Loss(a!), ops.l2Loss(b!)));
    return hex(a!.data) + hex(b!.data);
  });
}

const list = (name: string, shape = '3'): string => `'${name}' (float32, shape [${shape}])`;
const differ = (at: number, first: string, other: string): string =>
  `RangeError: ranks compute gradients of different variables: at ${at} rank 0 has ${first}, rank 1 has ${other}; ` +
  'give all ranks one varList';

describe('a rank that does something wrong', function () {
  this.timeout(60_000);
  let team: Team;
  before(() => (team = new Team(3)));
  after(() => team.end());

  const own: Readonly<Partial<Record<Mistake, string>>> = {
    'the loss throws': 'RangeError: no such batch',
    'the way back throws': 'RangeError: no way back',
    'nothing is a loss': 'TypeError: loss must return a Tensor, got undefined',
  };
  const all: Readonly<Partial<Record<Mistake, string>>> = {
    'another variable': differ(1, list('b'), list('c')),
    'one more variable': differ(2, 'no variable (it has 2)', list('c')),
    'another order': differ(0, list('a'), list('b')),
    'another shape': differ(1, list('b'), list('b', '1, 3')),
  };

  for (const fusionBytes of [0, 2 ** 26]) {
    for (const [mistake, error] of Object.entries(own)) {
      it(`throws, and so do the others, who say which it was: ${mistake} (${fusionBytes})`, async () => {
        const [first, last] = withoutThatStep();
        const outcomes = await team.results('mistaken', { mistake, rank: 1, fusionBytes });
        const told = `Error: rank 1 has no gradients for this step: ${error}`;
        expect(outcomes).to.deep.equal([told, error, told].map((text) => [first, text, last]));
      });
    }

    for (const [mistake, error] of Object.entries(all)) {
      it(`is told to all: ${mistake} (${fusionBytes})`, async () => {
        const [first, last] = withoutThatStep();
        const outcomes = await team.results('mistaken', { mistake, rank: 1, fusionBytes });
        expect(outcomes).to.deep.equal([0, 1, 2].map(() => [first, error, last]));
      });
    }
  }

  it('that leaves ends the calls of the others', () =>
    withTeam(3, async (own) => {
      const errors = await own.errors('left', { rank: 1 });
      const aborted = 'CommunicatorAborted: the communicator was aborted: the thread of rank 1 has ended';
      expect(errors).to.deep.equal([aborted, 'ended', aborted]);
    }));

  it('ends the calls of the others when it throws where nobody could know', () =>
    withTeam(3, async (own) => {
      const [first, second, third] = await own.errors('misfit');
      expect(second).to.contain('out of memory');
      expect([first, third]).to.deep.equal([first, first]);
      expect(first).to.match(/^CommunicatorAborted: .*out of memory/);
    }));
});

describe('a DistributedOptimizer', () => {
  const alone = () => SharedMemoryCommunicator.join(SharedMemoryCommunicator.create(1), 0);

  it('refuses what it cannot be made of', () => {
    const make = (...given: readonly unknown[]) => {
      return () => new DistributedOptimizer(...(given as ConstructorParameters<typeof DistributedOptimizer>));
    };
    const adam = new AdamOptimizer();
    expect(make(5, alone())).to.throw(TypeError, 'optimizer must be an Optimizer, got 5');
    expect(make(adam)).to.throw(TypeError, 'communicator must be a Communicator, got undefined');
    expect(make(adam, { rank: 0, size: 1 })).to.throw(TypeError, 'communicator must be a Communicator, got an Object');
    expect(make(adam, alone(), { fusionByte: 1 })).to.throw(TypeError, "did you mean 'fusionBytes'?");
    expect(make(adam, alone(), { fusionBytes: -1 })).to.throw(RangeError, 'fusionBytes must be a whole number');
    expect(make(adam, alone(), { check: 'always' })).to.throw(TypeError, "check must be 'start', a number");
    expect(make(adam, alone(), { check: 0 })).to.throw(RangeError, 'check must be');
    expect(make(adam, alone(), { deterministic: 1 })).to.throw(TypeError, 'deterministic must be a boolean');
    expect(make(adam, alone(), { name: '' })).to.throw(RangeError, 'name');
    adam.dispose();
  });

  it('has the state, the slots and the name of the optimizer inside', () => {
    const w = variable([1, 2], { name: 'w' });
    const inner = new AdamOptimizer();
    const distributed = new DistributedOptimizer(inner, alone());
    distributed.minimize(() => ops.l2Loss(w));
    expect(distributed.state()).to.deep.equal(inner.state());
    expect(distributed.getSlot(w, 'm')).to.equal(inner.getSlot(w, 'm'));
    expect(distributed.getName()).to.equal('Adam');
    expect(new DistributedOptimizer(inner, alone(), { name: 'other' }).getName()).to.equal('other');
    distributed.dispose();
    expect(() => distributed.minimize(() => ops.l2Loss(w))).to.throw(Error);
  });

  it('refuses gradients that are none', () => {
    const w = variable([1, 2], { name: 'w' });
    const distributed = new DistributedOptimizer(new GradientDescentOptimizer({ learningRate: 1 }), alone());
    expect(() => distributed.averageGradients(5 as never)).to.throw(TypeError, 'gradsAndVars must be an iterable');
    expect(() => distributed.averageGradients([[Float32Array.of(1), w]])).to.throw(RangeError, "gradient of 'w' has 1");
    expect(() => distributed.averageGradients([[null, w], [null, w]])).to.throw(Error, "variable 'w' occurs twice"); // prettier-ignore
    expect(distributed.averageGradients([[null, w]])[0]![0]).to.equal(null);
    expect(distributed.averageGradients([[null, w]]).loss.item()).to.deep.equal(NaN);
  });
});
