// The error function and the normal distribution over the vector vocabulary, as in math.h.
#pragma once
#include "math.h"
#include "trig.h"

namespace gradstep::SIMD_ISA {

// e^(u^2) erfc(u) for u >= 0 up to where erfc is 0. With v = k / (u + k) it is v times a polynomial of 1 - 2 v.
INL F32x16 erfcx_polynomial(F32x16 q) {
  return polynomial(q, 0x1.6e9828p-2f, -0x1.2d883p-2f, 0x1.92edd2p-3f, -0x1.a7e3dcp-4f, 0x1.46670cp-5f, -0x1.251c8ap-7f,
                    -0x1.b0ad6ap-12f, 0x1.0b3de8p-10f, -0x1.4b8c3ep-13f, -0x1.975cc8p-14f, 0x1.674b66p-18f);
}
INL F64x8 erfcx_polynomial(F64x8 q) {
  return polynomial(q, 0x1.18932bf08e154p-2, -0x1.f3fe31ecb49cp-3, 0x1.8be202d26c74p-3, -0x1.14eacb1ad02d8p-3,
                    0x1.52cac2370f20bp-4, -0x1.645fd8a4bfd1p-5, 0x1.38dbd2c91d5bdp-6, -0x1.b00c052a27e3dp-8,
                    0x1.908f4704b479ep-10, -0x1.269b570b71243p-14, -0x1.dd283b0fd5635p-14, 0x1.72cddf89895fbp-15,
                    -0x1.e7f99d8efab5cp-21, -0x1.3c74f88f1de3ep-18, 0x1.3b1acd570a98bp-20, 0x1.7f26f742dddccp-22,
                    -0x1.c6de6ded0f94ap-23, -0x1.56d8e62a54919p-26, 0x1.0b7ab07a229b9p-25, 0x1.1a2142ad2f342p-30,
                    -0x1.0658d41fddf1dp-28, -0x1.ed0c459809ee1p-33, 0x1.cac64de3a3b55p-33);
}
template <class V> INL V erfcx(V u) {
  const V k(V::kLanes == 16 ? 3 : 4), d = u + k, back = d - k, d_low = (k - (d - back)) + (u - back);
  const V v = k / d, v_low = fnma(v, d_low, fnma(v, d, k)) * (v * V(V::kLanes == 16 ? 1.0f / 3 : 0.25f));
  const V p = erfcx_polynomial(fnma(V(2), v_low, fnma(V(2), v, V(1))));
  return fma(v, p, v_low * p);
}

// Where a float's erf and e^(-x^2 / 2) are 1 and 0, a double's; far enough for their tails to be 0.
template <class T> struct Bell;
template <> struct Bell<float> { static constexpr float kErfcZero = 10.1f, kZero = 15; };
template <> struct Bell<double> { static constexpr double kErfcZero = 27.3, kZero = 39; };

// e^-(x^2 scale), for |x| <= Bell::kZero and scale 1 or 1 / 2: x^2 to more than its precision, as in pow.
template <class V> INL V bell(V x, V scale) {
  const V square = x * x, low = fma(x, x, -square);
  const ExpArgument<V> a = split_exp(-(square * scale));
  return scale_pow2(V(1) + expm1_small(fnma(low, scale, a.r)), a.n);
}

// erf(x) for |x| <= 1.
template <class V> INL V erf_near_0(V x) {
  const V z = x * x;
  if constexpr (V::kLanes == 16)
    return fma(x,
               polynomial(z, 0x1.06eba80000000p-3f, -0x1.81273ep-2f, 0x1.ce2cf2p-4f, -0x1.b7f88cp-6f, 0x1.540172p-8f,
                          -0x1.a3d812p-11f, 0x1.4917a4p-14f),
               x);
  else
    return fma(x,
               polynomial(z, 0x1.06eba8214db68p-3, -0x1.812746b0379b2p-2, 0x1.ce2f21a0408d1p-4, -0x1.b82ce311ee09bp-6,
                          0x1.565bccf7e2856p-8, -0x1.c02db0149d904p-11, 0x1.f9a2b75531772p-14, -0x1.f4ca204c771c5p-17,
                          0x1.b97e44280cfb9p-20, -0x1.5bfe76384472p-23, 0x1.d6e3ddfeb1f49p-27, -0x1.ab15c51d2ebebp-31),
               x);
}
template <class V, class T = typename V::Scalar> INL V erfc_positive(V a) {
  const V in_range = min(V(Bell<T>::kErfcZero), a);  // in this order NaN stays
  return bell(in_range, V(1)) * erfcx(in_range);
}

// erf: 2 ulp. NaN -> NaN, +-Inf -> +-1, +-0 -> +-0, denormals like all numbers.
template <class V> INL V erf(V x) {
  const V a = abs(x);
  return copysign(select(lt(a, V(1)), erf_near_0(a), V(1) - erfc_positive(a)), x);
}

// erfc: float 1 ulp, double 3 ulp. NaN -> NaN, Inf -> 0, -Inf -> 2; underflows gradually to 0.
INL F64x8 erfc(F64x8 x) {
  const F64x8 a = abs(x), tail = erfc_positive(a);
  const F64x8 r = select(lt(x, F64x8(0.0)), F64x8(2) - tail, tail);
  return select(lt(a, F64x8(0.5)), F64x8(1) - erf_near_0(x), r);
}
INL F32x16 erfc(F32x16 x) {
  return through_f64(x, [](F64x8 a) __attribute__((always_inline)) { return erfc(a); });
}

// Of the standard normal distribution, e^(-x^2 / 2) and the probability of less than -|x|: double 4 ulp, float 4 ulp up
// to |x| = 13.2, where it is near the least normal number, and 0 beyond. In float it has to keep up with memory: no
// denormals, and v = 1 / (u + 1), which needs no second part.
template <class V> struct Normal { V bell, tail; };
INL Normal<F64x8> normal(F64x8 x) {
  const F64x8 a = min(F64x8(Bell<double>::kZero), abs(x)), e = bell(a, F64x8(0.5));
  return {e, e * (F64x8(0.5) * erfcx(a * F64x8(0x1.6a09e667f3bcdp-1)))};
}
template <class V> INL Normal<V> normal(V x) {
  const V size = abs(x), last(13.2f), a = min(last, size);
  const V square = a * a, low = fma(a, a, -square), h = square * V(-0.5f);
  const ScaledExp<V> t = split_normal_exp(h);
  const V e = (V(1) + expm1_small(fnma(low, V(0.5f), t.r))) * t.scale;
  const V v = V(1) / fma(a, V(0x1.6a09e6p-1f), V(1)), q = fnma(V(2), v, V(1));
  const V p = polynomial(q, 0x1.b5d878p-2f, -0x1.e6c538p-4f, -0x1.87661cp-5f, 0x1.c7b41cp-8f, 0x1.a0137p-7f,
                         0x1.3968dep-8f, -0x1.406c48p-11f, -0x1.eb0ffep-10f, -0x1.3460d8p-10f, -0x1.87bf5cp-13f,
                         0x1.2ea82p-12f, 0x1.c4534ep-13f, 0x1.88a65ep-15f);
  return {e, select(gt(size, last), V(0), e * (v * p))};
}
template <class V> INL V probability_below(V x, V tail) { return select(lt(x, V(0)), tail, V(1) - tail); }

}  // namespace gradstep::SIMD_ISA
