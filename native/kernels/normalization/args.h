// What the kernels of normalisations are given.
#pragma once
#include <stddef.h>

namespace gradstep {

// layer: less the mean, over the standard deviation; rms: over the root of the mean square; l2: over the norm.
enum class RowNorm : unsigned char { layer, rms, l2 };

// xhat = (x - mean) inverse, row by row; out = xhat gamma + beta, where these are. Only layer has a mean. l2 keeps in
// its place whether the norm is above epsilon (1, else 0): below it xhat is linear in x.
template <class T> struct NormalizedRows {
  T* out;             // [rows, columns]
  T *mean, *inverse;  // [rows]
  const T* x;
  const T *gamma, *beta;  // [columns] or null
  size_t columns;
  double epsilon;
  RowNorm kind;
};

template <class T> struct NormalizedRowsGradient {
  T* dx;
  double *dgamma, *dbeta;  // [columns]: these rows' sums are added to them; either may be null
  const T *dy, *x, *mean, *inverse;
  const T* gamma;  // [columns] or null
  size_t columns;
  RowNorm kind;
};

// A function of each column: out = (x - mean) b + c, and plus dy a where there is dy. All but x, dy and out have a
// number for each column.
template <class T> struct ColumnMap {
  T* out;
  const T *x, *mean, *b, *c, *dy, *a;
};

}  // namespace gradstep
