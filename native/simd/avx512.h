// AVX-512 vocabulary (F, BW, DQ, VL): a vector is one 512-bit register, a mask is a mask register.
#pragma once
#ifndef SIMD_ISA
#define SIMD_ISA avx512
#endif
#ifdef GRADSTEP_EMULATE_AVX512
#include "../test/emulated_avx512.h"
#else
// gcc 12 initialises the "undefined" registers of its header with themselves and then warns.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#pragma GCC diagnostic pop
#endif
#include "common.h"
#include "x86.h"

namespace gradstep::SIMD_ISA {

struct M32x16 { __mmask16 k; };
struct M64x8 { __mmask8 k; };

struct F32x16 {
  using Scalar = float;
  using Mask = M32x16;
  static constexpr size_t kLanes = 16;
  __m512 v;
  F32x16() = default;
  ALWAYS_INLINE explicit F32x16(float x) : v(_mm512_set1_ps(x)) {}
  ALWAYS_INLINE F32x16(__m512 x) : v(x) {}
};

struct F64x8 {
  using Scalar = double;
  using Mask = M64x8;
  static constexpr size_t kLanes = 8;
  __m512d v;
  F64x8() = default;
  ALWAYS_INLINE explicit F64x8(double x) : v(_mm512_set1_pd(x)) {}
  ALWAYS_INLINE F64x8(__m512d x) : v(x) {}
};

struct U64x8 {
  static constexpr size_t kLanes = 8;
  __m512i v;
  U64x8() = default;
  ALWAYS_INLINE explicit U64x8(uint64_t x) : v(_mm512_set1_epi64(static_cast<long long>(x))) {}
  ALWAYS_INLINE U64x8(__m512i x) : v(x) {}
};

INL __mmask16 first_n_16(size_t n) { return __mmask16((1u << n) - 1u); }
INL __mmask8 first_n_8(size_t n) { return __mmask8((1u << n) - 1u); }

INL F32x16 load(const float* p) { return _mm512_loadu_ps(p); }
INL F64x8 load(const double* p) { return _mm512_loadu_pd(p); }
INL F32x16 load(const float* p, size_t n) { return _mm512_maskz_loadu_ps(first_n_16(n), p); }
INL F64x8 load(const double* p, size_t n) { return _mm512_maskz_loadu_pd(first_n_8(n), p); }
INL void store(float* p, F32x16 a) { _mm512_storeu_ps(p, a.v); }
INL void store(double* p, F64x8 a) { _mm512_storeu_pd(p, a.v); }
INL void store(float* p, F32x16 a, size_t n) { _mm512_mask_storeu_ps(p, first_n_16(n), a.v); }
INL void store(double* p, F64x8 a, size_t n) { _mm512_mask_storeu_pd(p, first_n_8(n), a.v); }

#define UNARY(name, expression_ps, expression_pd)     \
  INL F32x16 name(F32x16 a) { return expression_ps; } \
  INL F64x8 name(F64x8 a) { return expression_pd; }
#define BINARY(name, intrinsic)                                            \
  INL F32x16 name(F32x16 a, F32x16 b) { return intrinsic##_ps(a.v, b.v); } \
  INL F64x8 name(F64x8 a, F64x8 b) { return intrinsic##_pd(a.v, b.v); }
#define TERNARY(name, intrinsic)                                                          \
  INL F32x16 name(F32x16 a, F32x16 b, F32x16 c) { return intrinsic##_ps(a.v, b.v, c.v); } \
  INL F64x8 name(F64x8 a, F64x8 b, F64x8 c) { return intrinsic##_pd(a.v, b.v, c.v); }
#define COMPARE(name, predicate)                                                            \
  INL M32x16 name(F32x16 a, F32x16 b) { return {_mm512_cmp_ps_mask(a.v, b.v, predicate)}; } \
  INL M64x8 name(F64x8 a, F64x8 b) { return {_mm512_cmp_pd_mask(a.v, b.v, predicate)}; }
#define MASK_BINARY(name, operation)                                             \
  INL M32x16 name(M32x16 a, M32x16 b) { return {__mmask16(a.k operation b.k)}; } \
  INL M64x8 name(M64x8 a, M64x8 b) { return {__mmask8(a.k operation b.k)}; }

BINARY(operator+, _mm512_add)
BINARY(operator-, _mm512_sub)
BINARY(operator*, _mm512_mul)
BINARY(operator/, _mm512_div)
BINARY(min, _mm512_min)  // vminps is exactly a < b ? a : b, and vmaxps a > b ? a : b
BINARY(max, _mm512_max)
BINARY(operator&, _mm512_and)
BINARY(operator|, _mm512_or)
BINARY(operator^, _mm512_xor)
BINARY(and_not, _mm512_andnot)
TERNARY(fma, _mm512_fmadd)
TERNARY(fnma, _mm512_fnmadd)
UNARY(round, _mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEAREST_INT), _mm512_roundscale_pd(a.v, _MM_FROUND_TO_NEAREST_INT))
UNARY(floor, _mm512_roundscale_ps(a.v, _MM_FROUND_TO_NEG_INF), _mm512_roundscale_pd(a.v, _MM_FROUND_TO_NEG_INF))
UNARY(shift_left, _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(a.v), 23)),
      _mm512_castsi512_pd(_mm512_slli_epi64(_mm512_castpd_si512(a.v), 52)))
UNARY(shift_right, _mm512_castsi512_ps(_mm512_srli_epi32(_mm512_castps_si512(a.v), 23)),
      _mm512_castsi512_pd(_mm512_srli_epi64(_mm512_castpd_si512(a.v), 52)))
COMPARE(lt, _CMP_LT_OQ)
COMPARE(le, _CMP_LE_OQ)
COMPARE(gt, _CMP_GT_OQ)
COMPARE(ge, _CMP_GE_OQ)
COMPARE(eq, _CMP_EQ_OQ)
COMPARE(ne, _CMP_NEQ_UQ)
MASK_BINARY(operator&, &)
MASK_BINARY(operator|, |)
MASK_BINARY(operator^, ^)

#undef UNARY
#undef BINARY
#undef TERNARY
#undef COMPARE
#undef MASK_BINARY

// A root and a quotient wait for the same unit, and update rules need both. On Intel's cores, where it takes 12 and 10
// cycles for them, the root is left to the units that multiply. On Zen 5 it takes 4.7 and 2.5, and Adam in caches 0.11
// ns a parameter with its roots and 0.14 without. Both round correctly. Of what is outside sqrt_from's range nothing
// reaches the least root in it.
INL F32x16 sqrt(F32x16 a) {
  if (hardware_roots) return _mm512_sqrt_ps(a.v);
  const F32x16 root = sqrt_from(a, F32x16(_mm512_rsqrt14_ps(a.v)));
  const __mmask16 outside = _mm512_cmp_ps_mask(root.v, _mm512_set1_ps(0x1p-50f), _CMP_NGE_UQ);  // or NaN
  return __builtin_expect(outside != 0, 0) ? F32x16(_mm512_sqrt_ps(a.v)) : root;
}
INL F64x8 sqrt(F64x8 a) { return _mm512_sqrt_pd(a.v); }

INL M32x16 operator!(M32x16 a) { return {__mmask16(~a.k)}; }
INL M64x8 operator!(M64x8 a) { return {__mmask8(~a.k)}; }
INL bool any(M32x16 a) { return a.k != 0; }
INL bool any(M64x8 a) { return a.k != 0; }
INL bool all(M32x16 a) { return a.k == 0xffff; }
INL bool all(M64x8 a) { return a.k == 0xff; }
INL F32x16 select(M32x16 mask, F32x16 if_true, F32x16 if_false) {
  return _mm512_mask_blend_ps(mask.k, if_false.v, if_true.v);
}
INL F64x8 select(M64x8 mask, F64x8 if_true, F64x8 if_false) {
  return _mm512_mask_blend_pd(mask.k, if_false.v, if_true.v);
}

INL __m256 lower(F32x16 a) { return _mm512_castps512_ps256(a.v); }
INL __m256 upper(F32x16 a) { return _mm512_extractf32x8_ps(a.v, 1); }
INL __m256d lower(F64x8 a) { return _mm512_castpd512_pd256(a.v); }
INL __m256d upper(F64x8 a) { return _mm512_extractf64x4_pd(a.v, 1); }

INL float reduce_add(F32x16 a) { return reduce_add(_mm256_add_ps(lower(a), upper(a))); }
INL double reduce_add(F64x8 a) { return reduce_add(_mm256_add_pd(lower(a), upper(a))); }
INL float reduce_max(F32x16 a) {  // NaN if any lane is
  return reduce_max(lower(maximum(a, F32x16(_mm512_castps256_ps512(upper(a))))));
}
INL double reduce_max(F64x8 a) { return reduce_max(lower(maximum(a, F64x8(_mm512_castpd256_pd512(upper(a)))))); }

INL F64x8 lower_f64(F32x16 a) { return _mm512_cvtps_pd(lower(a)); }
INL F64x8 upper_f64(F32x16 a) { return _mm512_cvtps_pd(upper(a)); }
INL F32x16 to_f32(F64x8 lower, F64x8 upper) {
  return _mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps(lower.v)), _mm512_cvtpd_ps(upper.v), 1);
}

INL U64x8 load(const uint64_t* p) { return _mm512_loadu_si512(p); }

#define BINARY(name, intrinsic) \
  INL U64x8 name(U64x8 a, U64x8 b) { return intrinsic(a.v, b.v); }
BINARY(operator+, _mm512_add_epi64)
BINARY(operator&, _mm512_and_si512)
BINARY(operator|, _mm512_or_si512)
BINARY(operator^, _mm512_xor_si512)
BINARY(multiply_words, _mm512_mul_epu32)
BINARY(zip_lower, _mm512_unpacklo_epi64)
BINARY(zip_upper, _mm512_unpackhi_epi64)
#undef BINARY

INL U64x8 high_words(U64x8 a) { return _mm512_srli_epi64(a.v, 32); }
INL U64x8 join_words(U64x8 low, U64x8 high) {
  return _mm512_mask_blend_epi32(0xaaaa, low.v, _mm512_slli_epi64(high.v, 32));
}

template <int bits> INL U64x8 shift_words_right(U64x8 a) { return _mm512_srli_epi32(a.v, bits); }
INL M32x16 words_lt(U64x8 a, U64x8 b) { return {_mm512_cmplt_epu32_mask(a.v, b.v)}; }
INL F32x16 words_f32(U64x8 a) { return _mm512_cvtepi32_ps(a.v); }
INL F32x16 as_f32(U64x8 a) { return _mm512_castsi512_ps(a.v); }
INL F64x8 as_f64(U64x8 a) { return _mm512_castsi512_pd(a.v); }

}  // namespace gradstep::SIMD_ISA
