// Forward-backward splitting (Duchi & Singer 2009): a gradient step, then the proximal step of the L1 and L2 terms.
//
//   e = lr                                   proximal gradient descent
//   a <- a + g^2       e = lr / sqrt(a)      proximal Adagrad
//   p = w - e g
//   w <- sign(p) max(|p| - e l1, 0) / (1 + e l2)
#pragma once
#include "../../simd/simd.h"
#include "names.h"
#include "shrink.h"

namespace gradstep {
namespace SIMD_ISA {

template <class V> struct ProximalGradientDescent {
  static constexpr const char* kName = "proximalGradientDescent";
  static constexpr auto kSlots = names();
  static constexpr auto kHyper = names("learningRate", "l1RegularizationStrength", "l2RegularizationStrength");

  using T = typename V::Scalar;
  V lr, l, scale;
  explicit ProximalGradientDescent(const double* h)
      : lr(T(h[0])), l(T(h[0] * l1_strength(h[1]))), scale(T(1 / (1 + h[0] * h[2]))) {}

  void operator()(V& w, V g, V*) const { w = shrink(fnma(lr, g, w), l) * scale; }
};

template <class V> struct ProximalAdagrad {
  static constexpr const char* kName = "proximalAdagrad";
  static constexpr auto kSlots = names("accumulator");
  static constexpr auto kHyper = ProximalGradientDescent<V>::kHyper;

  using T = typename V::Scalar;
  bool special;  // no L2 term
  V lr, l1, lr_l1, lr_l2;
  explicit ProximalAdagrad(const double* h)
      : special(h[2] == 0), lr(T(h[0])), l1(T(l1_strength(h[1]))), lr_l1(T(h[0] * l1_strength(h[1]))),
        lr_l2(T(h[0] * h[2])) {}

  template <class Form> void operator()(V& w, V g, V* slots, Form) const {
    V& a = slots[0];
    a = fma(g, g, a);
    const V root = sqrt(a);
    if constexpr (Form::special) {
      const V e = lr / root;
      w = shrink(fnma(e, g, w), e * l1);
    } else {  // sqrt(a) in numerator and denominator saves a division
      w = shrink(fnma(lr, g, w * root), lr_l1) / (root + lr_l2);
    }
  }
};

}  // namespace SIMD_ISA
}  // namespace gradstep
