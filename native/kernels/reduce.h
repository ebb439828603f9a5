// Sums over rows or columns of x [rows, columns]: accumulated in double, in one fixed order, rounded once.
#pragma once
#include "../simd/simd.h"
#include "norm.h"
#include "scale.h"

namespace gradstep {
namespace SIMD_ISA {

INL F32x16 joined(Halves h, F32x16) { return to_f32(h.lower, h.upper); }
INL F64x8 joined(Halves h, F64x8) { return h.lower; }

template <class V> static double sum(const typename V::Scalar* x, size_t n) {
  Halves total = {F64x8(0.0), F64x8(0.0)};
  const auto add = [&](V value) __attribute__((always_inline)) {
    const Halves h = halves(value);
    total.lower = total.lower + h.lower;
    total.upper = total.upper + h.upper;
  };
  size_t i = 0;
  for (; i + V::kLanes <= n; i += V::kLanes) add(load(x + i));
  if (i < n) add(load(x + i, n - i));
  return reduce_add(total.lower + total.upper);
}

template <class V>
static void sum_rows(typename V::Scalar* out, const typename V::Scalar* x, size_t rows, size_t columns, double scale) {
  for (size_t row = 0; row < rows; ++row) {
    out[row] = static_cast<typename V::Scalar>(sum<V>(x + row * columns, columns) * scale);
  }
}

// A strip of columns at a time, the sums of its lanes in registers: each column's sum runs down the rows.
template <class V>
static void sum_columns(typename V::Scalar* out, const typename V::Scalar* x, size_t rows, size_t columns,
                        double scale) {
  using T = typename V::Scalar;
  const auto strip = [&](size_t i, auto... lanes) __attribute__((always_inline)) {
    Halves sum = {F64x8(0.0), F64x8(0.0)};
    const T* p = x + i;
    for (size_t row = 0; row < rows; ++row, p += columns) {
      const Halves h = halves(load(p, lanes...));
      sum.lower = sum.lower + h.lower;
      sum.upper = sum.upper + h.upper;
    }
    sum.lower = sum.lower * F64x8(scale);
    sum.upper = sum.upper * F64x8(scale);
    store(out + i, joined(sum, V()), lanes...);
  };
  size_t i = 0;
  for (; i + V::kLanes <= columns; i += V::kLanes) strip(i);
  if (i < columns) strip(i, columns - i);
}

// out[row] = x[row] factors[row]
template <class V>
static void scale_rows(typename V::Scalar* out, const typename V::Scalar* x, const typename V::Scalar* factors,
                       size_t rows, size_t columns) {
  for (size_t row = 0; row < rows; ++row) {
    scale<V>(out + row * columns, x + row * columns, static_cast<double>(factors[row]), columns);
  }
}

}  // namespace SIMD_ISA
}  // namespace gradstep
