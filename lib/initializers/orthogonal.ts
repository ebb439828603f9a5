/**
 * The orthogonal factor q of the QR decomposition of a [rows, columns] matrix, rows >= columns, with the signs that make r's
 * diagonal positive: so that of normally distributed numbers every orthogonal matrix is as likely as any other.
 * By Householder reflections, in place.
 */
export function orthogonalFactor(a: Float64Array, rows: number, columns: number): Float64Array {
  const reflections: Float64Array[] = [];
  const signs = new Float64Array(columns);
  for (let k = 0; k < columns; k++) {
    const v = new Float64Array(rows);
    let squares = 0;
    for (let i = k; i < rows; i++) squares += (v[i] = a[i * columns + k]!) ** 2;
    const norm = Math.sqrt(squares);
    // The reflection takes the column to -sign(v[k]) norm, which is what r has there.
    signs[k] = v[k]! > 0 ? -1 : 1;
    v[k]! -= signs[k]! * norm;
    let length = 0;
    for (let i = k; i < rows; i++) length += v[i]! * v[i]!;
    if (length > 0) for (let i = k; i < rows; i++) v[i]! /= Math.sqrt(length);
    reflect(a, v, k, rows, columns);
    reflections.push(v);
  }
  const q = new Float64Array(rows * columns);
  for (let k = 0; k < columns; k++) q[k * columns + k] = signs[k]!;
  for (let k = columns - 1; k >= 0; k--) reflect(q, reflections[k]!, k, rows, columns);
  return q;
}

// a -= 2 v (vᵀ a); v is 0 in front of `first`.
function reflect(a: Float64Array, v: Float64Array, first: number, rows: number, columns: number): void {
  const products = new Float64Array(columns);
  for (let i = first; i < rows; i++) for (let j = 0; j < columns; j++) products[j]! += v[i]! * a[i * columns + j]!;
  for (let i = first; i < rows; i++) for (let j = 0; j < columns; j++) a[i * columns + j]! -= 2 * v[i]! * products[j]!;
}
