import { expect } from 'chai';
import {
  AdadeltaOptimizer,
  AdagradOptimizer,
  AdamaxOptimizer,
  AdamOptimizer,
  AdamWOptimizer,
  AMSGradOptimizer,
  ExponentialMovingAverage,
  GradientDescentOptimizer,
  LionOptimizer,
  MixedPrecisionLossScaleOptimizer,
  DynamicLossScale,
  MomentumOptimizer,
  RMSPropOptimizer,
  variable,
  type Optimizer,
  type Variable,
} from 'gradstep';
import { fromTorch, toTorch } from 'gradstep/checkpoint';
import { parseSafetensors, serializeSafetensors } from 'gradstep/safetensors';

const noise = (i: number, length: number): Float32Array =>
  Float32Array.from({ length }, (_, k) => Math.sin(12.9898 * (i + 1) + 78.233 * (k + 1)) * 2);

function model(): Variable[] {
  return [
    variable(noise(100, 6), { shape: [2, 3], name: 'linear.weight' }),
    variable(noise(101, 2), { name: 'linear.bias' }),
  ];
}

const step = (optimizer: Optimizer, variables: readonly Variable[], i: number): void => {
  optimizer.applyGradients(variables.map((v, k) => [noise(10 * i + k, v.size), v] as const));
};

const makers: Readonly<Record<string, [make: () => Optimizer, names: string]>> = {
  Adam: [() => new AdamOptimizer(), 'exp_avg exp_avg_sq step'],
  'Adam in a wrapper': [
    () => new MixedPrecisionLossScaleOptimizer(new AdamOptimizer(), new DynamicLossScale({ initialLossScale: 1 })),
    'exp_avg exp_avg_sq step',
  ],
  AdamW: [() => new AdamWOptimizer({ weightDecay: 0.1 }), 'exp_avg exp_avg_sq step'],
  AMSGrad: [() => new AMSGradOptimizer(), 'exp_avg exp_avg_sq max_exp_avg_sq step'],
  Adamax: [() => new AdamaxOptimizer(), 'exp_avg exp_inf step'],
  SGD: [() => new MomentumOptimizer({ learningRate: 0.1, momentum: 0.9 }), 'momentum_buffer'],
  Adagrad: [() => new AdagradOptimizer({ learningRate: 0.1 }), 'step sum'],
  Adadelta: [() => new AdadeltaOptimizer({ learningRate: 0.1 }), 'acc_delta square_avg step'],
  // A power of two, so that dividing by it and multiplying with it lose nothing.
  RMSprop: [() => new RMSPropOptimizer({ learningRate: 0.125, momentum: 0.9 }), 'momentum_buffer square_avg step'],
  'RMSprop without momentum': [() => new RMSPropOptimizer({ learningRate: 0.1 }), 'square_avg step'],
  'RMSprop, centered': [
    () => new RMSPropOptimizer({ learningRate: 0.125, momentum: 0.9, centered: true }),
    'grad_avg momentum_buffer square_avg step',
  ],
};

describe('state in the names of PyTorch', () => {
  for (const [name, [make, names]] of Object.entries(makers)) {
    it(`goes there and back, and steps go on: ${name}`, () => {
      const [variables, optimizer] = [model(), make()];
      for (let i = 0; i < 7; i++) step(optimizer, variables, i);
      const tensors = toTorch({ variables, optimizer }, /Ad(agrad|adelta)|RMS/.test(name) ? { step: 7 } : {});
      const ofBias = [...tensors.keys()].filter((key) => key.startsWith('state.linear.bias.'));
      expect(
        ofBias
          .map((key) => key.slice('state.linear.bias.'.length))
          .sort()
          .join(' '),
      ).to.equal(names);
      if (names.includes('step')) expect([...tensors.get('state.linear.weight.step')!.data]).to.deep.equal([7]);
      expect(tensors.get(ofBias[0]!)!.shape).to.deep.equal([2]);
      const file = parseSafetensors(serializeSafetensors(tensors));
      const read = [...file.tensors.keys()].map((key) => [key, file.read(key) as Float32Array] as const);
      const [others, resumed] = [model(), make()];
      others.forEach((v, k) => v.assign(variables[k]!.data));
      fromTorch(read, { variables: others, optimizer: resumed });
      for (let i = 7; i < 12; i++) {
        step(optimizer, variables, i);
        step(resumed, others, i);
      }
      others.forEach((v, k) => expect([...v.data]).to.deep.equal([...variables[k]!.data]));
    });
  }

  it('is of these exact values for Adam, as its paper has them', () => {
    const [w, optimizer] = [variable([1], { name: 'w' }), new AdamOptimizer({ beta1: 0.5, beta2: 0.75 })];
    for (const g of [1, 2]) optimizer.applyGradients([[Float32Array.of(g), w]]);
    const numbers = Object.fromEntries(
      [...toTorch({ variables: [w], optimizer })].map(([key, { data }]) => [key, data[0]]),
    );
    expect(numbers).to.deep.equal({ 'state.w.exp_avg': 1.25, 'state.w.exp_avg_sq': 1.1875, 'state.w.step': 2 });
  });

  it('is refused as a whole where it does not fit', () => {
    const [variables, optimizer] = [model(), new AdamOptimizer()];
    const good = new Map<string, Float32Array>(
      variables.flatMap(({ name, size }) => [
        [`state.${name}.exp_avg`, new Float32Array(size)] as const,
        [`state.${name}.exp_avg_sq`, new Float32Array(size)] as const,
        [`state.${name}.step`, Float32Array.of(3)] as const,
      ]),
    );
    const wrong = (key: string, value?: Float32Array): Map<string, Float32Array> => {
      const map = new Map(good);
      if (value === undefined) map.delete(key);
      else map.set(key, value);
      return map;
    };
    const tries: [Map<string, Float32Array>, RegExp][] = [
      [wrong('state.linear.bias.exp_avg'), /lacks state\.linear\.bias\.exp_avg and has nothing beside/],
      [wrong('state.other.exp_avg', Float32Array.of(1)), /lacks nothing and has state\.other\.exp_avg beside/],
      [wrong('state.linear.bias.exp_avg', new Float32Array(3)), /must have 2 elements, got 3/],
      [wrong('state.linear.bias.step', Float32Array.of(4)), /is 4, and another variable's is 3/],
      [wrong('state.linear.bias.step', Float32Array.of(3.5)), /one whole number/],
    ];
    for (const [tensors, message] of tries) {
      expect(() => fromTorch(tensors, { variables, optimizer })).to.throw(message);
      expect(optimizer.state()).to.deep.equal([]);
    }
    expect(() => toTorch({ variables, optimizer })).to.throw(/no state of 'linear.weight' yet/);
    for (const other of [new LionOptimizer(), new GradientDescentOptimizer({ learningRate: 1 })]) {
      expect(() => toTorch({ variables, optimizer: other })).to.throw(TypeError, /one that PyTorch has/);
    }
    expect(() => toTorch({ variables, optimizer: new ExponentialMovingAverage(0.9) as never })).to.throw(TypeError);
    const rms = new RMSPropOptimizer({ learningRate: 1 });
    step(rms, variables, 0);
    expect(() => toTorch({ variables, optimizer: rms })).to.throw(/give it in \{ step \}/);
  });
});
