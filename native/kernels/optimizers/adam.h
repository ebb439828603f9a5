// Adam (Kingma & Ba 2015) in TensorFlow's "epsilon hat" form: epsilon is added outside the bias correction.
//
//   alpha = lr sqrt(1 - beta2^t) / (1 - beta1^t)
//   m <- m + (1 - beta1) (g - m)         v <- v + (1 - beta2) (g^2 - v)
//   w <- w - alpha m / (sqrt(v) + epsilon)
#pragma once
#include "../../simd/simd.h"
#include "names.h"

namespace gradstep {
namespace SIMD_ISA {

template <class V> struct Adam {
  static constexpr const char* kName = "adam";
  static constexpr auto kSlots = names("m", "v");
  static constexpr auto kHyper = names("learningRate", "beta1", "beta2", "epsilon", "beta1Power", "beta2Power");

  using T = typename V::Scalar;
  V one_minus_beta1, one_minus_beta2, epsilon, alpha;

  explicit Adam(const double* h)
      : one_minus_beta1(T(1 - h[1])), one_minus_beta2(T(1 - h[2])), epsilon(T(h[3])),
        alpha(T(h[0] * __builtin_sqrt(1 - h[5]) / (1 - h[4]))) {}

  void operator()(V& w, V g, V* slots) const {
    V &m = slots[0], &v = slots[1];
    m = fma(g - m, one_minus_beta1, m);
    v = fnma(fnma(g, g, v), one_minus_beta2, v);
    w = w - (m * alpha) / (sqrt(v) + epsilon);
  }
};

}  // namespace SIMD_ISA
}  // namespace gradstep
