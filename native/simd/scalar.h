// Scalar vocabulary: the logical vector as a plain array. The meaning of every operation is defined here, lane by lane.
// The fallback is built for size and quick compilation (-Os), so what is inlined is the compiler's choice here.
#pragma once
#ifndef SIMD_ISA
#define SIMD_ISA scalar
#endif
#define ALWAYS_INLINE
#define SIMD_FOR_SIZE
#include "common.h"
#if defined(_WIN32) && defined(__x86_64__)
#include "fma.h"
#endif

namespace gradstep::SIMD_ISA {

template <class T> struct BitsOf;
template <> struct BitsOf<float> { using Type = uint32_t; };
template <> struct BitsOf<double> { using Type = uint64_t; };
template <> struct BitsOf<uint64_t> { using Type = uint64_t; };

// All bits of a lane are on or all are off.
template <class T> struct LaneMask {
  static constexpr size_t kLanes = 64 / sizeof(T);
  typename BitsOf<T>::Type lane[kLanes];
};

template <class T> struct Lanes {
  using Scalar = T;
  using Bits = typename BitsOf<T>::Type;
  using Mask = LaneMask<T>;
  static constexpr size_t kLanes = 64 / sizeof(T);
  T lane[kLanes];
  Lanes() = default;
  ALWAYS_INLINE explicit Lanes(T x) {
    for (T& l : lane) l = x;
  }
};

using F32x16 = Lanes<float>;
using F64x8 = Lanes<double>;
using U64x8 = Lanes<uint64_t>;
using M32x16 = LaneMask<float>;
using M64x8 = LaneMask<double>;

template <class To, class From> INL To bit_cast(From from) {
  To to;
  static_assert(sizeof to == sizeof from);
  __builtin_memcpy(&to, &from, sizeof to);
  return to;
}
template <class T> INL typename BitsOf<T>::Type bits(T x) { return bit_cast<typename BitsOf<T>::Type>(x); }

#define LANES(Type, expression)                                       \
  Type r;                                                             \
  for (size_t i = 0; i < Type::kLanes; ++i) r.lane[i] = (expression); \
  return r

template <class T> INL Lanes<T> load(const T* p) { LANES(Lanes<T>, p[i]); }
template <class T> INL Lanes<T> load(const T* p, size_t n) { LANES(Lanes<T>, i < n ? p[i] : T(0)); }
template <class T> INL void store(T* p, Lanes<T> a) {
  for (size_t i = 0; i < a.kLanes; ++i) p[i] = a.lane[i];
}
template <class T> INL void store(T* p, Lanes<T> a, size_t n) {
  for (size_t i = 0; i < n; ++i) p[i] = a.lane[i];
}

#define BINARY(name, expression) \
  template <class T> INL Lanes<T> name(Lanes<T> a, Lanes<T> b) { LANES(Lanes<T>, expression); }
BINARY(operator+, a.lane[i] + b.lane[i])
BINARY(operator-, a.lane[i] - b.lane[i])
BINARY(operator*, a.lane[i] * b.lane[i])
BINARY(operator/, a.lane[i] / b.lane[i])
BINARY(min, a.lane[i] < b.lane[i] ? a.lane[i] : b.lane[i])
BINARY(max, a.lane[i] > b.lane[i] ? a.lane[i] : b.lane[i])
BINARY(operator&, bit_cast<T>(bits(a.lane[i]) & bits(b.lane[i])))
BINARY(operator|, bit_cast<T>(bits(a.lane[i]) | bits(b.lane[i])))
BINARY(operator^, bit_cast<T>(bits(a.lane[i]) ^ bits(b.lane[i])))
BINARY(and_not, bit_cast<T>(~bits(a.lane[i]) & bits(b.lane[i])))
#undef BINARY

INL F32x16 shift_left(F32x16 a) { LANES(F32x16, bit_cast<float>(bits(a.lane[i]) << 23)); }
INL F64x8 shift_left(F64x8 a) { LANES(F64x8, bit_cast<double>(bits(a.lane[i]) << 52)); }
INL F32x16 shift_right(F32x16 a) { LANES(F32x16, bit_cast<float>(bits(a.lane[i]) >> 23)); }
INL F64x8 shift_right(F64x8 a) { LANES(F64x8, bit_cast<double>(bits(a.lane[i]) >> 52)); }

#if !(defined(_WIN32) && defined(__x86_64__))
// The processor's instruction, or a C library that rounds once.
INL float fused(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
INL double fused(double a, double b, double c) { return __builtin_fma(a, b, c); }
#endif
template <class T> INL Lanes<T> fma(Lanes<T> a, Lanes<T> b, Lanes<T> c) {
  LANES(Lanes<T>, fused(a.lane[i], b.lane[i], c.lane[i]));
}
template <class T> INL Lanes<T> fnma(Lanes<T> a, Lanes<T> b, Lanes<T> c) { return fma(-a, b, c); }
INL F32x16 sqrt(F32x16 a) { LANES(F32x16, __builtin_sqrtf(a.lane[i])); }
INL F64x8 sqrt(F64x8 a) { LANES(F64x8, __builtin_sqrt(a.lane[i])); }

#define COMPARE(name, operation)                                    \
  template <class T> INL LaneMask<T> name(Lanes<T> a, Lanes<T> b) { \
    LANES(LaneMask<T>, a.lane[i] operation b.lane[i] ? -1 : 0);     \
  }
COMPARE(lt, <)
COMPARE(le, <=)
COMPARE(gt, >)
COMPARE(ge, >=)
COMPARE(eq, ==)
COMPARE(ne, !=)
#undef COMPARE

template <class T> INL LaneMask<T> operator&(LaneMask<T> a, LaneMask<T> b) {
  LANES(LaneMask<T>, a.lane[i] & b.lane[i]);
}
template <class T> INL LaneMask<T> operator|(LaneMask<T> a, LaneMask<T> b) {
  LANES(LaneMask<T>, a.lane[i] | b.lane[i]);
}
template <class T> INL LaneMask<T> operator^(LaneMask<T> a, LaneMask<T> b) {
  LANES(LaneMask<T>, a.lane[i] ^ b.lane[i]);
}
template <class T> INL LaneMask<T> operator!(LaneMask<T> a) { LANES(LaneMask<T>, ~a.lane[i]); }
template <class T> INL bool any(LaneMask<T> a) {
  typename BitsOf<T>::Type on = 0;
  for (auto l : a.lane) on |= l;
  return on != 0;
}
template <class T> INL bool all(LaneMask<T> a) { return !any(!a); }

template <class T> INL Lanes<T> select(LaneMask<T> mask, Lanes<T> if_true, Lanes<T> if_false) {
  LANES(Lanes<T>, bit_cast<T>((mask.lane[i] & bits(if_true.lane[i])) | (~mask.lane[i] & bits(if_false.lane[i]))));
}

// Adding kUnitUlp leaves no bits for a fraction, so the addition itself rounds to nearest even. Larger numbers are
// integers already (or NaN, infinite) and pass through.
template <class T> INL Lanes<T> round(Lanes<T> a) {
  const Lanes<T> unit_ulp(Ieee<T>::kUnitUlp), magnitude = abs(a);
  return select(lt(magnitude, unit_ulp), copysign((magnitude + unit_ulp) - unit_ulp, a), a);
}
template <class T> INL Lanes<T> floor(Lanes<T> a) {
  const Lanes<T> r = round(a);
  return copysign(select(gt(r, a), r - Lanes<T>(1), r), a);
}

// Lane i meets lane i + half, then half of that, down to one: the same tree on every ISA.
#define REDUCE(name, operation)                           \
  template <class T> INL T name(Lanes<T> a) {             \
    for (size_t half = a.kLanes / 2; half > 0; half /= 2) \
      for (size_t i = 0; i < half; ++i) {                 \
        const T x = a.lane[i], y = a.lane[i + half];      \
        a.lane[i] = operation;                            \
      }                                                   \
    return a.lane[0];                                     \
  }
REDUCE(reduce_add, x + y)
REDUCE(reduce_max, x > y || x != x ? x : y)  // NaN if any lane is
#undef REDUCE

INL F64x8 lower_f64(F32x16 a) { LANES(F64x8, a.lane[i]); }
INL F64x8 upper_f64(F32x16 a) { LANES(F64x8, a.lane[i + 8]); }
INL F32x16 to_f32(F64x8 lower, F64x8 upper) { LANES(F32x16, float(i < 8 ? lower.lane[i] : upper.lane[i - 8])); }

// ---- U64x8 ----

INL uint32_t word(U64x8 a, size_t i) { return uint32_t(a.lane[i / 2] >> (i % 2 * 32)); }
INL uint64_t join(uint32_t low, uint32_t high) { return low | uint64_t(high) << 32; }

// The lower halves' product, all of its bits.
INL U64x8 multiply_words(U64x8 a, U64x8 b) { LANES(U64x8, uint64_t(word(a, 2 * i)) * word(b, 2 * i)); }
INL U64x8 high_words(U64x8 a) { LANES(U64x8, a.lane[i] >> 32); }
// The lower halves of the two as one number.
INL U64x8 join_words(U64x8 low, U64x8 high) { LANES(U64x8, join(word(low, 2 * i), word(high, 2 * i))); }
// Of every two lanes the first, or the second, of a and then that of b.
INL U64x8 zip_lower(U64x8 a, U64x8 b) { LANES(U64x8, i % 2 == 0 ? a.lane[i] : b.lane[i - 1]); }
INL U64x8 zip_upper(U64x8 a, U64x8 b) { LANES(U64x8, i % 2 == 0 ? a.lane[i + 1] : b.lane[i]); }

template <int bits> INL U64x8 shift_words_right(U64x8 a) {
  LANES(U64x8, join(word(a, 2 * i) >> bits, word(a, 2 * i + 1) >> bits));
}
INL M32x16 words_lt(U64x8 a, U64x8 b) { LANES(M32x16, word(a, i) < word(b, i) ? -1 : 0); }
// Words with a sign, rounded to nearest even.
INL F32x16 words_f32(U64x8 a) { LANES(F32x16, float(int32_t(word(a, i)))); }
// The same bits.
INL F32x16 as_f32(U64x8 a) { LANES(F32x16, bit_cast<float>(word(a, i))); }
INL F64x8 as_f64(U64x8 a) { LANES(F64x8, bit_cast<double>(a.lane[i])); }

#undef LANES
}  // namespace gradstep::SIMD_ISA
