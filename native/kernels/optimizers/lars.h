// LARS (You, Gitman & Ginsburg 2017), the rate folded into the velocity as in the paper. eta is the trust coefficient.
//
//   e  = lr eta |w| / (|g| + lambda |w| + epsilon)         lr where either norm is 0
//   v <- mu v + e (g + lambda w)
//   w <- w - v                                             plain
//   w <- w - (mu v + e (g + lambda w))                     Nesterov
#pragma once
#include "../../simd/simd.h"
#include "names.h"

namespace gradstep {
namespace SIMD_ISA {

template <class V> struct Lars {
  static constexpr const char* kName = "lars";
  static constexpr auto kSlots = names("momentum");
  static constexpr auto kHyper = names("learningRate", "momentum", "weightDecay", "trustCoefficient", "epsilon");

  using T = typename V::Scalar;
  double lr, weight_decay, eta, epsilon;
  V mu, lambda;
  explicit Lars(const double* h)
      : lr(h[0]), weight_decay(h[2]), eta(h[3]), epsilon(h[4]), mu(T(h[1])), lambda(T(h[2])) {}

  V measured(V, V g, const V*) const { return g; }

  double rate(double w_norm, double g_norm) const {
    if (w_norm == 0 || g_norm == 0) return lr;
    return lr * (eta * w_norm / (g_norm + weight_decay * w_norm + epsilon));
  }

  void operator()(V& w, V g, V* slots, V e) const {
    V& v = slots[0];
    v = fma(mu, v, e * fma(lambda, w, g));
    w = w - v;
  }
};

template <class V> struct NesterovLars : Lars<V> {
  static constexpr const char* kName = "nesterovLars";
  using Lars<V>::Lars;

  void operator()(V& w, V g, V* slots, V e) const {
    V& v = slots[0];
    const V step = e * fma(this->lambda, w, g);
    v = fma(this->mu, v, step);
    w = w - fma(this->mu, v, step);
  }
};

}  // namespace SIMD_ISA
}  // namespace gradstep
