// The greatest or the least along rows or columns of x [rows, columns]. NaN where there is one.
#pragma once
#include "softmax.h"

namespace gradstep {
namespace SIMD_ISA {

// The least of numbers is the greatest of their negatives, negative.
template <class V> static inline __attribute__((always_inline)) V sign_of(bool least) {
  using T = typename V::Scalar;
  return V(least ? T(-0.0) : T(0.0));
}

template <class V> static inline __attribute__((always_inline)) V nan_where_nan(V top) {
  return select(is_nan(top), V(static_cast<typename V::Scalar>(__builtin_nan(""))), top);
}

template <class V>
static void extreme_rows(typename V::Scalar* out, const typename V::Scalar* x, size_t rows, size_t columns,
                         bool least) {
  using T = typename V::Scalar;
  const V sign = sign_of<V>(least), lowest(-static_cast<T>(__builtin_huge_val()));
  for (size_t row = 0; row < rows; ++row, x += columns) {
    V top = lowest;
    each_vector<V>(columns, [&](size_t i, auto... lanes) __attribute__((always_inline)) {
      top = maximum(top, with_rest(load(x + i, lanes...) ^ sign, lowest, lanes...));
    });
    if (any(is_nan(top))) out[row] = static_cast<T>(__builtin_nan(""));
    else out[row] = least ? -reduce_max(top) : reduce_max(top);
  }
}

// A strip of columns at a time, each column's in a lane.
template <class V>
static void extreme_columns(typename V::Scalar* out, const typename V::Scalar* x, size_t rows, size_t columns,
                            bool least) {
  using T = typename V::Scalar;
  const V sign = sign_of<V>(least), lowest(-static_cast<T>(__builtin_huge_val()));
  each_vector<V>(columns, [&](size_t i, auto... lanes) __attribute__((always_inline)) {
    V top = lowest;
    const T* p = x + i;
    for (size_t row = 0; row < rows; ++row, p += columns) top = maximum(top, load(p, lanes...) ^ sign);
    store(out + i, nan_where_nan(top ^ sign), lanes...);
  });
}

}  // namespace SIMD_ISA
}  // namespace gradstep
