import { expect } from 'chai';
import { AdagradOptimizer, AdamOptimizer, AdamWOptimizer, GradientDescentOptimizer, variable } from 'gradstep';

const g = new Float32Array([1]);

describe('groups of variables', () => {
  it('step with their own hyperparameters, and the optimizer’s where they have none', () => {
    const [a, b, c] = [variable([0]), variable([0]), variable([0])];
    const optimizer = new GradientDescentOptimizer({
      learningRate: 1,
      groups: [{ variables: [a], learningRate: 2 }, { variables: [b] }],
    });
    optimizer.applyGradients([
      [g, c],
      [g, b],
      [g, a],
    ]);
    expect([a.item(), b.item(), c.item()]).to.deep.equal([-2, -1, -1]);
  });

  it('ask their own functions', () => {
    const a = variable([0]);
    let rate = 1;
    const groups = [{ variables: [a], learningRate: () => rate++ }];
    const optimizer = new GradientDescentOptimizer({ learningRate: 100, groups });
    optimizer.applyGradients([[g, a]]);
    optimizer.applyGradients([[g, a]]);
    expect(a.item()).to.equal(-3);
  });

  it('start their slots from their own values', () => {
    const [a, b] = [variable([0]), variable([0])];
    const optimizer = new AdagradOptimizer({
      learningRate: 1,
      groups: [{ variables: [a], initialAccumulatorValue: 3 }],
    });
    optimizer.createSlots([a, b]);
    const starts = [a, b].map((v) => optimizer.getSlot(v, 'accumulator')!.item());
    expect(starts).to.deep.equal([3, Math.fround(0.1)]);
  });

  it('count their steps by themselves', () => {
    const [a, b] = [variable([0]), variable([0])];
    const optimizer = new AdamOptimizer({ beta1: 0.5, beta2: 0.5, groups: [{ variables: [a], beta1: 0.25 }] });
    optimizer.applyGradients([
      [g, a],
      [g, b],
    ]);
    optimizer.applyGradients([[g, b]]);
    const powers = optimizer.variables().filter(({ name }) => name.startsWith('beta'));
    expect(powers.map((power) => [power.name, power.item()])).to.deep.equal([
      ['beta1_power', 0.125],
      ['beta1_power_1', 0.0625],
      ['beta2_power', 0.125],
      ['beta2_power_1', 0.25],
    ]);
  });

  it('may be spared the weight decay in part', () => {
    const [a, b] = [variable([1], { name: 'a/bias' }), variable([1], { name: 'a/kernel' })];
    const optimizer = new AdamWOptimizer({
      learningRate: 1,
      groups: [{ variables: [a, b], weightDecay: 0.5 }],
      excludeFromWeightDecay: (name) => name.endsWith('bias'),
    });
    const zero = new Float32Array([0]);
    optimizer.applyGradients([
      [zero, a],
      [zero, b],
    ]);
    expect([a.item(), b.item()]).to.deep.equal([1, 0.5]);
    expect(optimizer.variables()).to.have.length(6);
  });

  it('refuse values by the name of the group, and then nothing changes', () => {
    const [a, b] = [variable([1]), variable([1])];
    const make = (group: object) =>
      new GradientDescentOptimizer({ learningRate: 1, groups: [{ variables: [b] }, { variables: [a], ...group }] });
    expect(() => make({ learningRate: -1 })).to.throw(RangeError, 'groups[1].learningRate must be finite and not');
    expect(() => make({ learningRate: '1' })).to.throw(
      TypeError,
      'groups[1].learningRate must be a number or a function',
    );
    const optimizer = make({ learningRate: () => NaN });
    const step = () =>
      optimizer.applyGradients([
        [g, b],
        [g, a],
      ]);
    expect(step).to.throw(RangeError, 'groups[1].learningRate must be finite and not negative, got NaN');
    expect([a.item(), b.item()]).to.deep.equal([1, 1]);
  });

  it('say what was meant by an option of another library', () => {
    const v = variable([1]);
    const make = (group: object) => () => new GradientDescentOptimizer({ learningRate: 1, groups: [group as never] });
    expect(make({ variables: [v], lr: 1 })).to.throw(TypeError, "did you mean 'learningRate'?");
    expect(make({ params: [v] })).to.throw(TypeError, "did you mean 'variables'?");
    expect(make([v])).to.throw(TypeError, 'groups[0] must be an object, got an array of 1: write { variables: [...] }');
  });

  it('are read once', () => {
    const v = variable([1], { name: 'v' });
    let reads = 0;
    const group = {
      learningRate: 1,
      get variables() {
        reads++;
        return reads === 1 ? [v] : [null as never];
      },
    };
    const optimizer = new GradientDescentOptimizer({ learningRate: 0, groups: [group] });
    optimizer.applyGradients([[Float32Array.of(1), v]]);
    expect([reads, v.item()]).to.deep.equal([1, 0]);
  });

  it('refuse unknown options, variables that are none, and a variable in two of them', () => {
    const v = variable([1], { name: 'v' });
    const make = (groups: unknown) => () => new GradientDescentOptimizer({ learningRate: 1, groups: groups as never });
    expect(make([{ variables: [v], lr: 1 }])).to.throw(
      TypeError,
      'groups[0] has the option "lr", expected some of learningRate',
    );
    expect(make([{ variables: [v] }, { variables: [v] }])).to.throw(Error, "variable 'v' is in groups twice");
    expect(make([{ variables: [v, v] }])).to.throw(Error, "variable 'v' is in groups twice");
    expect(make([{ variables: [1] }])).to.throw(TypeError, 'groups[0].variables must hold Variables, got 1');
    expect(make([{ learningRate: 1 }])).to.throw(TypeError, 'groups[0].variables must be an array, got undefined');
    expect(make([null])).to.throw(TypeError, 'groups[0] must be an object, got null');
    expect(make({})).to.throw(TypeError, 'groups must be an array, got an Object');
  });
});
