// Normalisation by columns: sums down them, and a linear function of each.
#pragma once
#include "../../simd/simd.h"
#include "../norm.h"
#include "../softmax.h"
#include "../gemm/tile.h"
#include "args.h"
#include "sums.h"

namespace gradstep {
namespace SIMD_ISA {

// Of a few neighbouring vectors of columns; all but the last are whole.
template <class V, size_t kVectors, class... Lanes>
INL void strip_products(double* sums, double* products, const typename V::Scalar* x, const typename V::Scalar* shift,
                        const typename V::Scalar* dy, size_t rows, size_t columns, size_t left, Lanes... lanes) {
  V s[kVectors];
  Halves sum[kVectors], product[kVectors];
#pragma GCC unroll 4
  for (size_t j = 0; j < kVectors; ++j) {
    s[j] = load(shift + j * V::kLanes, lanes...);
    sum[j] = product[j] = {F64x8(0.0), F64x8(0.0)};
  }
  const auto run = [&](auto value) __attribute__((always_inline)) {
    for (size_t row = 0, at = 0; row < rows; ++row, at += columns) {
#pragma GCC unroll 4
      for (size_t j = 0; j < kVectors; ++j) {
        const Halves h = halves(load(x + at + j * V::kLanes, lanes...) - s[j]), v = value(h, at + j * V::kLanes);
        sum[j].lower = sum[j].lower + v.lower, product[j].lower = fma(v.lower, h.lower, product[j].lower);
        if constexpr (V::kLanes == 16) {
          sum[j].upper = sum[j].upper + v.upper, product[j].upper = fma(v.upper, h.upper, product[j].upper);
        }
      }
    }
  };
  if (dy) run([&](Halves, size_t at) __attribute__((always_inline)) { return halves(load(dy + at, lanes...)); });
  else run([](Halves h, size_t) __attribute__((always_inline)) { return h; });
  for (size_t j = 0; j < kVectors; ++j) {
    put_doubles(sums + j * V::kLanes, left - j * V::kLanes, sum[j], V());
    put_doubles(products + j * V::kLanes, left - j * V::kLanes, product[j], V());
  }
}

// sums = the sums of v down each column, products = those of v (x - shift), in double; v is dy, or where there is none
// x - shift. Neighbours together, as many as there are registers for: a row's cache lines are read one after the other.
template <class V>
static void column_products(double* sums, double* products, const typename V::Scalar* x,
                            const typename V::Scalar* shift, const typename V::Scalar* dy, size_t rows,
                            size_t columns) {
  constexpr size_t kVectors = GemmTiles::kVectors > 1 ? 4 : 1, kWide = kVectors * V::kLanes;
  const auto at = [&](size_t i) { return dy ? dy + i : dy; };
  size_t i = 0;
  for (; i + kWide <= columns; i += kWide) {
    strip_products<V, kVectors>(sums + i, products + i, x + i, shift + i, at(i), rows, columns, columns - i);
  }
  for (; i + V::kLanes <= columns; i += V::kLanes) {
    strip_products<V, 1>(sums + i, products + i, x + i, shift + i, at(i), rows, columns, columns - i);
  }
  if (i < columns) {
    strip_products<V, 1>(sums + i, products + i, x + i, shift + i, at(i), rows, columns, columns - i, columns - i);
  }
}

template <class V> static void map_columns(const ColumnMap<typename V::Scalar>& m, size_t rows, size_t columns) {
  for (size_t row = 0, at = 0; row < rows; ++row, at += columns) {
    each_vector<V>(columns, [&](size_t i, auto... lanes) __attribute__((always_inline)) {
      V y = fma(load(m.x + at + i, lanes...) - load(m.mean + i, lanes...), load(m.b + i, lanes...),
                load(m.c + i, lanes...));
      if (m.dy) y = fma(load(m.dy + at + i, lanes...), load(m.a + i, lanes...), y);
      store(m.out + at + i, y, lanes...);
    });
  }
}

}  // namespace SIMD_ISA
}  // namespace gradstep
