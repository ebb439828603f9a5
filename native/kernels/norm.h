// The sums of squares that a gradient's norm is the root of. Double accumulators in a fixed layout: the same bits on
// every ISA.
#pragma once
#include "../simd/simd.h"

namespace gradstep {
namespace SIMD_ISA {

// The two halves of a vector as doubles (a vector of doubles has just one).
struct Halves { F64x8 lower, upper; };
INL Halves halves(F32x16 x) { return {lower_f64(x), upper_f64(x)}; }
INL Halves halves(F64x8 x) { return {x, F64x8(0.0)}; }

// Two vectors at a time, four chains of fma: more would not fit AVX2's registers, and memory is slower than these.
template <class V> static double sum_of_squares(const typename V::Scalar* x, size_t n) {
  constexpr size_t kStride = 2 * V::kLanes;
  Halves sum[2];
  for (Halves& s : sum) s = {F64x8(0.0), F64x8(0.0)};
  const auto add = [&](size_t k, V value) __attribute__((always_inline)) {
    const Halves h = halves(value);
    sum[k].lower = fma(h.lower, h.lower, sum[k].lower);
    if constexpr (V::kLanes == 16) sum[k].upper = fma(h.upper, h.upper, sum[k].upper);
  };
  // A page: in memory 10 to 15 % faster than a quarter of it (Zen 5), in caches no more than 2 % slower.
  constexpr size_t kAhead = 64 * V::kLanes;
  size_t i = 0;
  for (; i + kStride <= n; i += kStride) {
    for (size_t k = 0; k < 2; ++k) {
      const size_t at = i + k * V::kLanes;
      if (at + kAhead < n) __builtin_prefetch(x + at + kAhead);
      add(k, load(x + at));
    }
  }
  for (; i + V::kLanes <= n; i += V::kLanes) add(0, load(x + i));
  if (i < n) add(0, load(x + i, n - i));
  const F64x8 lower = sum[0].lower + sum[1].lower;
  const F64x8 upper = sum[0].upper + sum[1].upper;
  return reduce_add(lower + upper);
}

// x * 0 is 0 for every finite x and NaN otherwise, and a sum of zeros and NaNs is NaN as soon as one of them is.
template <class V> static bool all_finite(const typename V::Scalar* x, size_t n) {
  const V zero(0);
  V seen = zero;
  size_t i = 0;
  for (; i + V::kLanes <= n; i += V::kLanes) seen = fma(load(x + i), zero, seen);
  if (i < n) seen = fma(load(x + i, n - i), zero, seen);
  return !any(is_nan(seen));
}

}  // namespace SIMD_ISA
}  // namespace gradstep
