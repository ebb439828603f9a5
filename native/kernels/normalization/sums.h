// Sums along a row in double, two vectors at a time: four chains of additions, enough that none waits for another.
#pragma once
#include "../../simd/simd.h"
#include "../norm.h"

namespace gradstep {
namespace SIMD_ISA {

struct DoubleSum {
  Halves of[2] = {{F64x8(0.0), F64x8(0.0)}, {F64x8(0.0), F64x8(0.0)}};

  template <class V> ALWAYS_INLINE void add(size_t k, V x) {
    const Halves h = halves(x);
    of[k].lower = of[k].lower + h.lower;
    if constexpr (V::kLanes == 16) of[k].upper = of[k].upper + h.upper;
  }
  // Products of floats are exact in double.
  template <class V> ALWAYS_INLINE void add_product(size_t k, V x, V y) {
    const Halves h = halves(x), g = halves(y);
    of[k].lower = fma(h.lower, g.lower, of[k].lower);
    if constexpr (V::kLanes == 16) of[k].upper = fma(h.upper, g.upper, of[k].upper);
  }
  ALWAYS_INLINE double total() const { return reduce_add((of[0].lower + of[1].lower) + (of[0].upper + of[1].upper)); }
};

// f(k, each) for each four vectors of a row, k being 0 or 1 in turns: each(g) calls g(i, lanes...) for each of them. So
// few numbers can be summed as they are, and become double once.
template <class V, class F> INL void each_few(size_t n, F f) {
  constexpr size_t kFew = 4 * V::kLanes;
  size_t i = 0, k = 0;
  for (; i + kFew <= n; i += kFew, k = 1 - k) {
    f(k, [i](auto g) __attribute__((always_inline)) {
#pragma GCC unroll 4
      for (size_t j = 0; j < 4; ++j) g(i + j * V::kLanes);
    });
  }
  if (i < n) {
    f(k, [i, n](auto g) __attribute__((always_inline)) {
      size_t at = i;
      for (; at + V::kLanes <= n; at += V::kLanes) g(at);
      if (at < n) g(at, n - at);
    });
  }
}

// to += x, or to = x: as many of them as there are
INL void put_doubles(double* to, size_t left, F64x8 x) {
  if (left >= 8) store(to, x);
  else if (left > 0) store(to, x, left);
}
INL F64x8 get_doubles(const double* from, size_t left) {
  return left >= 8 ? load(from) : left > 0 ? load(from, left) : F64x8(0.0);
}
template <class V> INL void put_doubles(double* to, size_t left, Halves x, V) {
  put_doubles(to, left, x.lower);
  if constexpr (V::kLanes == 16) put_doubles(to + 8, left > 8 ? left - 8 : 0, x.upper);
}
template <class V> INL void add_doubles(double* to, size_t left, V x) {
  Halves sum = halves(x);
  sum.lower = get_doubles(to, left) + sum.lower;
  if constexpr (V::kLanes == 16) sum.upper = get_doubles(to + 8, left > 8 ? left - 8 : 0) + sum.upper;
  put_doubles(to, left, sum, x);
}

// f(k, i, lanes...) for each vector of a row, k being 0 or 1 in turns.
template <class V, class F> INL void each_of_two(size_t n, F f) {
  size_t i = 0;
  for (; i + 2 * V::kLanes <= n; i += 2 * V::kLanes) {
    f(0, i);
    f(1, i + V::kLanes);
  }
  if (i + V::kLanes <= n) {
    f(0, i);
    i += V::kLanes;
    if (i < n) f(1, i, n - i);
  } else if (i < n) {
    f(0, i, n - i);
  }
}

}  // namespace SIMD_ISA
}  // namespace gradstep
