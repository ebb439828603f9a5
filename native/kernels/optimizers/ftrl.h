// FTRL-Proximal (McMahan et al. 2013), with shrinkage: an L2 term that acts on the gradient and not on n. p = -power.
//
//   s  = g + 2 shrinkage w             n' = n + g^2
//   z <- z + s - (n'^p - n^p) / lr w
//   w <- 0                                            where |z| <= l1
//        (sign(z) l1 - z) / ((n'^p + beta) / lr + 2 l2)    elsewhere
//   n <- n'
#pragma once
#include "../../simd/math.h"
#include "../../simd/simd.h"
#include "form.h"
#include "names.h"

namespace gradstep {
namespace SIMD_ISA {

template <class V> struct Ftrl {
  static constexpr const char* kName = "ftrl";
  static constexpr auto kSlots = names("accum", "linear");
  static constexpr auto kHyper = names("learningRate", "learningRatePower", "l1RegularizationStrength",
                                       "l2RegularizationStrength", "l2ShrinkageRegularizationStrength", "beta");

  using T = typename V::Scalar;
  bool special;  // the power is a square root
  V p, inverse_lr, l1, two_l2, two_shrinkage, beta;
  explicit Ftrl(const double* h)
      : special(h[1] == -0.5), p(T(-h[1])), inverse_lr(T(1 / h[0])), l1(T(h[2])), two_l2(T(2 * h[3])),
        two_shrinkage(T(2 * h[4])), beta(T(h[5])) {}

  V power(V x, Form<true>) const { return sqrt(x); }
  V power(V x, Form<false>) const { return pow(x, p); }

  template <class Form> void operator()(V& w, V g, V* slots, Form form) const {
    V &n = slots[0], &z = slots[1];
    const V s = fma(two_shrinkage, w, g), n_new = fma(g, g, n), n_new_p = power(n_new, form);
    z = fnma((n_new_p - power(n, form)) * inverse_lr, w, z + s);
    const V solved = (copysign(l1, z) - z) / fma(n_new_p + beta, inverse_lr, two_l2);
    w = select(le(abs(z), l1), V(0), solved);  // in this order NaN stays
    n = n_new;
  }
};

}  // namespace SIMD_ISA
}  // namespace gradstep
