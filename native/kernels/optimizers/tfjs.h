// Rules of TensorFlow.js that differ from TensorFlow's.
//
// Adagrad has an epsilon inside of the root:
//
//   a <- a + g^2
//   w <- w - lr g / sqrt(a + epsilon)
//
// Adadelta divides by the mean of squares as it was before the step:
//
//   u  = g sqrt(d + epsilon) / sqrt(a + epsilon)
//   a <- rho a + (1 - rho) g^2
//   d <- rho d + (1 - rho) u^2
//   w <- w - lr u
#pragma once
#include "../../simd/simd.h"
#include "names.h"

namespace gradstep {
namespace SIMD_ISA {

template <class V> struct TfjsAdagrad {
  static constexpr const char* kName = "tfjsAdagrad";
  static constexpr auto kSlots = names("accumulator");
  static constexpr auto kHyper = names("learningRate", "epsilon");

  using T = typename V::Scalar;
  V lr, epsilon;
  explicit TfjsAdagrad(const double* h) : lr(T(h[0])), epsilon(T(h[1])) {}

  void operator()(V& w, V g, V* slots) const {
    V& a = slots[0];
    a = fma(g, g, a);
    w = w - (g * lr) / sqrt(a + epsilon);
  }
};

template <class V> struct TfjsAdadelta {
  static constexpr const char* kName = "tfjsAdadelta";
  static constexpr auto kSlots = names("accum_grad", "accum_var");
  static constexpr auto kHyper = names("learningRate", "rho", "epsilon");

  using T = typename V::Scalar;
  V lr, rho, one_minus_rho, epsilon;
  explicit TfjsAdadelta(const double* h) : lr(T(h[0])), rho(T(h[1])), one_minus_rho(T(1 - h[1])), epsilon(T(h[2])) {}

  void operator()(V& w, V g, V* slots) const {
    V &a = slots[0], &d = slots[1];
    const V u = sqrt(d + epsilon) / sqrt(a + epsilon) * g;
    a = fma(a, rho, (g * g) * one_minus_rho);
    d = fma(d, rho, (u * u) * one_minus_rho);
    w = fnma(lr, u, w);
  }
};

}  // namespace SIMD_ISA
}  // namespace gradstep
