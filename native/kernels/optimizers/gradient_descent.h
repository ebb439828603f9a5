// Gradient descent.
//
//   w <- w - lr g
#pragma once
#include "../../simd/simd.h"
#include "names.h"

namespace gradstep {
namespace SIMD_ISA {

template <class V> struct GradientDescent {
  static constexpr const char* kName = "gradientDescent";
  static constexpr auto kSlots = names();
  static constexpr auto kHyper = names("learningRate");

  V lr;
  explicit GradientDescent(const double* h) : lr(static_cast<typename V::Scalar>(h[0])) {}

  void operator()(V& w, V g, V*) const { w = fnma(lr, g, w); }
};

}  // namespace SIMD_ISA
}  // namespace gradstep
