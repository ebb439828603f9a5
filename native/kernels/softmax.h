// Softmax and the cross entropies built on it, a row at a time. Shifting by the row's maximum keeps exp in range.
// Per row: s = x - max(x), z = sum(exp(s)); softmax = exp(s) / z, log softmax = s - log(z).
#pragma once
#include "../simd/math.h"
#include "../simd/simd.h"
#include "norm.h"
#include "normalization/sums.h"
#include "scale.h"

namespace gradstep {
namespace SIMD_ISA {

template <class V, class F> static inline __attribute__((always_inline)) void each_vector(size_t n, F f) {
  size_t i = 0;
  for (; i + V::kLanes <= n; i += V::kLanes) f(i);
  if (i < n) f(i, n - i);
}

// Puts `rest` into the lanes of a partial vector that lie past its end.
INL F32x16 lane_numbers(F32x16) {
  static const float kNumbers[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return load(kNumbers);
}
INL F64x8 lane_numbers(F64x8) {
  static const double kNumbers[8] = {0, 1, 2, 3, 4, 5, 6, 7};
  return load(kNumbers);
}
template <class V> static inline V with_rest(V v, V) { return v; }
template <class V> static inline V with_rest(V v, V rest, size_t lanes) {
  return select(lt(lane_numbers(V()), V(static_cast<typename V::Scalar>(lanes))), v, rest);
}

// Four maxima in turns: one would wait for itself. pick(x, top) is the larger.
template <class V, class F> INL V row_tops(const typename V::Scalar* x, size_t n, F pick) {
  constexpr size_t kStride = 4 * V::kLanes;
  const V lowest(-__builtin_huge_val());
  V top[4] = {lowest, lowest, lowest, lowest};
  size_t i = 0;
  for (; i + kStride <= n; i += kStride) {
#pragma GCC unroll 4
    for (size_t k = 0; k < 4; ++k) top[k] = pick(load(x + i + k * V::kLanes), top[k]);
  }
  each_vector<V>(n - i, [&](size_t at, auto... lanes) __attribute__((always_inline)) {
    top[0] = pick(with_rest(load(x + i + at, lanes...), lowest, lanes...), top[0]);
  });
  return pick(pick(top[0], top[1]), pick(top[2], top[3]));
}
template <class V> static typename V::Scalar row_max(const typename V::Scalar* x, size_t n) {
  const V all = row_tops<V>(x, n, [](V a, V b) __attribute__((always_inline)) { return maximum(a, b); });
  return any(is_nan(all)) ? static_cast<typename V::Scalar>(__builtin_nan("")) : reduce_max(all);
}
// Without what is NaN: the exp of that is NaN whatever it is shifted by, and so is the row's sum.
template <class V> static typename V::Scalar row_shift(const typename V::Scalar* x, size_t n) {
  return reduce_max(row_tops<V>(x, n, [](V a, V b) __attribute__((always_inline)) { return max(a, b); }));
}

// f(i, lanes...) gives a vector; the sum of all of them, in double of every four.
template <class V, class F> static inline __attribute__((always_inline)) double row_sum(size_t n, F f) {
  DoubleSum sum;
  each_few<V>(n, [&](size_t k, auto each) __attribute__((always_inline)) {
    V few(0);
    each([&](size_t i, auto... lanes)
             __attribute__((always_inline)) { few = few + with_rest(f(i, lanes...), V(0), lanes...); });
    sum.add(k, few);
  });
  return sum.total();
}

// How far ahead of a row memory is asked for: the next one comes while this one is computed.
template <class T> struct Ahead {
  size_t next;  // 0 for the last row

  ALWAYS_INLINE void read(const T* x) const { __builtin_prefetch(x + next); }
  ALWAYS_INLINE void write(T* x) const { __builtin_prefetch(x + next, 1); }
};

// out = exp(x - max); returns its sum.
template <class V>
static double exp_shifted(typename V::Scalar* out, const typename V::Scalar* x, V shift, size_t n,
                          Ahead<typename V::Scalar> ahead = {}) {
  return row_sum<V>(n, [&](size_t i, auto... lanes) __attribute__((always_inline)) {
    ahead.read(x + i);
    ahead.write(out + i);
    const V e = exp_down(load(x + i, lanes...) - shift);
    store(out + i, e, lanes...);
    return e;
  });
}

// log(z) for one row: z is at least 1 (the maximum's own exp) and at most the row's length, or NaN
static double log_of(double z) {
  double out[8];
  store(out, log(F64x8(z)));
  return out[0];
}

template <class V>
static void softmax(typename V::Scalar* out, const typename V::Scalar* x, size_t rows, size_t columns) {
  using T = typename V::Scalar;
  for (size_t row = 0; row < rows; ++row, x += columns, out += columns) {
    const double z = exp_shifted(out, x, V(row_shift<V>(x, columns)), columns, {row + 1 < rows ? columns : 0});
    scale<V>(out, out, static_cast<double>(static_cast<T>(1 / z)), columns);
  }
}

template <class V>
static void log_softmax(typename V::Scalar* out, const typename V::Scalar* x, size_t rows, size_t columns) {
  using T = typename V::Scalar;
  for (size_t row = 0; row < rows; ++row, x += columns, out += columns) {
    const V shift(row_shift<V>(x, columns));
    const Ahead<T> ahead = {row + 1 < rows ? columns : 0};
    const double z = row_sum<V>(columns, [&](size_t i, auto... lanes) __attribute__((always_inline)) {
      ahead.read(x + i);
      return exp_down(load(x + i, lanes...) - shift);
    });
    const V log_z(static_cast<T>(log_of(z)));
    each_vector<V>(columns, [&](size_t i, auto... lanes) __attribute__((always_inline)) {
      ahead.write(out + i);
      store(out + i, (load(x + i, lanes...) - shift) - log_z, lanes...);
    });
  }
}

// dx = (dy - sum(dy y)) y
template <class V>
static void softmax_gradient(typename V::Scalar* dx, const typename V::Scalar* dy, const typename V::Scalar* y,
                             size_t rows, size_t columns) {
  using T = typename V::Scalar;
  for (size_t row = 0; row < rows; ++row, dx += columns, dy += columns, y += columns) {
    const double dot = row_sum<V>(columns, [&](size_t i, auto... lanes) __attribute__((always_inline)) {
      return load(dy + i, lanes...) * load(y + i, lanes...);
    });
    const V mean(static_cast<T>(dot));
    each_vector<V>(columns, [&](size_t i, auto... lanes) __attribute__((always_inline)) {
      store(dx + i, (load(dy + i, lanes...) - mean) * load(y + i, lanes...), lanes...);
    });
  }
}

// dx = dy - exp(y) sum(dy)
template <class V>
static void log_softmax_gradient(typename V::Scalar* dx, const typename V::Scalar* dy, const typename V::Scalar* y,
                                 size_t rows, size_t columns) {
  using T = typename V::Scalar;
  for (size_t row = 0; row < rows; ++row, dx += columns, dy += columns, y += columns) {
    const Ahead<T> ahead = {row + 1 < rows ? columns : 0};
    const double sum = row_sum<V>(columns, [&](size_t i, auto... lanes) __attribute__((always_inline)) {
      ahead.read(dy + i);
      return load(dy + i, lanes...);
    });
    const V total(static_cast<T>(sum));
    each_vector<V>(columns, [&](size_t i, auto... lanes) __attribute__((always_inline)) {
      ahead.read(y + i);
      ahead.write(dx + i);
      store(dx + i, fnma(exp(load(y + i, lanes...)), total, load(dy + i, lanes...)), lanes...);
    });
  }
}

// loss = sum(labels (log z - s)), backprop = sum(labels) softmax - labels: the true derivative also for labels that
// do not sum to one (TensorFlow's kernel assumes that they do).
template <class V>
static void softmax_cross_entropy(typename V::Scalar* loss, typename V::Scalar* backprop,
                                  const typename V::Scalar* labels, const typename V::Scalar* logits, size_t rows,
                                  size_t columns) {
  using T = typename V::Scalar;
  for (size_t row = 0; row < rows; ++row, backprop += columns, labels += columns, logits += columns) {
    const V shift(row_shift<V>(logits, columns));
    const double z = exp_shifted(backprop, logits, shift, columns);
    const V log_z(static_cast<T>(log_of(z)));
    loss[row] = static_cast<T>(row_sum<V>(columns, [&](size_t i, auto... lanes) __attribute__((always_inline)) {
      const V label = load(labels + i, lanes...);  // a label of 0 hides a logit of -Infinity, as in TensorFlow
      return select(eq(label, V(0)), V(0), label * (log_z - (load(logits + i, lanes...) - shift)));
    }));
    const double weight = row_sum<V>(
        columns, [&](size_t i, auto... lanes) __attribute__((always_inline)) { return load(labels + i, lanes...); });
    const V share(static_cast<T>(weight / z));
    each_vector<V>(columns, [&](size_t i, auto... lanes) __attribute__((always_inline)) {
      store(backprop + i, load(backprop + i, lanes...) * share - load(labels + i, lanes...), lanes...);
    });
  }
}

// The same with labels as one-hot rows, given by the column of the one.
template <class V>
static void sparse_softmax_cross_entropy(typename V::Scalar* loss, typename V::Scalar* backprop, const int32_t* labels,
                                         const typename V::Scalar* logits, size_t rows, size_t columns) {
  using T = typename V::Scalar;
  for (size_t row = 0; row < rows; ++row, backprop += columns, logits += columns) {
    const size_t label = static_cast<size_t>(labels[row]);
    const T top = row_shift<V>(logits, columns);
    const double z = exp_shifted(backprop, logits, V(top), columns);
    loss[row] = static_cast<T>(log_of(z)) - (logits[label] - top);
    scale<V>(backprop, backprop, static_cast<double>(static_cast<T>(1 / z)), columns);
    backprop[label] -= T(1);
  }
}

}  // namespace SIMD_ISA
}  // namespace gradstep
