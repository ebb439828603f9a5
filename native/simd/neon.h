// NEON (AArch64) vocabulary: a vector is four 128-bit registers.
#pragma once
#ifndef SIMD_ISA
#define SIMD_ISA neon
#endif
#include <arm_neon.h>
#include "common.h"

namespace gradstep::SIMD_ISA {

struct M32x16 { uint32x4_t q[4]; };
struct M64x8 { uint64x2_t q[4]; };

struct F32x16 {
  using Scalar = float;
  using Mask = M32x16;
  static constexpr size_t kLanes = 16;
  float32x4_t q[4];
  F32x16() = default;
  ALWAYS_INLINE explicit F32x16(float x) {
    for (auto& r : q) r = vdupq_n_f32(x);
  }
};

struct F64x8 {
  using Scalar = double;
  using Mask = M64x8;
  static constexpr size_t kLanes = 8;
  float64x2_t q[4];
  F64x8() = default;
  ALWAYS_INLINE explicit F64x8(double x) {
    for (auto& r : q) r = vdupq_n_f64(x);
  }
};

struct U64x8 {
  static constexpr size_t kLanes = 8;
  uint64x2_t q[4];
  U64x8() = default;
  ALWAYS_INLINE explicit U64x8(uint64_t x) {
    for (auto& r : q) r = vdupq_n_u64(x);
  }
};

#define QUAD(Type, expression)                       \
  Type r;                                            \
  for (int i = 0; i < 4; ++i) r.q[i] = (expression); \
  return r

INL F32x16 load(const float* p) { QUAD(F32x16, vld1q_f32(p + 4 * i)); }
INL F64x8 load(const double* p) { QUAD(F64x8, vld1q_f64(p + 2 * i)); }
INL void store(float* p, F32x16 a) {
  for (int i = 0; i < 4; ++i) vst1q_f32(p + 4 * i, a.q[i]);
}
INL void store(double* p, F64x8 a) {
  for (int i = 0; i < 4; ++i) vst1q_f64(p + 2 * i, a.q[i]);
}
INL F32x16 load(const float* p, size_t n) {
  float t[16] = {};
  __builtin_memcpy(t, p, n * sizeof *p);
  return load(t);
}
INL F64x8 load(const double* p, size_t n) {
  double t[8] = {};
  __builtin_memcpy(t, p, n * sizeof *p);
  return load(t);
}
INL void store(float* p, F32x16 a, size_t n) {
  float t[16];
  store(t, a);
  __builtin_memcpy(p, t, n * sizeof *p);
}
INL void store(double* p, F64x8 a, size_t n) {
  double t[8];
  store(t, a);
  __builtin_memcpy(p, t, n * sizeof *p);
}

#define UNARY(name, intrinsic)                                         \
  INL F32x16 name(F32x16 a) { QUAD(F32x16, intrinsic##_f32(a.q[i])); } \
  INL F64x8 name(F64x8 a) { QUAD(F64x8, intrinsic##_f64(a.q[i])); }
#define BINARY(name, intrinsic)                                                          \
  INL F32x16 name(F32x16 a, F32x16 b) { QUAD(F32x16, intrinsic##_f32(a.q[i], b.q[i])); } \
  INL F64x8 name(F64x8 a, F64x8 b) { QUAD(F64x8, intrinsic##_f64(a.q[i], b.q[i])); }
#define COMPARE(name, intrinsic)                                                         \
  INL M32x16 name(F32x16 a, F32x16 b) { QUAD(M32x16, intrinsic##_f32(a.q[i], b.q[i])); } \
  INL M64x8 name(F64x8 a, F64x8 b) { QUAD(M64x8, intrinsic##_f64(a.q[i], b.q[i])); }
#define MASK_BINARY(name, intrinsic)                                                     \
  INL M32x16 name(M32x16 a, M32x16 b) { QUAD(M32x16, intrinsic##_u32(a.q[i], b.q[i])); } \
  INL M64x8 name(M64x8 a, M64x8 b) { QUAD(M64x8, intrinsic##_u64(a.q[i], b.q[i])); }
// x and y stand for the raw bits of the operands.
#define ON_BITS(name, intrinsic, x, y)                                                                 \
  INL float32x4_t name(float32x4_t a, float32x4_t b) {                                                 \
    return vreinterpretq_f32_u32(intrinsic##_u32(vreinterpretq_u32_f32(x), vreinterpretq_u32_f32(y))); \
  }                                                                                                    \
  INL float64x2_t name(float64x2_t a, float64x2_t b) {                                                 \
    return vreinterpretq_f64_u64(intrinsic##_u64(vreinterpretq_u64_f64(x), vreinterpretq_u64_f64(y))); \
  }

ON_BITS(and_bits, vandq, a, b)
ON_BITS(or_bits, vorrq, a, b)
ON_BITS(xor_bits, veorq, a, b)
ON_BITS(and_not, vbicq, b, a)  // vbic(b, a) is b & ~a

BINARY(operator+, vaddq)
BINARY(operator-, vsubq)
BINARY(operator*, vmulq)
BINARY(operator/, vdivq)
UNARY(sqrt, vsqrtq)
UNARY(round, vrndnq)
UNARY(floor, vrndmq)
COMPARE(lt, vcltq)
COMPARE(le, vcleq)
COMPARE(gt, vcgtq)
COMPARE(ge, vcgeq)
COMPARE(eq, vceqq)
MASK_BINARY(operator&, vandq)
MASK_BINARY(operator|, vorrq)
MASK_BINARY(operator^, veorq)
#undef UNARY
#undef BINARY
#undef COMPARE
#undef MASK_BINARY
#undef ON_BITS

#define ON_BITS(name, function)                                                   \
  INL F32x16 name(F32x16 a, F32x16 b) { QUAD(F32x16, function(a.q[i], b.q[i])); } \
  INL F64x8 name(F64x8 a, F64x8 b) { QUAD(F64x8, function(a.q[i], b.q[i])); }
ON_BITS(operator&, and_bits)
ON_BITS(operator|, or_bits)
ON_BITS(operator^, xor_bits)
ON_BITS(and_not, and_not)
#undef ON_BITS

INL F32x16 shift_left(F32x16 a) { QUAD(F32x16, vreinterpretq_f32_u32(vshlq_n_u32(vreinterpretq_u32_f32(a.q[i]), 23))); }
INL F64x8 shift_left(F64x8 a) { QUAD(F64x8, vreinterpretq_f64_u64(vshlq_n_u64(vreinterpretq_u64_f64(a.q[i]), 52))); }
INL F32x16 shift_right(F32x16 a) {
  QUAD(F32x16, vreinterpretq_f32_u32(vshrq_n_u32(vreinterpretq_u32_f32(a.q[i]), 23)));
}
INL F64x8 shift_right(F64x8 a) { QUAD(F64x8, vreinterpretq_f64_u64(vshrq_n_u64(vreinterpretq_u64_f64(a.q[i]), 52))); }

// vfma and vfms take the addend first: vfmaq(c, a, b) = c + a * b, vfmsq(c, a, b) = c - a * b.
INL F32x16 fma(F32x16 a, F32x16 b, F32x16 c) { QUAD(F32x16, vfmaq_f32(c.q[i], a.q[i], b.q[i])); }
INL F64x8 fma(F64x8 a, F64x8 b, F64x8 c) { QUAD(F64x8, vfmaq_f64(c.q[i], a.q[i], b.q[i])); }
INL F32x16 fnma(F32x16 a, F32x16 b, F32x16 c) { QUAD(F32x16, vfmsq_f32(c.q[i], a.q[i], b.q[i])); }
INL F64x8 fnma(F64x8 a, F64x8 b, F64x8 c) { QUAD(F64x8, vfmsq_f64(c.q[i], a.q[i], b.q[i])); }

INL M32x16 operator!(M32x16 a) { QUAD(M32x16, vmvnq_u32(a.q[i])); }
INL M64x8 operator!(M64x8 a) { QUAD(M64x8, vreinterpretq_u64_u32(vmvnq_u32(vreinterpretq_u32_u64(a.q[i])))); }
INL M32x16 ne(F32x16 a, F32x16 b) { return !eq(a, b); }
INL M64x8 ne(F64x8 a, F64x8 b) { return !eq(a, b); }
INL bool any(uint32x4_t a) { return vmaxvq_u32(a) != 0; }
INL bool any(M32x16 a) { return any(vorrq_u32(vorrq_u32(a.q[0], a.q[1]), vorrq_u32(a.q[2], a.q[3]))); }
INL bool any(M64x8 a) {
  return any(vreinterpretq_u32_u64(vorrq_u64(vorrq_u64(a.q[0], a.q[1]), vorrq_u64(a.q[2], a.q[3]))));
}
INL bool all(M32x16 a) { return !any(!a); }
INL bool all(M64x8 a) { return !any(!a); }
INL F32x16 select(M32x16 mask, F32x16 if_true, F32x16 if_false) {
  QUAD(F32x16, vbslq_f32(mask.q[i], if_true.q[i], if_false.q[i]));
}
INL F64x8 select(M64x8 mask, F64x8 if_true, F64x8 if_false) {
  QUAD(F64x8, vbslq_f64(mask.q[i], if_true.q[i], if_false.q[i]));
}

// NEON's own min and max order zeros by sign and pass NaN on; x86 does neither.
INL F32x16 min(F32x16 a, F32x16 b) { return select(lt(a, b), a, b); }
INL F64x8 min(F64x8 a, F64x8 b) { return select(lt(a, b), a, b); }
INL F32x16 max(F32x16 a, F32x16 b) { return select(gt(a, b), a, b); }
INL F64x8 max(F64x8 a, F64x8 b) { return select(gt(a, b), a, b); }

INL float32x4_t add(float32x4_t a, float32x4_t b) { return vaddq_f32(a, b); }
INL float64x2_t add(float64x2_t a, float64x2_t b) { return vaddq_f64(a, b); }
// NaN if either is.
INL float32x4_t maximum(float32x4_t a, float32x4_t b) {
  return vbslq_f32(vorrq_u32(vcgtq_f32(a, b), vmvnq_u32(vceqq_f32(a, a))), a, b);
}
INL float64x2_t maximum(float64x2_t a, float64x2_t b) {
  return vbslq_f64(vcgtq_f64(a, b), a, vbslq_f64(vceqq_f64(a, a), b, a));
}

// The tree of every ISA: registers 0 with 2 and 1 with 3, then 0 with 1, then lanes by halves.
#define REDUCE(name, step)                                                  \
  INL float name(F32x16 a) {                                                \
    float32x4_t q = step(step(a.q[0], a.q[2]), step(a.q[1], a.q[3]));       \
    q = step(q, vextq_f32(q, q, 2));                                        \
    return vgetq_lane_f32(step(q, vextq_f32(q, q, 1)), 0);                  \
  }                                                                         \
  INL double name(F64x8 a) {                                                \
    const float64x2_t q = step(step(a.q[0], a.q[2]), step(a.q[1], a.q[3])); \
    return vgetq_lane_f64(step(q, vextq_f64(q, q, 1)), 0);                  \
  }
REDUCE(reduce_add, add)
REDUCE(reduce_max, maximum)
#undef REDUCE

INL F64x8 lower_f64(F32x16 a) {
  QUAD(F64x8, vcvt_f64_f32(i % 2 ? vget_high_f32(a.q[i / 2]) : vget_low_f32(a.q[i / 2])));
}
INL F64x8 upper_f64(F32x16 a) {
  QUAD(F64x8, vcvt_f64_f32(i % 2 ? vget_high_f32(a.q[2 + i / 2]) : vget_low_f32(a.q[2 + i / 2])));
}
INL F32x16 to_f32(F64x8 lower, F64x8 upper) {
  QUAD(F32x16, i < 2 ? vcvt_high_f32_f64(vcvt_f32_f64(lower.q[2 * i]), lower.q[2 * i + 1])
                     : vcvt_high_f32_f64(vcvt_f32_f64(upper.q[2 * i - 4]), upper.q[2 * i - 3]));
}

INL U64x8 load(const uint64_t* p) { QUAD(U64x8, vld1q_u64(p + 2 * i)); }

INL uint64x2_t multiply_words(uint64x2_t a, uint64x2_t b) { return vmull_u32(vmovn_u64(a), vmovn_u64(b)); }
#define BINARY(name, intrinsic) \
  INL U64x8 name(U64x8 a, U64x8 b) { QUAD(U64x8, intrinsic(a.q[i], b.q[i])); }
BINARY(operator+, vaddq_u64)
BINARY(operator&, vandq_u64)
BINARY(operator|, vorrq_u64)
BINARY(operator^, veorq_u64)
BINARY(multiply_words, multiply_words)
BINARY(zip_lower, vzip1q_u64)
BINARY(zip_upper, vzip2q_u64)
#undef BINARY

INL U64x8 high_words(U64x8 a) { QUAD(U64x8, vshrq_n_u64(a.q[i], 32)); }
INL U64x8 join_words(U64x8 low, U64x8 high) { QUAD(U64x8, vsliq_n_u64(low.q[i], high.q[i], 32)); }

template <int bits> INL U64x8 shift_words_right(U64x8 a) {
  QUAD(U64x8, vreinterpretq_u64_u32(vshrq_n_u32(vreinterpretq_u32_u64(a.q[i]), bits)));
}
INL M32x16 words_lt(U64x8 a, U64x8 b) {
  QUAD(M32x16, vcltq_u32(vreinterpretq_u32_u64(a.q[i]), vreinterpretq_u32_u64(b.q[i])));
}
INL F32x16 words_f32(U64x8 a) { QUAD(F32x16, vcvtq_f32_s32(vreinterpretq_s32_u64(a.q[i]))); }
INL F32x16 as_f32(U64x8 a) { QUAD(F32x16, vreinterpretq_f32_u64(a.q[i])); }
INL F64x8 as_f64(U64x8 a) { QUAD(F64x8, vreinterpretq_f64_u64(a.q[i])); }

#undef QUAD
}  // namespace gradstep::SIMD_ISA
