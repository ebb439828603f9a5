// The cells of an LSTM at one time, and their way back.
#pragma once
#include "../../simd/math.h"
#include "../../simd/simd.h"
#include "../softmax.h"
#include "args.h"

namespace gradstep {
namespace SIMD_ISA {

template <class V> static void lstm_rows(const LstmRows<typename V::Scalar>& a) {
  using T = typename V::Scalar;
  const V forget_bias(a.forget_bias);
  for (size_t row = 0; row < a.rows; ++row) {
    T* const gates = a.gates + row * 4 * a.units;
    T *const gi = gates + a.order.i * a.units, *const gj = gates + a.order.j * a.units;
    T *const gf = gates + a.order.f * a.units, *const go = gates + a.order.o * a.units;
    const size_t at = row * a.units;
    each_vector<V>(a.units, [&](size_t u, auto... lanes) __attribute__((always_inline)) {
      const V i = sigmoid(load(gi + u, lanes...)), j = tanh(load(gj + u, lanes...));
      const V f = sigmoid(load(gf + u, lanes...) + forget_bias), o = sigmoid(load(go + u, lanes...));
      store(gi + u, i, lanes...);
      store(gj + u, j, lanes...);
      store(gf + u, f, lanes...);
      store(go + u, o, lanes...);
      const V c = fma(f, load(a.before + at + u, lanes...), i * j);
      store(a.cells + at + u, c, lanes...);
      store(a.hidden + at + u, o * tanh(c), lanes...);
    });
  }
}

template <class V> static void lstm_rows_gradient(const LstmRowsGradient<typename V::Scalar>& a) {
  const V one(1);
  for (size_t row = 0; row < a.rows; ++row) {
    const size_t wide = row * 4 * a.units, at = row * a.units;
    const size_t i0 = wide + a.order.i * a.units, j0 = wide + a.order.j * a.units;
    const size_t f0 = wide + a.order.f * a.units, o0 = wide + a.order.o * a.units;
    each_vector<V>(a.units, [&](size_t u, auto... lanes) __attribute__((always_inline)) {
      const auto gate = [&](size_t from) __attribute__((always_inline)) { return load(a.gates + from + u, lanes...); };
      const V i = gate(i0), j = gate(j0), f = gate(f0), o = gate(o0);
      const V t = tanh(load(a.cells + at + u, lanes...)), dh = load(a.dhidden + at + u, lanes...);
      const V dc = fma(dh * o, fnma(t, t, one), load(a.dcells + at + u, lanes...));
      const auto put = [&](size_t from, V value)
                           __attribute__((always_inline)) { store(a.dgates + from + u, value, lanes...); };
      put(i0, dc * j * (i * (one - i)));
      put(j0, dc * i * fnma(j, j, one));
      put(f0, dc * load(a.before + at + u, lanes...) * (f * (one - f)));
      put(o0, dh * t * (o * (one - o)));
      store(a.dcells + at + u, dc * f, lanes...);
    });
  }
}

}  // namespace SIMD_ISA
}  // namespace gradstep
