// Normalisations over whole arrays. Each function is false, with nothing changed, when there is no memory.
#pragma once
#include "../kernels/table.h"

namespace gradstep {

// What kernels/normalization/args.h says, of so many rows.
template <class T> void normalize_rows(const NormalizedRows<T>& a, size_t rows);
// dgamma and dbeta, [columns] each, may be null; those of `a` are ignored.
template <class T>
[[nodiscard]] bool normalize_rows_gradient(const NormalizedRowsGradient<T>& a, T* dgamma, T* dbeta, size_t rows);

// x [outer, reduced, inner], whose columns fall into groups of neighbours: for each outer index, a group has one mean
// and one variance. Batches are normalised with outer 1 and as many groups as columns.
struct ColumnShape { size_t outer, reduced, inner, groups; };

// y = (x - mean) / sqrt(variance + epsilon) gamma + beta. mean and variance are [outer, groups] and written; gamma and
// beta are [inner] or null.
template <class T> struct NormalizedColumns {
  ColumnShape shape;
  T *y, *mean, *variance;
  const T *x, *gamma, *beta;
  double epsilon;
};
template <class T> [[nodiscard]] bool normalize_columns(const NormalizedColumns<T>& a);

template <class T> struct NormalizedColumnsGradient {
  ColumnShape shape;
  T *dx, *dgamma, *dbeta;  // the latter two may be null
  const T *dy, *x, *mean, *variance, *gamma;
  double epsilon;
};
template <class T> [[nodiscard]] bool normalize_columns_gradient(const NormalizedColumnsGradient<T>& a);

// The same with a mean and a variance [inner] that are given, of x [reduced, inner].
template <class T> [[nodiscard]] bool normalize_columns_with(const NormalizedColumns<T>& a);

// out = the sums down the columns of x [rows, columns], over all threads.
template <class T> [[nodiscard]] bool sum_down(T* out, const T* x, size_t rows, size_t columns);

}  // namespace gradstep
