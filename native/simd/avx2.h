// AVX2 + FMA vocabulary: a vector is two 256-bit registers.
#pragma once
#ifndef SIMD_ISA
#define SIMD_ISA avx2
#endif
#include <immintrin.h>
#include "common.h"
#include "x86.h"

namespace gradstep::SIMD_ISA {

struct M32x16 { __m256 lo, hi; };
struct M64x8 { __m256d lo, hi; };

struct F32x16 {
  using Scalar = float;
  using Mask = M32x16;
  static constexpr size_t kLanes = 16;
  __m256 lo, hi;
  F32x16() = default;
  ALWAYS_INLINE explicit F32x16(float x) : lo(_mm256_set1_ps(x)), hi(lo) {}
  ALWAYS_INLINE F32x16(__m256 l, __m256 h) : lo(l), hi(h) {}
};

struct F64x8 {
  using Scalar = double;
  using Mask = M64x8;
  static constexpr size_t kLanes = 8;
  __m256d lo, hi;
  F64x8() = default;
  ALWAYS_INLINE explicit F64x8(double x) : lo(_mm256_set1_pd(x)), hi(lo) {}
  ALWAYS_INLINE F64x8(__m256d l, __m256d h) : lo(l), hi(h) {}
};

struct U64x8 {
  static constexpr size_t kLanes = 8;
  __m256i lo, hi;
  U64x8() = default;
  ALWAYS_INLINE explicit U64x8(uint64_t x) : lo(_mm256_set1_epi64x(static_cast<long long>(x))), hi(lo) {}
  ALWAYS_INLINE U64x8(__m256i l, __m256i h) : lo(l), hi(h) {}
};

// Lanes [0, n) of one register on; n may lie outside the register.
INL __m256i first_n_32(ptrdiff_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(int(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
INL __m256i first_n_64(ptrdiff_t n) {
  return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3));
}

INL F32x16 load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
INL F64x8 load(const double* p) { return {_mm256_loadu_pd(p), _mm256_loadu_pd(p + 4)}; }
INL void store(float* p, F32x16 a) {
  _mm256_storeu_ps(p, a.lo);
  _mm256_storeu_ps(p + 8, a.hi);
}
INL void store(double* p, F64x8 a) {
  _mm256_storeu_pd(p, a.lo);
  _mm256_storeu_pd(p + 4, a.hi);
}
INL F32x16 load(const float* p, size_t count) {
  const ptrdiff_t n = ptrdiff_t(count);
  return {_mm256_maskload_ps(p, first_n_32(n)), _mm256_maskload_ps(p + 8, first_n_32(n - 8))};
}
INL F64x8 load(const double* p, size_t count) {
  const ptrdiff_t n = ptrdiff_t(count);
  return {_mm256_maskload_pd(p, first_n_64(n)), _mm256_maskload_pd(p + 4, first_n_64(n - 4))};
}
INL void store(float* p, F32x16 a, size_t count) {
  const ptrdiff_t n = ptrdiff_t(count);
  _mm256_maskstore_ps(p, first_n_32(n), a.lo);
  _mm256_maskstore_ps(p + 8, first_n_32(n - 8), a.hi);
}
INL void store(double* p, F64x8 a, size_t count) {
  const ptrdiff_t n = ptrdiff_t(count);
  _mm256_maskstore_pd(p, first_n_64(n), a.lo);
  _mm256_maskstore_pd(p + 4, first_n_64(n - 4), a.hi);
}

#define UNARY(name, intrinsic)                                                       \
  INL F32x16 name(F32x16 a) { return {intrinsic##_ps(a.lo), intrinsic##_ps(a.hi)}; } \
  INL F64x8 name(F64x8 a) { return {intrinsic##_pd(a.lo), intrinsic##_pd(a.hi)}; }
#define BINARY(name, intrinsic)                                                                            \
  INL F32x16 name(F32x16 a, F32x16 b) { return {intrinsic##_ps(a.lo, b.lo), intrinsic##_ps(a.hi, b.hi)}; } \
  INL F64x8 name(F64x8 a, F64x8 b) { return {intrinsic##_pd(a.lo, b.lo), intrinsic##_pd(a.hi, b.hi)}; }
#define TERNARY(name, intrinsic)                                                 \
  INL F32x16 name(F32x16 a, F32x16 b, F32x16 c) {                                \
    return {intrinsic##_ps(a.lo, b.lo, c.lo), intrinsic##_ps(a.hi, b.hi, c.hi)}; \
  }                                                                              \
  INL F64x8 name(F64x8 a, F64x8 b, F64x8 c) {                                    \
    return {intrinsic##_pd(a.lo, b.lo, c.lo), intrinsic##_pd(a.hi, b.hi, c.hi)}; \
  }
#define COMPARE(name, predicate)                                                         \
  INL M32x16 name(F32x16 a, F32x16 b) {                                                  \
    return {_mm256_cmp_ps(a.lo, b.lo, predicate), _mm256_cmp_ps(a.hi, b.hi, predicate)}; \
  }                                                                                      \
  INL M64x8 name(F64x8 a, F64x8 b) {                                                     \
    return {_mm256_cmp_pd(a.lo, b.lo, predicate), _mm256_cmp_pd(a.hi, b.hi, predicate)}; \
  }
#define MASK_BINARY(name, intrinsic)                                                                       \
  INL M32x16 name(M32x16 a, M32x16 b) { return {intrinsic##_ps(a.lo, b.lo), intrinsic##_ps(a.hi, b.hi)}; } \
  INL M64x8 name(M64x8 a, M64x8 b) { return {intrinsic##_pd(a.lo, b.lo), intrinsic##_pd(a.hi, b.hi)}; }

BINARY(operator+, _mm256_add)
BINARY(operator-, _mm256_sub)
BINARY(operator*, _mm256_mul)
BINARY(operator/, _mm256_div)
BINARY(min, _mm256_min)  // vminps is exactly a < b ? a : b, and vmaxps a > b ? a : b
BINARY(max, _mm256_max)
BINARY(operator&, _mm256_and)
BINARY(operator|, _mm256_or)
BINARY(operator^, _mm256_xor)
BINARY(and_not, _mm256_andnot)
TERNARY(fma, _mm256_fmadd)
TERNARY(fnma, _mm256_fnmadd)
UNARY(sqrt, _mm256_sqrt)
UNARY(floor, _mm256_floor)
COMPARE(lt, _CMP_LT_OQ)
COMPARE(le, _CMP_LE_OQ)
COMPARE(gt, _CMP_GT_OQ)
COMPARE(ge, _CMP_GE_OQ)
COMPARE(eq, _CMP_EQ_OQ)
COMPARE(ne, _CMP_NEQ_UQ)
MASK_BINARY(operator&, _mm256_and)
MASK_BINARY(operator|, _mm256_or)
MASK_BINARY(operator^, _mm256_xor)

#undef UNARY
#undef BINARY
#undef TERNARY
#undef COMPARE
#undef MASK_BINARY

constexpr int kNearest = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;  // ties to even
INL F32x16 round(F32x16 a) { return {_mm256_round_ps(a.lo, kNearest), _mm256_round_ps(a.hi, kNearest)}; }
INL F64x8 round(F64x8 a) { return {_mm256_round_pd(a.lo, kNearest), _mm256_round_pd(a.hi, kNearest)}; }

INL M32x16 operator!(M32x16 a) {
  const __m256 on = _mm256_castsi256_ps(_mm256_set1_epi32(-1));
  return a ^ M32x16{on, on};
}
INL M64x8 operator!(M64x8 a) {
  const __m256d on = _mm256_castsi256_pd(_mm256_set1_epi32(-1));
  return a ^ M64x8{on, on};
}
INL bool any(M32x16 a) { return _mm256_movemask_ps(_mm256_or_ps(a.lo, a.hi)) != 0; }
INL bool any(M64x8 a) { return _mm256_movemask_pd(_mm256_or_pd(a.lo, a.hi)) != 0; }
INL bool all(M32x16 a) { return _mm256_movemask_ps(_mm256_and_ps(a.lo, a.hi)) == 0xff; }
INL bool all(M64x8 a) { return _mm256_movemask_pd(_mm256_and_pd(a.lo, a.hi)) == 0xf; }
INL F32x16 select(M32x16 mask, F32x16 if_true, F32x16 if_false) {
  return {_mm256_blendv_ps(if_false.lo, if_true.lo, mask.lo), _mm256_blendv_ps(if_false.hi, if_true.hi, mask.hi)};
}
INL F64x8 select(M64x8 mask, F64x8 if_true, F64x8 if_false) {
  return {_mm256_blendv_pd(if_false.lo, if_true.lo, mask.lo), _mm256_blendv_pd(if_false.hi, if_true.hi, mask.hi)};
}

INL __m256 shift_left(__m256 a) { return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(a), 23)); }
INL __m256 shift_right(__m256 a) { return _mm256_castsi256_ps(_mm256_srli_epi32(_mm256_castps_si256(a), 23)); }
INL __m256d shift_left(__m256d a) { return _mm256_castsi256_pd(_mm256_slli_epi64(_mm256_castpd_si256(a), 52)); }
INL __m256d shift_right(__m256d a) { return _mm256_castsi256_pd(_mm256_srli_epi64(_mm256_castpd_si256(a), 52)); }
INL F32x16 shift_left(F32x16 a) { return {shift_left(a.lo), shift_left(a.hi)}; }
INL F32x16 shift_right(F32x16 a) { return {shift_right(a.lo), shift_right(a.hi)}; }
INL F64x8 shift_left(F64x8 a) { return {shift_left(a.lo), shift_left(a.hi)}; }
INL F64x8 shift_right(F64x8 a) { return {shift_right(a.lo), shift_right(a.hi)}; }

INL float reduce_add(F32x16 a) { return reduce_add(_mm256_add_ps(a.lo, a.hi)); }
INL double reduce_add(F64x8 a) { return reduce_add(_mm256_add_pd(a.lo, a.hi)); }
INL float reduce_max(F32x16 a) {
  return reduce_max(maximum(F32x16(a.lo, a.lo), F32x16(a.hi, a.hi)).lo);
}  // NaN if any lane is
INL double reduce_max(F64x8 a) { return reduce_max(maximum(F64x8(a.lo, a.lo), F64x8(a.hi, a.hi)).lo); }

INL F64x8 to_f64(__m256 a) {
  return {_mm256_cvtps_pd(_mm256_castps256_ps128(a)), _mm256_cvtps_pd(_mm256_extractf128_ps(a, 1))};
}
INL __m256 to_f32(F64x8 a) { return _mm256_set_m128(_mm256_cvtpd_ps(a.hi), _mm256_cvtpd_ps(a.lo)); }
INL F64x8 lower_f64(F32x16 a) { return to_f64(a.lo); }
INL F64x8 upper_f64(F32x16 a) { return to_f64(a.hi); }
INL F32x16 to_f32(F64x8 lower, F64x8 upper) { return {to_f32(lower), to_f32(upper)}; }

INL U64x8 load(const uint64_t* p) {
  const __m256i* const both = reinterpret_cast<const __m256i*>(p);
  return {_mm256_loadu_si256(both), _mm256_loadu_si256(both + 1)};
}

#define BINARY(name, intrinsic) \
  INL U64x8 name(U64x8 a, U64x8 b) { return {intrinsic(a.lo, b.lo), intrinsic(a.hi, b.hi)}; }
BINARY(operator+, _mm256_add_epi64)
BINARY(operator&, _mm256_and_si256)
BINARY(operator|, _mm256_or_si256)
BINARY(operator^, _mm256_xor_si256)
BINARY(multiply_words, _mm256_mul_epu32)
BINARY(zip_lower, _mm256_unpacklo_epi64)
BINARY(zip_upper, _mm256_unpackhi_epi64)
#undef BINARY

INL U64x8 high_words(U64x8 a) { return {_mm256_srli_epi64(a.lo, 32), _mm256_srli_epi64(a.hi, 32)}; }
INL __m256i join_words(__m256i low, __m256i high) { return _mm256_blend_epi32(low, _mm256_slli_epi64(high, 32), 0xaa); }
INL U64x8 join_words(U64x8 low, U64x8 high) { return {join_words(low.lo, high.lo), join_words(low.hi, high.hi)}; }

template <int bits> INL U64x8 shift_words_right(U64x8 a) {
  return {_mm256_srli_epi32(a.lo, bits), _mm256_srli_epi32(a.hi, bits)};
}
INL M32x16 words_lt(U64x8 a, U64x8 b) {  // the comparison there is takes signs
  const U64x8 sign(0x8000000080000000), x = a ^ sign, y = b ^ sign;
  return {_mm256_castsi256_ps(_mm256_cmpgt_epi32(y.lo, x.lo)), _mm256_castsi256_ps(_mm256_cmpgt_epi32(y.hi, x.hi))};
}
INL F32x16 words_f32(U64x8 a) { return {_mm256_cvtepi32_ps(a.lo), _mm256_cvtepi32_ps(a.hi)}; }
INL F32x16 as_f32(U64x8 a) { return {_mm256_castsi256_ps(a.lo), _mm256_castsi256_ps(a.hi)}; }
INL F64x8 as_f64(U64x8 a) { return {_mm256_castsi256_pd(a.lo), _mm256_castsi256_pd(a.hi)}; }

}  // namespace gradstep::SIMD_ISA
