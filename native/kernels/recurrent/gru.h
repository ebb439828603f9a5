// The cells of a GRU at one time, and their way back. Where the reset comes before the product with the recurrent
// kernel, a cell takes two halves, and that product lies between them.
#pragma once
#include "../../simd/math.h"
#include "../../simd/simd.h"
#include "../softmax.h"
#include "args.h"

namespace gradstep {
namespace SIMD_ISA {

// The reset gate, and side = r before.
template <class V> static void gru_reset(const GruRows<typename V::Scalar>& a) {
  for (size_t row = 0; row < a.rows; ++row) {
    typename V::Scalar* const gates = a.gates + row * 3 * a.units;
    const size_t at = row * a.units;
    each_vector<V>(a.units, [&](size_t u, auto... lanes) __attribute__((always_inline)) {
      const V r = sigmoid(load(gates + u, lanes...));
      store(gates + u, r, lanes...);
      store(a.side + at + u, r * load(a.before + at + u, lanes...), lanes...);
    });
  }
}

// The other gates and what comes of them; the reset gate too where it comes after.
template <class V> static void gru_rows(const GruRows<typename V::Scalar>& a) {
  for (size_t row = 0; row < a.rows; ++row) {
    typename V::Scalar* const gates = a.gates + row * 3 * a.units;
    typename V::Scalar *const update = gates + a.units, *const candidate = update + a.units;
    const size_t at = row * a.units;
    each_vector<V>(a.units, [&](size_t u, auto... lanes) __attribute__((always_inline)) {
      V into = load(candidate + u, lanes...);
      if (a.reset_after) {
        const V r = sigmoid(load(gates + u, lanes...));
        store(gates + u, r, lanes...);
        into = fma(r, load(a.side + at + u, lanes...), into);
      }
      const V z = sigmoid(load(update + u, lanes...)), c = tanh(into);
      store(update + u, z, lanes...);
      store(candidate + u, c, lanes...);
      store(a.hidden + at + u, fma(z, load(a.before + at + u, lanes...) - c, c), lanes...);
    });
  }
}

template <class V> static void gru_rows_gradient(const GruRowsGradient<typename V::Scalar>& a) {
  const V one(1);
  for (size_t row = 0; row < a.rows; ++row) {
    const size_t wide = row * 3 * a.units, at = row * a.units;
    each_vector<V>(a.units, [&](size_t u, auto... lanes) __attribute__((always_inline)) {
      const auto* const gates = a.gates + wide + u;
      const V r = load(gates, lanes...), z = load(gates + a.units, lanes...);
      const V c = load(gates + 2 * a.units, lanes...), dh = load(a.dhidden + at + u, lanes...);
      const V dz = dh * (load(a.before + at + u, lanes...) - c) * (z * (one - z));
      const V dc = dh * (one - z) * fnma(c, c, one);
      auto* const dgates = a.dgates + wide + u;
      store(dgates + a.units, dz, lanes...);
      store(dgates + 2 * a.units, dc, lanes...);
      store(a.dbefore + at + u, dh * z, lanes...);
      if (!a.reset_after) return;
      const V dr = dc * load(a.side + at + u, lanes...) * (r * (one - r));
      auto* const drecurrent = a.drecurrent + wide + u;
      store(dgates, dr, lanes...);
      store(drecurrent, dr, lanes...);
      store(drecurrent + a.units, dz, lanes...);
      store(drecurrent + 2 * a.units, dc * r, lanes...);
    });
  }
}

// Where the reset came before: the rest, once the gradient of r before is known.
template <class V> static void gru_reset_gradient(const GruRowsGradient<typename V::Scalar>& a) {
  const V one(1);
  for (size_t row = 0; row < a.rows; ++row) {
    const size_t wide = row * 3 * a.units, at = row * a.units;
    each_vector<V>(a.units, [&](size_t u, auto... lanes) __attribute__((always_inline)) {
      const V r = load(a.gates + wide + u, lanes...), d = load(a.dside + at + u, lanes...);
      store(a.dgates + wide + u, d * load(a.before + at + u, lanes...) * (r * (one - r)), lanes...);
      store(a.dbefore + at + u, fma(d, r, load(a.dbefore + at + u, lanes...)), lanes...);
    });
  }
}

}  // namespace SIMD_ISA
}  // namespace gradstep
