// What activations and their gradients share.
#pragma once
#include "../../simd/erf.h"
#include "../../simd/math.h"
#include "../../simd/simd.h"

namespace gradstep {
namespace SIMD_ISA {

// Whether a function is compiled once, with a branch for its last, partial vector: one that says so, and all where size
// counts.
template <class F, class = void> struct IsLong { static constexpr bool value = kForSize; };
template <class F> struct IsLong<F, decltype(void(F::kIsLong))> { static constexpr bool value = true; };
template <class F> constexpr bool kIsLong = IsLong<F>::value;

// x within [-limit, limit]; NaN stays.
template <class V> INL V within(V limit, V x) { return max(-limit, min(limit, x)); }

// The numbers for which what comes in with mean 0 and variance 1 goes out with them (Klambauer et al. 2017).
template <class V, class T = typename V::Scalar> INL V selu_scale() { return V(T(1.0507009873554804934193349852946)); }
template <class V, class T = typename V::Scalar> INL V selu_scale_alpha() {
  return V(T(1.0507009873554804934193349852946 * 1.6732632423543772848170429916717));
}

// gelu's: P(x) + x p(x), of the normal distribution.
template <class V, class T = typename V::Scalar> INL V gelu_slope(V x) {
  const Normal<V> n = normal(x);
  const V density = V(T(0.39894228040143267793994605993438)) * n.bell;
  return fma(within(V(Bell<T>::kZero), x), density, probability_below(x, n.tail));
}

// The tanh of the approximation 0.5 x (1 + tanh(u)) of gelu, u = sqrt(2 / pi) (x + 0.044715 x^3), is sigmoid's: this is
// 2 u, and its derivative.
template <class V, class T = typename V::Scalar> INL V gelu_logit(V x) {
  constexpr T kFactor = T(1.5957691216057307117597842397375), kCubic = T(0.044715 * 1.5957691216057307117597842397375);
  return x * fma(V(kCubic), x * x, V(kFactor));
}
template <class V, class T = typename V::Scalar> INL V gelu_logit_slope(V x) {
  constexpr T kFactor = T(1.5957691216057307117597842397375), kCubic = T(0.134145 * 1.5957691216057307117597842397375);
  return fma(V(kCubic), x * x, V(kFactor));
}

// max(0, min(6, x + 3)) / 6
template <class V> INL V hard_sigmoid(V x) { return max(V(0), min(V(6), x + V(3))) / V(6); }

// tanh(log(1 + e^x)) and its derivative: with e = e^x it is n / (n + 2), n = e (e + 2). From x = 30 on it is 1.
template <class V> struct Slope { V value, slope; };
template <class V> INL Slope<V> tanh_softplus(V x) {
  const V e = exp(min(V(30), x)), n = e * (e + V(2)), d = n + V(2);  // in this order NaN stays
  return {n / d, (V(4) * e) * (e + V(1)) / (d * d)};
}

}  // namespace SIMD_ISA
}  // namespace gradstep
