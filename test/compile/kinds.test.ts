import { expect } from 'chai';
import { native, taskKinds, type Program } from '../../lib/native';

describe('programs', () => {
  it('know the kinds of tasks by the names that JavaScript has for them', () => {
    expect(native.taskKinds).to.have.members([...taskKinds]);
  });

  it('are not run but by what was made of a table', () => {
    const numbers = Float64Array.of(1);
    const run = (program: object): void => {
      native.runProgram(program as Program, numbers, [], new Float64Array(3));
    };
    for (const other of [{}, [], new Float64Array(8), () => {}])
      expect(() => run(other)).to.throw(TypeError, 'program');
    expect(() => native.makeProgram(new Float64Array(3))).to.throw(RangeError);
    expect(() => native.makeProgram(Float64Array.of(2 ** 52, 1, 0, 0, 0, 0, 0, 0))).to.throw(Error, 'out of memory');
  });

  it('want an address for each of their places, and statistics of three', () => {
    const table = [64, 1, 0, 1, 8, 0, 0, 1, 0, 0, 0, 0]; // of one place of 8 bytes, and no task
    const program = native.makeProgram(Float64Array.of(...table, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0));
    const place = new Float64Array(new SharedArrayBuffer(8));
    const run = (numbers: number[], statistics: number) => () =>
      native.runProgram(program, Float64Array.from(numbers), [], new Float64Array(statistics));
    expect(run([native.addressOf(place), 1], 3)).not.to.throw();
    expect(run([1], 3)).to.throw(RangeError);
    expect(run([0, 1], 3)).to.throw(RangeError, 'an address');
    expect(run([-1, 1], 3)).to.throw(RangeError, 'an address');
    expect(run([native.addressOf(place), 1, 0], 3)).to.throw(RangeError);
    expect(run([native.addressOf(place), 1], 2)).to.throw(RangeError, 'statistics');
  });
});
