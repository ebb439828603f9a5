// RMSProp (Tieleman & Hinton 2012), plain and centered (Graves 2013). Epsilon is inside the root; the rate is folded
// into the momentum.
//
//   r <- rho r + (1 - rho) g^2
//   d  = r + epsilon                   plain
//   c <- rho c + (1 - rho) g
//   d  = r - c^2 + epsilon             centered
//   a <- mu a + lr g / sqrt(d)
//   w <- w - a
#pragma once
#include "../../simd/simd.h"
#include "names.h"

namespace gradstep {
namespace SIMD_ISA {

template <class V> struct RMSProp {
  static constexpr const char* kName = "rmsProp";
  static constexpr auto kSlots = names("rms", "momentum");
  static constexpr auto kHyper = names("learningRate", "decay", "momentum", "epsilon");

  using T = typename V::Scalar;
  V lr, one_minus_rho, mu, epsilon;
  explicit RMSProp(const double* h) : lr(T(h[0])), one_minus_rho(T(1 - h[1])), mu(T(h[2])), epsilon(T(h[3])) {}

  void operator()(V& w, V g, V* slots) const {
    V &r = slots[0], &a = slots[1];
    r = fnma(fnma(g, g, r), one_minus_rho, r);
    a = fma(mu, a, (g * lr) / sqrt(r + epsilon));
    w = w - a;
  }
};

template <class V> struct CenteredRMSProp : RMSProp<V> {
  static constexpr const char* kName = "centeredRMSProp";
  static constexpr auto kSlots = names("rms", "mg", "momentum");
  using RMSProp<V>::RMSProp;

  void operator()(V& w, V g, V* slots) const {
    V &r = slots[0], &c = slots[1], &a = slots[2];
    r = fnma(fnma(g, g, r), this->one_minus_rho, r);
    c = fma(g - c, this->one_minus_rho, c);
    a = fma(this->mu, a, (g * this->lr) / sqrt(fnma(c, c, r) + this->epsilon));
    w = w - a;
  }
};

}  // namespace SIMD_ISA
}  // namespace gradstep
