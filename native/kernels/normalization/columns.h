// Normalisation by columns: sums down them, and a linear function of each.
#pragma once
#include "../../simd/simd.h"
#include "../norm.h"
#include "../softmax.h"
#include "args.h"

namespace gradstep {
namespace SIMD_ISA {

// sums = the sums of v down each column, products = those of v (x - shift), in double; v is dy, or where there is none
// x - shift.
template <class V>
static void column_products(double* sums, double* products, const typename V::Scalar* x,
                            const typename V::Scalar* shift, const typename V::Scalar* dy, size_t rows,
                            size_t columns) {
  constexpr size_t kHalf = 8;
  each_vector<V>(columns, [&](size_t i, auto... lanes) __attribute__((always_inline)) {
    const V s = load(shift + i, lanes...);
    Halves sum = {F64x8(0.0), F64x8(0.0)}, product = sum;
    for (size_t row = 0, at = i; row < rows; ++row, at += columns) {
      const V d = load(x + at, lanes...) - s;
      const Halves h = halves(d), v = dy ? halves(load(dy + at, lanes...)) : h;
      sum.lower = sum.lower + v.lower, product.lower = fma(v.lower, h.lower, product.lower);
      if constexpr (V::kLanes == 16) {
        sum.upper = sum.upper + v.upper, product.upper = fma(v.upper, h.upper, product.upper);
      }
    }
    const size_t left = columns - i;
    const auto put = [left](double* to, F64x8 value, size_t from) __attribute__((always_inline)) {
      if (left >= from + kHalf) store(to + from, value);
      else if (left > from) store(to + from, value, left - from);
    };
    put(sums + i, sum.lower, 0);
    put(products + i, product.lower, 0);
    if constexpr (V::kLanes == 16) {
      put(sums + i, sum.upper, kHalf);
      put(products + i, product.upper, kHalf);
    }
  });
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
