// Sums over rows or columns of x [rows, columns]: accumulated in double, in one fixed order, rounded once.
#pragma once
#include "../simd/simd.h"
#include "gemm/tile.h"
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

// A strip of columns, the sums of its lanes in registers: each column's sum runs down the rows.
template <class V, size_t kVectors, class... Lanes>
INL void sum_strip(typename V::Scalar* out, const typename V::Scalar* x, size_t rows, size_t columns, double scale,
                   Lanes... lanes) {
  Halves sum[kVectors];
  for (Halves& s : sum) s = {F64x8(0.0), F64x8(0.0)};
  for (size_t row = 0; row < rows; ++row, x += columns) {
#pragma GCC unroll 4
    for (size_t j = 0; j < kVectors; ++j) {
      const Halves h = halves(load(x + j * V::kLanes, lanes...));
      sum[j].lower = sum[j].lower + h.lower;
      sum[j].upper = sum[j].upper + h.upper;
    }
  }
  for (size_t j = 0; j < kVectors; ++j) {
    const Halves scaled = {sum[j].lower * F64x8(scale), sum[j].upper * F64x8(scale)};
    store(out + j * V::kLanes, joined(scaled, V()), lanes...);
  }
}

// Neighbours together: a sum waits for itself, and a row's cache lines are read one after the other.
template <class V>
static void sum_columns(typename V::Scalar* out, const typename V::Scalar* x, size_t rows, size_t columns,
                        double scale) {
  constexpr size_t kVectors = kForSize ? 1 : GemmTiles::kVectors > 1 ? 4 : 2, kWide = kVectors * V::kLanes;
  size_t i = 0;
  for (; i + kWide <= columns; i += kWide) sum_strip<V, kVectors>(out + i, x + i, rows, columns, scale);
  if (kVectors > 2 && i + 2 * V::kLanes <= columns) {
    sum_strip<V, 2>(out + i, x + i, rows, columns, scale);
    i += 2 * V::kLanes;
  }
  for (; i + V::kLanes <= columns; i += V::kLanes) sum_strip<V, 1>(out + i, x + i, rows, columns, scale);
  if (i < columns) sum_strip<V, 1>(out + i, x + i, rows, columns, scale, columns - i);
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
