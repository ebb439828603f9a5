// AMSGrad (Reddi, Kale & Kumar 2018) with the bias correction and the epsilon of TensorFlow's Adam, as tf.keras has it.
//
//   alpha = lr sqrt(1 - beta2^t) / (1 - beta1^t)
//   m <- m + (1 - beta1) (g - m)         v <- v + (1 - beta2) (g^2 - v)         u <- max(u, v)
//   w <- w - alpha m / (sqrt(u) + epsilon)
#pragma once
#include "../../simd/simd.h"
#include "adam.h"
#include "names.h"

namespace gradstep {
namespace SIMD_ISA {

template <class V> struct AMSGrad : Adam<V> {
  static constexpr const char* kName = "amsGrad";
  static constexpr auto kSlots = names("m", "v", "vhat");
  using Adam<V>::Adam;

  void operator()(V& w, V g, V* slots) const {
    V &m = slots[0], &v = slots[1], &u = slots[2];
    m = fma(g - m, this->one_minus_beta1, m);
    v = fnma(fnma(g, g, v), this->one_minus_beta2, v);
    u = maximum(u, v);
    w = w - (m * this->alpha) / (sqrt(u) + this->epsilon);
  }
};

}  // namespace SIMD_ISA
}  // namespace gradstep
