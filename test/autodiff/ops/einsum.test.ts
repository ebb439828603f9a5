import { expect } from 'chai';
import fc from 'fast-check';
import { ops, tensor, type Tensor } from 'gradstep';
import { elements, indicesOf, reader } from '../../support/arrays';
import { expectClose, expectFloat32, expectGradients, randomTensor } from '../../support/numeric-gradient';

const sizes: Readonly<Record<string, number>> = { a: 2, b: 3, c: 1, d: 4, e: 2 };

/** The sum over every letter that the result lacks, of the products of all operands. */
function naive(terms: readonly string[], output: string, operands: readonly Tensor[]): number[] {
  const summed = [...new Set(terms.join(''))].filter((letter) => !output.includes(letter));
  const shape = [...output].map((letter) => sizes[letter]!);
  return elements(shape, (index) => {
    let sum = 0;
    for (const at of indicesOf(summed.map((letter) => sizes[letter]!))) {
      const place = (letter: string): number => output.includes(letter) ? index[output.indexOf(letter)]! : at[summed.indexOf(letter)]!; // prettier-ignore
      sum += operands.reduce((all, t, i) => all * reader(t.data, t.shape)([...terms[i]!].map(place)), 1);
    }
    return sum;
  });
}

describe('einsum', () => {
  const letters = fc.array(fc.constantFrom(...Object.keys(sizes)), { maxLength: 4 }).map((list) => list.join(''));

  it('is the sum that its equation says, for any equation of one to three operands', () => {
    fc.assert(
      fc.property(fc.array(letters, { minLength: 1, maxLength: 3 }), fc.nat(31), fc.nat(), (terms, mask, turn) => {
        const all = [...new Set(terms.join(''))];
        const kept = all.filter((_, i) => (mask >> i) & 1);
        const output = [...kept.slice(turn % (kept.length + 1)), ...kept.slice(0, turn % (kept.length + 1))].join('');
        const operands = terms.map((term, i) => randomTensor([...term].map((letter) => sizes[letter]!), { seed: i + 1 })); // prettier-ignore
        const y = ops.einsum(`${terms.join(',')} -> ${output}`, ...operands);
        expect(y.shape).to.deep.equal([...output].map((letter) => sizes[letter]!));
        expectClose(y.data, naive(terms, output, operands), 1e-12);
      }),
      { numRuns: 300 },
    );
  });

  it('has the gradients that differences show', () => {
    const of = (shape: number[], seed = 1): Tensor => randomTensor(shape, { seed });
    expectGradients((x, y) => ops.einsum('bqhd,bkhd->bhqk', x, y), [of([2, 3, 2, 4]), of([2, 2, 2, 4], 2)]);
    expectGradients((x, y, z) => ops.einsum('ab,bc,ca->', x, y, z), [of([2, 3]), of([3, 4], 2), of([4, 2], 3)]);
    expectGradients((x) => ops.square(ops.einsum('iij->ji', x)), [of([3, 3, 2])]);
    expectGradients((x, y) => ops.einsum('i,j', x, y), [of([3]), of([2], 2)]);
    expectFloat32((x, y) => ops.einsum('nij,jk->nik', x, y), [of([2, 5, 17]), of([17, 3], 2)], 1e-5);
  });

  it('has letters in the order of the alphabet without an arrow, and dimensions for dots', () => {
    const [x, y] = [randomTensor([2, 3]), randomTensor([3, 4], { seed: 2 })];
    expect(ops.einsum('ba', x).shape).to.deep.equal([3, 2]);
    expect(ops.einsum('ij,jk', x, y).data).to.deep.equal(ops.matMul(x, y).data);
    expect(ops.einsum('ii', randomTensor([3, 3])).shape).to.deep.equal([]);
    const batch = randomTensor([5, 1, 2, 3]);
    const z = ops.einsum('...ij,...jk->...ik', batch, randomTensor([4, 3, 4]));
    expect(z.shape).to.deep.equal([5, 4, 2, 4]);
    expect(z.data).to.deep.equal(ops.matMul(batch, randomTensor([4, 3, 4])).data);
    expect(ops.einsum('...i->...', batch).shape).to.deep.equal([5, 1, 2]);
    expect(ops.einsum('i...->...', batch).shape).to.deep.equal([1, 2, 3]);
  });

  it('refuses what cannot be read, and shapes that do not fit', () => {
    const x = tensor([[1, 2], [3, 4]]); // prettier-ignore
    expect(() => ops.einsum(1 as never, x)).to.throw(TypeError, 'equation must be a string');
    expect(() => ops.einsum('ij,jk->ik', x)).to.throw(RangeError, 'it is of 2 operands, 1 were given');
    expect(() => ops.einsum('i1->i', x)).to.throw(RangeError, "'i1' must be letters");
    expect(() => ops.einsum('i->i', x)).to.throw(
      RangeError,
      "'i' does not name the dimensions of operand 0, of shape [2, 2]",
    );
    expect(() => ops.einsum('ij->k', x)).to.throw(RangeError, "no operand has 'k'");
    expect(() => ops.einsum('ij->ii', x)).to.throw(RangeError, 'the result must not have a letter twice');
    expect(() => ops.einsum('ij->i->j', x)).to.throw(RangeError, 'there must be one arrow at most');
    expect(() => ops.einsum('ij,jk->ik', x, tensor([[1]]))).to.throw(
      RangeError,
      "'j' is of size 2, in operand 1 of shape [1, 1] of size 1",
    );
    expect(() => ops.einsum('ij->i', tensor([[1]], undefined, 'int32') as never)).to.throw(
      TypeError,
      'operand 0 is int32',
    );
  });
});
