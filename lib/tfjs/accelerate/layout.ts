/**
 * Dims and strides of what `native.permute` copies, with as few dimensions as they can be: those of size 1 left out,
 * adjacent ones that are run through as one made one.
 */
export function copyLayout(dims: readonly number[], strides: readonly number[]): Float64Array {
  const merged: [dim: number, stride: number][] = []; // innermost first
  for (let d = dims.length - 1; d >= 0; d--) {
    const [dim, stride] = [dims[d]!, strides[d]!];
    if (dim === 1) continue;
    const inner = merged.at(-1);
    if (inner !== undefined && stride === inner[0] * inner[1]) inner[0] *= dim;
    else merged.push([dim, stride]);
  }
  merged.reverse();
  return Float64Array.from([...merged.map(([dim]) => dim), ...merged.map(([, stride]) => stride)]);
}
