// Sums along a row in double, two vectors at a time: four chains of additions, enough that none waits for another.
#pragma once
#include "../../simd/simd.h"
#include "../norm.h"
#include "../softmax.h"

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
