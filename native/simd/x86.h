// What AVX2 and AVX-512 share: the last steps of a reduction, from one 256-bit register down to one lane.
#pragma once
#ifndef GRADSTEP_EMULATE_AVX512  // which brings its own
#include <immintrin.h>
#endif
#include "common.h"

namespace gradstep::SIMD_ISA {

// Operands in the order of the tree: lanes 0-3 with 4-7 first, then 0-1 with 2-3, then 0 with 1.
#define REDUCE(name, step)                                                               \
  INL float name(__m256 a) {                                                             \
    __m128 q = step##_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));        \
    q = step##_ps(q, _mm_movehl_ps(q, q));                                               \
    return _mm_cvtss_f32(step##_ps(q, _mm_shuffle_ps(q, q, 1)));                         \
  }                                                                                      \
  INL double name(__m256d a) {                                                           \
    const __m128d q = step##_pd(_mm256_castpd256_pd128(a), _mm256_extractf128_pd(a, 1)); \
    return _mm_cvtsd_f64(step##_pd(q, _mm_unpackhi_pd(q, q)));                           \
  }

INL __m128 maximum_ps(__m128 a, __m128 b) { return _mm_blendv_ps(_mm_max_ps(a, b), a, _mm_cmpunord_ps(a, a)); }
INL __m128d maximum_pd(__m128d a, __m128d b) { return _mm_blendv_pd(_mm_max_pd(a, b), a, _mm_cmpunord_pd(a, a)); }

REDUCE(reduce_add, _mm_add)
REDUCE(reduce_max, maximum)
#undef REDUCE

}  // namespace gradstep::SIMD_ISA
