// Adamax (Kingma & Ba 2015, section 7), with an epsilon beside u where the paper has none.
//
//   m <- m + (1 - beta1) (g - m)         u <- max(beta2 u, |g|)
//   w <- w - lr / (1 - beta1^t) m / (u + epsilon)
#pragma once
#include "../../simd/simd.h"
#include "names.h"

namespace gradstep {
namespace SIMD_ISA {

template <class V> struct Adamax {
  static constexpr const char* kName = "adamax";
  static constexpr auto kSlots = names("m", "u");
  static constexpr auto kHyper = names("learningRate", "beta1", "beta2", "epsilon", "beta1Power");

  using T = typename V::Scalar;
  V one_minus_beta1, beta2, epsilon, rate;
  explicit Adamax(const double* h)
      : one_minus_beta1(T(1 - h[1])), beta2(T(h[2])), epsilon(T(h[3])), rate(T(h[0] / (1 - h[4]))) {}

  void operator()(V& w, V g, V* slots) const {
    V &m = slots[0], &u = slots[1];
    m = fma(g - m, one_minus_beta1, m);
    u = maximum(beta2 * u, abs(g));
    w = w - (m * rate) / (u + epsilon);
  }
};

}  // namespace SIMD_ISA
}  // namespace gradstep
