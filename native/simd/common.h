// First part of every vocabulary: what is the same on each ISA, written over the operations that are not.
//
// A vector V is F32x16 or F64x8. Each ISA header supplies load and store for each type that elements are stored as
// (kernels/formats.h), which give and take the vector of what is computed in, + - * /, fma, fnma, sqrt, min, max,
// round, floor, comparisons, select, mask operators, reductions and conversions, and on the raw bits of a vector: & |
// ^, and_not(a, b) = ~a & b, shift_left(a) and shift_right(a) by the mantissa's width (23 or 52 bits).
//
// U64x8 is as many bits again, for what counts and mixes: eight whole numbers of 64 bits, or sixteen words of 32, of
// which number i has word 2 i in its lower half. Each ISA header supplies load, + & | ^, products of lower halves, and
// the ways from one half, word and type to another.
#pragma once
#include <stddef.h>
#include <stdint.h>
#ifndef ALWAYS_INLINE
#define ALWAYS_INLINE __attribute__((always_inline))
#endif
#define INL static inline ALWAYS_INLINE

namespace gradstep::SIMD_ISA {

// Whether code is to be small rather than fast.
#ifdef SIMD_FOR_SIZE
constexpr bool kForSize = true;
#else
constexpr bool kForSize = false;
#endif

// Whether this processor takes roots faster than its multipliers do; set before any kernel runs, by
// prefer_hardware_roots of the table. Each translation unit has its own.
[[maybe_unused]] static bool hardware_roots = false;

template <class T> struct Ieee;
template <> struct Ieee<float> {
  static constexpr float kInfinity = __builtin_inff();
  static constexpr float kMantissaBits = 0x0.fffffep-126f;  // as a number: the largest denormal
  static constexpr float kExponentBias = 127;
  static constexpr float kUnitUlp = 0x1p23f;  // here neighbours differ by 1: low bits of kUnitUlp + n are the integer n
};
template <> struct Ieee<double> {
  static constexpr double kInfinity = __builtin_inf();
  static constexpr double kMantissaBits = 0x0.fffffffffffffp-1022;
  static constexpr double kExponentBias = 1023;
  static constexpr double kUnitUlp = 0x1p52;
};

template <class V, class T = typename V::Scalar> INL V operator-(V a) { return a ^ V(T(-0.0)); }
template <class V, class T = typename V::Scalar> INL V abs(V a) { return and_not(V(T(-0.0)), a); }
template <class V, class T = typename V::Scalar> INL V copysign(V magnitude, V sign) {
  return abs(magnitude) | (sign & V(T(-0.0)));
}

template <class V> INL typename V::Mask is_nan(V a) { return ne(a, a); }
template <class V, class T = typename V::Scalar> INL typename V::Mask is_finite(V a) {
  return lt(abs(a), V(Ieee<T>::kInfinity));
}

// min and max that are NaN when either side is (min and max themselves give b then).
template <class V> INL V minimum(V a, V b) { return select(is_nan(a), a, min(a, b)); }
template <class V> INL V maximum(V a, V b) { return select(is_nan(a), a, max(a, b)); }

// 2^n for integral n with a normal result: n in [-126, 127] or [-1022, 1023]. Anything else gives garbage.
template <class V, class T = typename V::Scalar> INL V pow2(V n) {
  return shift_left(n + V(Ieee<T>::kUnitUlp + Ieee<T>::kExponentBias));
}

// |a| = mantissa(a) * 2^exponent(a) with mantissa in [1, 2), for normal a. Zeros and denormals report the exponent
// one below the smallest normal one (-127, -1023), infinities and NaN one above the largest (128, 1024).
template <class V, class T = typename V::Scalar> INL V exponent(V a) {
  return (shift_right(abs(a)) | V(Ieee<T>::kUnitUlp)) - V(Ieee<T>::kUnitUlp + Ieee<T>::kExponentBias);
}
template <class V, class T = typename V::Scalar> INL V mantissa(V a) {
  return (a & V(Ieee<T>::kMantissaBits)) | V(T(1));
}

// sqrt(a), correctly rounded, from any y within 2^-14 of 1 / sqrt(a), for float a in [2^-100, Infinity). Two steps of
// Newton's with fma; that the last one rounds as it must for every a and y is no theorem, but simd_test tries them all.
template <class V> INL V sqrt_from(V a, V y) {
  const V root = a * y, half = y * V(0.5f), error = fnma(root, half, V(0.5f));
  const V better_root = fma(root, error, root), better_half = fma(half, error, half);
  return fma(fnma(better_root, better_root, a), better_half, better_root);
}

}  // namespace gradstep::SIMD_ISA
