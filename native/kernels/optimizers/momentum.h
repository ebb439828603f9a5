// Momentum, plain and Nesterov's, as TensorFlow accumulates it: without dampening, the rate outside the accumulator.
//
//   a <- mu a + g
//   w <- w - lr a                  plain       Polyak 1964
//   w <- w - lr (g + mu a)         Nesterov    Sutskever et al. 2013
#pragma once
#include "../../simd/simd.h"
#include "names.h"

namespace gradstep {
namespace SIMD_ISA {

template <class V> struct Momentum {
  static constexpr const char* kName = "momentum";
  static constexpr auto kSlots = names("momentum");
  static constexpr auto kHyper = names("learningRate", "momentum");

  V lr, mu;
  explicit Momentum(const double* h)
      : lr(static_cast<typename V::Scalar>(h[0])), mu(static_cast<typename V::Scalar>(h[1])) {}

  void operator()(V& w, V g, V* slots) const {
    V& a = slots[0];
    a = fma(mu, a, g);
    w = fnma(lr, a, w);
  }
};

template <class V> struct NesterovMomentum : Momentum<V> {
  static constexpr const char* kName = "nesterovMomentum";
  using Momentum<V>::Momentum;

  void operator()(V& w, V g, V* slots) const {
    V& a = slots[0];
    a = fma(this->mu, a, g);
    w = fnma(this->lr, fma(this->mu, a, g), w);
  }
};

}  // namespace SIMD_ISA
}  // namespace gradstep
