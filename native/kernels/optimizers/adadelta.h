// Adadelta (Zeiler 2012); lr = 1 is the paper's form. lr scales the step that is taken, not the one that is remembered.
//
//   a <- rho a + (1 - rho) g^2
//   u  = g sqrt((d + epsilon) / (a + epsilon))
//   w <- w - lr u
//   d <- rho d + (1 - rho) u^2
#pragma once
#include "../../simd/simd.h"
#include "names.h"

namespace gradstep {
namespace SIMD_ISA {

template <class V> struct Adadelta {
  static constexpr const char* kName = "adadelta";
  static constexpr auto kSlots = names("accum", "accum_update");
  static constexpr auto kHyper = names("learningRate", "rho", "epsilon");

  using T = typename V::Scalar;
  V lr, rho, one_minus_rho, epsilon;
  explicit Adadelta(const double* h) : lr(T(h[0])), rho(T(h[1])), one_minus_rho(T(1 - h[1])), epsilon(T(h[2])) {}

  void operator()(V& w, V g, V* slots) const {
    V &a = slots[0], &d = slots[1];
    a = fma(a, rho, (g * g) * one_minus_rho);
    const V u = sqrt((d + epsilon) / (a + epsilon)) * g;
    w = fnma(lr, u, w);
    d = fma(d, rho, (u * u) * one_minus_rho);
  }
};

}  // namespace SIMD_ISA
}  // namespace gradstep
