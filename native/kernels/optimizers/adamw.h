// AdamW (Loshchilov & Hutter 2019): Adam as its paper has it, epsilon inside the bias correction, and weight decay
// that does not pass through the moments. The decay is multiplied by the rate, as in PyTorch and optax.
//
//   m <- m + (1 - beta1) (g - m)         v <- v + (1 - beta2) (g^2 - v)
//   w <- w - lr (m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon) + lambda w)
#pragma once
#include "../../simd/simd.h"
#include "names.h"

namespace gradstep {
namespace SIMD_ISA {

template <class V> struct AdamW {
  static constexpr const char* kName = "adamW";
  static constexpr auto kSlots = names("m", "v");
  static constexpr auto kHyper =
      names("learningRate", "beta1", "beta2", "epsilon", "weightDecay", "beta1Power", "beta2Power");

  using T = typename V::Scalar;
  V one_minus_beta1, one_minus_beta2, epsilon, decay, rate, root_correction;
  explicit AdamW(const double* h)
      : one_minus_beta1(T(1 - h[1])), one_minus_beta2(T(1 - h[2])), epsilon(T(h[3])), decay(T(h[0] * h[4])),
        rate(T(h[0] / (1 - h[5]))), root_correction(T(1 / __builtin_sqrt(1 - h[6]))) {}

  void operator()(V& w, V g, V* slots) const {
    V &m = slots[0], &v = slots[1];
    m = fma(g - m, one_minus_beta1, m);
    v = fnma(fnma(g, g, v), one_minus_beta2, v);
    w = fnma(decay, w, w) - (m * rate) / fma(sqrt(v), root_correction, epsilon);
  }
};

}  // namespace SIMD_ISA
}  // namespace gradstep
