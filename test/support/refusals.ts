import { expect } from 'chai';
import { variable, type Optimizer } from 'gradstep';

type Options = Readonly<Record<string, unknown>>;

const never = [NaN, Infinity, -Infinity];

/**
 * Tests that hyperparameters are checked: each as a number by the constructor, and as what a function returns by the
 * step, which then changes nothing.
 *
 * @param valid what makes a valid optimizer.
 * @param refused values of each hyperparameter that are out of its domain, beside NaN and the infinities.
 */
export function itRefusesHyperparameters(
  create: (options: never) => Optimizer,
  valid: Options,
  refused: Readonly<Record<string, readonly number[]>>,
): void {
  const make = create as (options: Options) => Optimizer;
  for (const [name, values] of Object.entries(refused)) {
    it(`refuses ${name} of NaN, an infinity${values.map((value) => `, ${value}`).join('')}, or another kind`, () => {
      for (const value of [...never, ...values]) {
        expect(() => make({ ...valid, [name]: value }), String(value)).to.throw(RangeError, `${name} must be `);
        refusesFromFunction(make, { ...valid, [name]: () => value }, RangeError, name);
      }
      for (const value of ['0.5', null, true, {}]) {
        expect(() => make({ ...valid, [name]: value }), typeof value).to.throw(TypeError, name);
      }
      refusesFromFunction(make, { ...valid, [name]: () => '0.5' }, TypeError, name);
    });
  }

  it('refuses a name and useLocking of a wrong kind', () => {
    expect(() => make({ ...valid, name: '' })).to.throw(RangeError, 'name must not be empty');
    expect(() => make({ ...valid, name: 5 })).to.throw(TypeError, 'name must be a string, got 5');
    expect(() => make({ ...valid, useLocking: 'no' })).to.throw(TypeError, 'useLocking must be a boolean, got "no"');
    expect(() => create(5 as never)).to.throw(TypeError, 'options must be an object, got 5');
  });
}

function refusesFromFunction(
  make: (options: Options) => Optimizer,
  options: Options,
  error: ErrorConstructor,
  name: string,
): void {
  const optimizer = make(options);
  const w = variable([1, 2]);
  expect(() => optimizer.applyGradients([[new Float32Array([1, 1]), w]])).to.throw(error, `${name} must be `);
  expect([...w.data]).to.deep.equal([1, 2]);
  expect(optimizer.variables().every(({ data }) => data.every(Number.isFinite))).to.equal(true);
}

/** The name of an optimizer and of its slots' variables, when it is given none. */
export function itIsNamed(name: string, create: () => Optimizer, slotVariables: readonly string[]): void {
  it(`is named ${name}, and its variables ${slotVariables.join(', ') || '(none)'}`, () => {
    const optimizer = create();
    expect(optimizer.getName()).to.equal(name);
    optimizer.createSlots([variable([1], { name: 'w' })]);
    expect(optimizer.variables().map((v) => v.name)).to.deep.equal(slotVariables);
  });
}
