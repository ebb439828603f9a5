// Stands in for <immintrin.h> in simd/avx512.h, so that its meaning can be tested on machines without AVX-512:
// SIMDe computes each intrinsic with AVX2 and FMA (compile with -mavx2 -mfma: without FMA, SIMDe's fma rounds twice).
#pragma once
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>
#include <simde/x86/fma.h>

// What SIMDe 0.7.4 lacks, lane by lane.
namespace emulated {

template <class To, class From> static inline To convert(From from, int first = 0) {
  To to;
  for (size_t i = 0; i < sizeof to / sizeof to[0]; ++i) to[i] = from[first + i];
  return to;
}
template <class V, class T> static inline V maskz_loadu(unsigned mask, const T* p) {
  V v;
  for (size_t i = 0; i < sizeof v / sizeof v[0]; ++i) v[i] = mask >> i & 1 ? p[i] : T(0);
  return v;
}
template <class T, class V> static inline void mask_storeu(T* p, unsigned mask, V v) {
  for (size_t i = 0; i < sizeof v / sizeof v[0]; ++i)
    if (mask >> i & 1) p[i] = v[i];
}

// As wrong as the instruction may be, one way and the other.
static inline __m512 rsqrt14(__m512 a) {
  __m512 r;
  for (size_t i = 0; i < 16; ++i) r[i] = float((i % 2 ? 1 - 0x0.fffp-14 : 1 + 0x0.fffp-14) / __builtin_sqrt(a[i]));
  return r;
}

struct Words { uint32_t word[16]; };
static inline Words words(__m512i a) {
  Words w;
  __builtin_memcpy(&w, &a, sizeof w);
  return w;
}
static inline __m512 cvtepi32_ps(__m512i a) {
  const Words w = words(a);
  __m512 r;
  for (size_t i = 0; i < 16; ++i) r[i] = float(int32_t(w.word[i]));
  return r;
}
static inline __mmask16 cmplt_epu32(__m512i a, __m512i b) {
  const Words x = words(a), y = words(b);
  unsigned mask = 0;
  for (size_t i = 0; i < 16; ++i) mask |= unsigned(x.word[i] < y.word[i]) << i;
  return __mmask16(mask);
}

}  // namespace emulated

#define _mm512_extractf32x8_ps(a, half) emulated::convert<__m256>(a, 8 * (half))
#define _mm512_cvtps_pd(a) emulated::convert<__m512d>(a)
#define _mm512_cvtpd_ps(a) emulated::convert<__m256>(a)
#define _mm512_cvtepi32_ps(a) emulated::cvtepi32_ps(a)
#define _mm512_cmplt_epu32_mask(a, b) emulated::cmplt_epu32(a, b)
#define _mm512_rsqrt14_ps(a) emulated::rsqrt14(a)
#define _mm512_maskz_loadu_ps(mask, p) emulated::maskz_loadu<__m512>(mask, p)
#define _mm512_maskz_loadu_pd(mask, p) emulated::maskz_loadu<__m512d>(mask, p)
#define _mm512_mask_storeu_ps(p, mask, a) emulated::mask_storeu(p, mask, a)
#define _mm512_mask_storeu_pd(p, mask, a) emulated::mask_storeu(p, mask, a)
