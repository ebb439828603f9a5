// Element-wise kernels that take a number beside their arrays.
#pragma once
#include "../simd/simd.h"

namespace gradstep {
namespace SIMD_ISA {

template <class V, class F>
static inline __attribute__((always_inline)) void map(typename V::Scalar* out, const typename V::Scalar* x, size_t n,
                                                      F f) {
  size_t i = 0;
  for (; i + V::kLanes <= n; i += V::kLanes) store(out + i, f(load(x + i), i));
  if (i < n) store(out + i, f(load(x + i, n - i), i, n - i), n - i);
}

// out = x factor
template <class V> static void scale(typename V::Scalar* out, const typename V::Scalar* x, double factor, size_t n) {
  const V f(static_cast<typename V::Scalar>(factor));
  map<V>(out, x, n, [f](V value, auto...) __attribute__((always_inline)) { return value * f; });
}

// out = out + x factor
template <class V>
static void add_scaled(typename V::Scalar* out, const typename V::Scalar* x, double factor, size_t n) {
  const V f(static_cast<typename V::Scalar>(factor));
  map<V>(out, x, n, [f, out](V value, size_t i, auto... lanes) __attribute__((always_inline)) {
    return load(out + i, lanes...) + value * f;
  });
}

// out = out - (out - x) rate: moves out towards x by the fraction `rate` of their distance. Where out equals x it stays
// exactly that.
template <class V>
static void move_toward(typename V::Scalar* out, const typename V::Scalar* x, double rate, size_t n) {
  const V r(static_cast<typename V::Scalar>(rate));
  map<V>(out, x, n, [r, out](V target, size_t i, auto... lanes) __attribute__((always_inline)) {
    const V value = load(out + i, lanes...);
    return fnma(value - target, r, value);
  });
}

// out = max(min(x, high), low): the lower bound wins when low > high. NaN stays NaN; a NaN bound is as if absent.
template <class V>
static void clip_by_value(typename V::Scalar* out, const typename V::Scalar* x, typename V::Scalar low,
                          typename V::Scalar high, size_t n) {
  const V lowest(low), highest(high);
  map<V>(out, x, n, [=](V value, auto...) __attribute__((always_inline)) {
    const V below = select(gt(value, highest), highest, value);
    return select(lt(below, lowest), lowest, below);
  });
}

}  // namespace SIMD_ISA
}  // namespace gradstep
