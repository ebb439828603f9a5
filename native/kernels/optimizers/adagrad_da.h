// Adagrad with dual averaging (Duchi, Hazan & Singer 2011): w is solved for anew from the sums of all gradients, its
// old value does not enter. T counts the steps, this one included.
//
//   G <- G + g        Q <- Q + g^2
//   w <- -lr sign(G) max(|G| - T l1, 0) / (l2 T lr + sqrt(Q))
#pragma once
#include "../../simd/simd.h"
#include "names.h"
#include "shrink.h"

namespace gradstep {
namespace SIMD_ISA {

template <class V> struct AdagradDA {
  static constexpr const char* kName = "adagradDA";
  static constexpr auto kSlots = names("gradient_accumulator", "gradient_squared_accumulator");
  static constexpr auto kHyper = names("learningRate", "l1RegularizationStrength", "l2RegularizationStrength", "step");

  using T = typename V::Scalar;
  V minus_lr, l1, l2;
  explicit AdagradDA(const double* h)
      : minus_lr(T(-h[0])), l1(T(l1_strength(h[1]) * h[3])), l2(T(h[2] * h[3] * h[0])) {}

  void operator()(V& w, V g, V* slots) const {
    V &G = slots[0], &Q = slots[1];
    G = G + g;
    Q = fma(g, g, Q);
    w = (minus_lr * shrink(G, l1)) / (l2 + sqrt(Q));
  }
};

}  // namespace SIMD_ISA
}  // namespace gradstep
