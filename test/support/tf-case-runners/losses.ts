import { ops, tensor, type DType, type Tensor, type Variable } from 'gradstep';

type Loss = (vars: Readonly<Record<string, Variable>>, dtype: DType) => Tensor;

/** The losses of tf-cases.json, by the words they are given in. */
export const losses: Readonly<Record<string, Loss>> = {
  '5*var0 + 3*var1': ({ var0, var1 }) => ops.add(ops.mul(var0!, 5), ops.mul(var1!, 3)),
  '5*var0': ({ var0 }) => ops.mul(var0!, 5),
  'var0 + var1': ({ var0, var1 }) => ops.add(var0!, var1!),
  'constant 5.0': (_vars, dtype) => tensor(5, undefined, dtype),
  '(var0 @ [[4],[5]] + var1)^2': ({ var0, var1 }, dtype) =>
    ops.square(ops.add(ops.matMul(var0!, column(dtype)), var1!)),
  '(embedding_lookup(var0,[0]) @ [[4],[5]] + var1)^2': ({ var0, var1 }, dtype) =>
    ops.square(ops.add(ops.matMul(ops.gather(var0!, [0]), column(dtype)), var1!)),
  '(embedding_lookup(var0,[0]) @ [[4],[5]])^2': ({ var0 }, dtype) =>
    ops.square(ops.matMul(ops.gather(var0!, [0]), column(dtype))),
};

const column = (dtype: DType) => tensor([[4], [5]], undefined, dtype);
