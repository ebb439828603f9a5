import { expect } from 'chai';
import { AggregationMethod, gradients, ops, tensor, type Tensor } from 'gradstep';
import type { TfRun, TfRunner } from '../tf-cases';

const termCount = 10;

function runGradients({ inputs, args, expected, dtype, close }: TfRun): void {
  expect(inputs.required('y')).to.equal('x*2');
  expect(inputs.required('ys')).to.equal('sum of ten y terms');
  expect(inputs.required('xs')).to.deep.equal(['x', 'y']);
  const x = tensor(inputs.required<number>('x'), undefined, dtype);
  const aggregationMethod = AggregationMethod[args.required<keyof typeof AggregationMethod>('aggregation_method')];
  const sumOfTerms = (y: Tensor): Tensor => {
    let sum = ops.add(y, y);
    for (let i = 2; i < termCount; i++) sum = ops.add(sum, y);
    return sum;
  };
  const [dx] = gradients(() => sumOfTerms(ops.mul(x, 2)), [x], { aggregationMethod });
  const y = tensor(2 * x.item(), undefined, dtype);
  const [dy] = gradients(() => sumOfTerms(y), [y], { aggregationMethod });
  close(
    [dx, dy].map((gradient) => (gradient as Tensor).item()),
    expected.required('gradients'),
    'gradients',
  );
}

export const gradientRunners: Readonly<Record<string, TfRunner>> = { gradients: runGradients };
