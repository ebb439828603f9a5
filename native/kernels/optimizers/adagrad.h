// Adagrad (Duchi, Hazan & Singer 2011). There is no epsilon: the accumulator starts above zero.
//
//   a <- a + g^2
//   w <- w - lr g / sqrt(a)
#pragma once
#include "../../simd/simd.h"
#include "names.h"

namespace gradstep {
namespace SIMD_ISA {

template <class V> struct Adagrad {
  static constexpr const char* kName = "adagrad";
  static constexpr auto kSlots = names("accumulator");
  static constexpr auto kHyper = names("learningRate");

  V lr;
  explicit Adagrad(const double* h) : lr(static_cast<typename V::Scalar>(h[0])) {}

  void operator()(V& w, V g, V* slots) const {
    V& a = slots[0];
    a = fma(g, g, a);
    w = w - (g * lr) / sqrt(a);
  }
};

}  // namespace SIMD_ISA
}  // namespace gradstep
