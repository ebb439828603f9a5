// Softmax of blocks of scores, with what comes before and after it, while they are in the nearest caches (Dao, Fu,
// Ermon, Rudra, Re: "FlashAttention", 2022; Milakov, Gimelshein: "Online normalizer calculation for softmax", 2018).
#pragma once
#include "../../simd/math.h"
#include "../../simd/simd.h"
#include "../gemm/pack.h"
#include "../normalization/sums.h"
#include "../softmax.h"
#include "args.h"

namespace gradstep {
namespace SIMD_ISA {

INL size_t columns_seen(ptrdiff_t seen, size_t columns) {
  return seen <= 0 ? 0 : size_t(seen) < columns ? size_t(seen) : columns;
}

template <class T> INL size_t columns_seen(const AttentionBlock<T>& b, size_t row) {
  return b.is_causal ? columns_seen(b.seen + ptrdiff_t(row), b.columns) : b.columns;
}

template <class V, class T = typename V::Scalar> INL T exp_of_one(T x) {
  T out[V::kLanes];
  store(out, exp_down(V(x)));
  return out[0];
}

// f(score, i, lanes...) with the score as the softmax takes it.
template <class V, class T, class F>
INL void each_score(const AttentionBlock<T>& b, const T* scores, const T* mask, size_t n, F f) {
  const V scale(b.scale);
  if (mask) {
    each_of_two<V>(n, [&](size_t k, size_t i, auto... lanes) __attribute__((always_inline)) {
      f(k, fma(load(scores + i, lanes...), scale, load(mask + i, lanes...)), i, lanes...);
    });
  } else {
    each_of_two<V>(n, [&](size_t k, size_t i, auto... lanes)
                          __attribute__((always_inline)) { f(k, load(scores + i, lanes...) * scale, i, lanes...); });
  }
}

template <class V, class T>
static void attention_row(const AttentionBlock<T>& b, const AttentionState<T>& s, size_t row) {
  T* const x = b.scores + row * b.step;
  const size_t n = columns_seen(b, row);
  const V lowest(T(-__builtin_huge_val()));
  V tops[2] = {lowest, lowest};
  each_score<V>(b, x, b.mask ? b.mask + row * b.mask_step : nullptr, n,
                [&](size_t k, V v, size_t i, auto... lanes) __attribute__((always_inline)) {
                  store(x + i, v, lanes...);
                  tops[k] = maximum(tops[k], with_rest(v, lowest, lanes...));
                });
  const T before = s.is_first ? T(-__builtin_huge_val()) : s.top[row];
  const V top = maximum(maximum(tops[0], tops[1]), V(before));
  const T now = any(is_nan(top)) ? static_cast<T>(__builtin_nan("")) : reduce_max(top);
  const T shift_by = now == T(-__builtin_huge_val()) ? T(0) : now;  // of a row that sees nothing all weights are 0
  const V shift(shift_by);
  DoubleSum sum;
  each_of_two<V>(n, [&](size_t k, size_t i, auto... lanes) __attribute__((always_inline)) {
    const V w = exp_down(load(x + i, lanes...) - shift);
    store(x + i, w, lanes...);
    sum.add(k, with_rest(w, V(0), lanes...));
  });
  each_vector<V>(b.columns - n,
                 [&](size_t i, auto... lanes) __attribute__((always_inline)) { store(x + n + i, V(0), lanes...); });
  s.top[row] = now;
  if (s.is_first) {
    s.sum[row] = sum.total();
    return;
  }
  if (before == now) {
    s.sum[row] += sum.total();
    return;
  }
  const T factor = exp_of_one<V>(before - shift_by);
  s.sum[row] = s.sum[row] * double(factor) + sum.total();
  scale<V>(s.out + row * s.out_step, s.out + row * s.out_step, double(factor), s.depth);
}

template <class V>
static void attention_weights(const AttentionBlock<typename V::Scalar>& b,
                              const AttentionState<typename V::Scalar>& s) {
  for (size_t row = 0; row < b.rows; ++row) attention_row<V>(b, s, row);
}

// Once all keys have come: what was summed up, over the sum of the weights, which is left as 1 over it.
template <class V>
static void attention_finish(const AttentionState<typename V::Scalar>& s, typename V::Scalar* inverse, size_t rows) {
  using T = typename V::Scalar;
  for (size_t row = 0; row < rows; ++row) {
    const bool is_empty = s.sum[row] == 0;
    inverse[row] = is_empty ? T(0) : static_cast<T>(1 / s.sum[row]);
    if (s.top[row] == T(-__builtin_huge_val())) s.top[row] = T(0);
    scale<V>(s.out + row * s.out_step, s.out + row * s.out_step, double(inverse[row]), s.depth);
  }
}

// dscore = weight (dweight - dots) scale
template <class V>
static void attention_gradient(const AttentionBlock<typename V::Scalar>& b,
                               const AttentionRowsGradient<typename V::Scalar>& g) {
  using T = typename V::Scalar;
  for (size_t row = 0; row < b.rows; ++row) {
    T *const x = b.scores + row * b.step, *const dx = g.dweights + row * b.step;
    const size_t n = columns_seen(b, row);
    const V top(g.top[row]), inverse(g.inverse[row]), dots(g.dots[row]), scale(b.scale);
    each_score<V>(b, x, b.mask ? b.mask + row * b.mask_step : nullptr, n,
                  [&](size_t, V v, size_t i, auto... lanes) __attribute__((always_inline)) {
                    const V w = exp_down(v - top) * inverse;
                    store(x + i, w, lanes...);
                    store(dx + i, (load(dx + i, lanes...) - dots) * w * scale, lanes...);
                  });
    each_vector<V>(b.columns - n, [&](size_t i, auto... lanes) __attribute__((always_inline)) {
      store(x + n + i, V(0), lanes...);
      store(dx + n + i, V(0), lanes...);
    });
  }
}

// dots[row] = the sum of a b
template <class V>
static void row_dots(typename V::Scalar* dots, const typename V::Scalar* a, size_t a_step, const typename V::Scalar* b,
                     size_t b_step, size_t rows, size_t columns) {
  for (size_t row = 0; row < rows; ++row, a += a_step, b += b_step) {
    DoubleSum sum;
    each_of_two<V>(columns, [&](size_t k, size_t i, auto... lanes) __attribute__((always_inline)) {
      sum.add_product(k, load(a + i, lanes...), load(b + i, lanes...));
    });
    dots[row] = static_cast<typename V::Scalar>(sum.total());
  }
}

// to[columns, rows] = from[rows, columns] transposed
template <class V>
static void transpose(typename V::Scalar* to, size_t to_step, const typename V::Scalar* from, size_t from_step,
                      size_t rows, size_t columns) {
  gemm_transpose(to, to_step, from, from_step, rows, columns);
}

}  // namespace SIMD_ISA
}  // namespace gradstep
