// LAMB (You et al. 2020): AdamW's direction, in steps as long as the variable's norm says.
//
//   m <- m + (1 - beta1) (g - m)         v <- v + (1 - beta2) (g^2 - v)
//   u  = m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon) + lambda w
//   w <- w - lr |w| / |u| u              the ratio being 1 where either norm is 0
#pragma once
#include "../../simd/simd.h"
#include "names.h"

namespace gradstep {
namespace SIMD_ISA {

template <class V> struct Lamb {
  static constexpr const char* kName = "lamb";
  static constexpr auto kSlots = names("m", "v");
  static constexpr auto kHyper =
      names("learningRate", "beta1", "beta2", "epsilon", "weightDecay", "beta1Power", "beta2Power");

  using T = typename V::Scalar;
  double lr;
  V one_minus_beta1, one_minus_beta2, epsilon, lambda, correction, root_correction;
  explicit Lamb(const double* h)
      : lr(h[0]), one_minus_beta1(T(1 - h[1])), one_minus_beta2(T(1 - h[2])), epsilon(T(h[3])), lambda(T(h[4])),
        correction(T(1 / (1 - h[5]))), root_correction(T(1 / __builtin_sqrt(1 - h[6]))) {}

  V direction(V w, const V* slots) const {
    return fma(lambda, w, (slots[0] * correction) / fma(sqrt(slots[1]), root_correction, epsilon));
  }

  V measured(V w, V g, V* slots) const {
    V &m = slots[0], &v = slots[1];
    m = fma(g - m, one_minus_beta1, m);
    v = fnma(fnma(g, g, v), one_minus_beta2, v);
    return direction(w, slots);
  }

  double rate(double w_norm, double u_norm) const { return w_norm == 0 || u_norm == 0 ? lr : lr * (w_norm / u_norm); }

  void operator()(V& w, const V* slots, V rate) const { w = fnma(rate, direction(w, slots), w); }
};

}  // namespace SIMD_ISA
}  // namespace gradstep
