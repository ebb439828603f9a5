// Lion (Chen et al. 2023). The decay is multiplied by the rate.
//
//   c  = beta1 m + (1 - beta1) g
//   w <- w - lr (sign(c) + lambda w)
//   m <- beta2 m + (1 - beta2) g
#pragma once
#include "../../simd/simd.h"
#include "../elementwise/unary.h"
#include "names.h"

namespace gradstep {
namespace SIMD_ISA {

template <class V> struct Lion {
  static constexpr const char* kName = "lion";
  static constexpr auto kSlots = names("m");
  static constexpr auto kHyper = names("learningRate", "beta1", "beta2", "weightDecay");

  using T = typename V::Scalar;
  V lr, one_minus_beta1, one_minus_beta2, decay;
  explicit Lion(const double* h)
      : lr(T(h[0])), one_minus_beta1(T(1 - h[1])), one_minus_beta2(T(1 - h[2])), decay(T(h[0] * h[3])) {}

  void operator()(V& w, V g, V* slots) const {
    V& m = slots[0];
    const V c = fma(g - m, one_minus_beta1, m);
    w = fnma(lr, Sign::of(c), fnma(decay, w, w));
    m = fma(g - m, one_minus_beta2, m);
  }
};

}  // namespace SIMD_ISA
}  // namespace gradstep
