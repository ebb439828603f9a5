// Nadam (Dozat 2016) with the paper's schedule of mu, as in Keras and PyTorch; the caller keeps the schedule.
//
//   mu_t = beta1 (1 - 0.96^(t psi) / 2)         P_t = mu_1 mu_2 ... mu_t
//   m <- m + (1 - beta1) (g - m)         v <- v + (1 - beta2) (g^2 - v)
//   w <- w - lr (mu_{t+1} m / (1 - P_{t+1}) + (1 - mu_t) g / (1 - P_t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
#pragma once
#include "../../simd/simd.h"
#include "names.h"

namespace gradstep {
namespace SIMD_ISA {

template <class V> struct Nadam {
  static constexpr const char* kName = "nadam";
  static constexpr auto kSlots = names("m", "v");
  static constexpr auto kHyper =
      names("learningRate", "beta1", "beta2", "epsilon", "momentumDecay", "beta2Power", "mu", "nextMu", "muProduct");

  using T = typename V::Scalar;
  V one_minus_beta1, one_minus_beta2, epsilon, root_correction, m_rate, g_rate;
  explicit Nadam(const double* h)
      : one_minus_beta1(T(1 - h[1])), one_minus_beta2(T(1 - h[2])), epsilon(T(h[3])),
        root_correction(T(1 / __builtin_sqrt(1 - h[5]))), m_rate(T(h[0] * h[7] / (1 - h[8] * h[7]))),
        g_rate(T(h[0] * (1 - h[6]) / (1 - h[8]))) {}

  void operator()(V& w, V g, V* slots) const {
    V &m = slots[0], &v = slots[1];
    m = fma(g - m, one_minus_beta1, m);
    v = fnma(fnma(g, g, v), one_minus_beta2, v);
    w = w - fma(m, m_rate, g * g_rate) / fma(sqrt(v), root_correction, epsilon);
  }
};

}  // namespace SIMD_ISA
}  // namespace gradstep
