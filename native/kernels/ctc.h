// The loss and gradient of one sequence (ctc_args.h), in logarithms and in double, forward and then backward in time.
#pragma once
#include "../simd/math.h"
#include "../simd/simd.h"
#include "ctc_args.h"
#include "softmax.h"

namespace gradstep {
namespace SIMD_ISA {

constexpr double kLogZero = -__builtin_huge_val();

// Called, as it is long and there are many.
__attribute__((noinline)) static F64x8 exp_of(F64x8 x) { return exp(x); }

// log(e^a + e^b + e^c)
__attribute__((noinline)) static F64x8 log_sum_exp(F64x8 a, F64x8 b, F64x8 c) {
  const F64x8 top = maximum(maximum(a, b), c), shift = select(eq(top, F64x8(kLogZero)), F64x8(0.0), top);
  return shift + log(exp_of(a - shift) + exp_of(b - shift) + exp_of(c - shift));
}

// log(sum(exp(x)))
template <class V> static double log_sum_exp_row(const typename V::Scalar* x, size_t n) {
  const double top = static_cast<double>(row_max<V>(x, n));
  F64x8 sum(0.0);
  each_vector<V>(n, [&](size_t i, auto... lanes) __attribute__((always_inline)) {
    const Halves h = halves(with_rest(load(x + i, lanes...), V(-__builtin_huge_val()), lanes...));
    sum = sum + exp_of(h.lower - F64x8(top));
    if constexpr (V::kLanes == 16) sum = sum + exp_of(h.upper - F64x8(top));
  });
  return top + log_of(reduce_add(sum));
}

// out = exp(x - shift)
INL F32x16 exp_less(F32x16 x, double shift) {
  return to_f32(exp_of(lower_f64(x) - F64x8(shift)), exp_of(upper_f64(x) - F64x8(shift)));
}
INL F64x8 exp_less(F64x8 x, double shift) { return exp_of(x - F64x8(shift)); }

// What there is of a sequence beside its arguments. All rows are of positions, and log(0) where there is none.
struct CtcRows {
  size_t positions, row;
  double *forward, *stay, *skip, *emitted, *backward, *onward, *share, *log_sums, *of_class;
};

template <class T> static CtcRows ctc_rows(const Ctc<T>& s) {
  CtcRows r = {};
  r.positions = 2 * s.label_count + 1;
  r.row = ctc_row(s.label_count);
  const size_t size = (s.times + 6) * r.row;
  for (size_t i = 0; i < size; ++i) s.scratch[i] = kLogZero;
  double* next = s.scratch + kCtcLanes;
  double** const rows[] = {&r.stay, &r.skip, &r.emitted, &r.backward, &r.onward, &r.share};
  for (double** row : rows) *row = next, next += r.row;
  r.forward = next;
  r.log_sums = s.scratch + size;
  r.of_class = r.log_sums + s.times;
  return r;
}

template <class T> INL size_t class_at(const Ctc<T>& s, size_t position) {
  return position % 2 == 0 ? s.classes - 1 : static_cast<size_t>(s.labels[position / 2]);
}

// Logarithms of 1 or 0: whether a position can follow itself, and the one two before it.
template <class T> static void fill_moves(const Ctc<T>& s, const CtcRows& r) {
  for (size_t u = 0; u < r.positions; ++u) {
    const bool is_blank = u % 2 == 0;
    const bool repeats = u > 2 && s.merges_repeated && class_at(s, u) == class_at(s, u - 2);
    if (is_blank || s.merges_repeated) r.stay[u] = 0;
    if (!is_blank && u > 1 && !repeats) r.skip[u] = 0;
  }
}

// The logarithm of what each position's class has at a time.
template <class T> static void fill_emitted(const Ctc<T>& s, const CtcRows& r, size_t time) {
  const T* const logits = s.logits + time * s.stride;
  for (size_t u = 0; u < r.positions; ++u) {
    r.emitted[u] = static_cast<double>(logits[class_at(s, u)]) - r.log_sums[time];
  }
}

// The probability of having come to each position by a time; before the first one this is 1 for the first blank, which
// then stands for what lies before the sequence.
template <class T> static void go_forward(const Ctc<T>& s, const CtcRows& r) {
  r.onward[0] = 0;
  const double* before = r.onward;
  for (size_t time = 0; time < s.times; ++time) {
    double* const now = r.forward + time * r.row;
    fill_emitted(s, r, time);
    for (size_t u = 0; u < r.positions; u += kCtcLanes) {
      const F64x8 sum = log_sum_exp(load(before + u) + load(r.stay + u), load(before + u - 1),
                                    load(before + u - 2) + load(r.skip + u));
      store(now + u, sum + load(r.emitted + u));
    }
    before = now;
  }
  r.onward[0] = kLogZero;
}

// dx = softmax(x) - the share that paths through a class have of all, at one time.
template <class T> static void take_shares(const Ctc<T>& s, const CtcRows& r, size_t time) {
  T* const gradient = s.gradient + time * s.stride;
  for (size_t u = 0; u < r.positions; ++u) r.of_class[class_at(s, u)] = 0;
  for (size_t u = 0; u < r.positions; ++u) r.of_class[class_at(s, u)] += r.share[u];
  for (size_t u = 0; u < r.positions; u = u == 0 ? 1 : u + 2) {
    double& share = r.of_class[class_at(s, u)];
    gradient[class_at(s, u)] = static_cast<T>(static_cast<double>(gradient[class_at(s, u)]) - share);
    share = 0;  // once only
  }
}

// Backward, the probability of what is to come after a time; with the forward one it is a position's share.
template <class T> static void go_backward(const Ctc<T>& s, const CtcRows& r, double log_probability) {
  r.onward[r.positions - 1] = 0;
  for (size_t time = s.times; time-- > 0;) {
    const double* const forward = r.forward + time * r.row;
    fill_emitted(s, r, time);
    for (size_t u = 0; u < r.positions; u += kCtcLanes) {
      const F64x8 sum = log_sum_exp(load(r.onward + u) + load(r.stay + u), load(r.onward + u + 1),
                                    load(r.onward + u + 2) + load(r.skip + u + 2));
      store(r.backward + u, sum);
      store(r.share + u, exp_of(load(forward + u) + sum - F64x8(log_probability)));
    }
    for (size_t u = 0; u < r.positions; u += kCtcLanes) {
      store(r.onward + u, load(r.backward + u) + load(r.emitted + u));
    }
    take_shares(s, r, time);
  }
}

// Returns -log of the labels' probability. Where that is Infinity, the gradient is softmax(x), as in TensorFlow.
template <class V> static double ctc(const Ctc<typename V::Scalar>& s) {
  const CtcRows r = ctc_rows(s);
  for (size_t time = 0; time < s.times; ++time) {
    const auto* const x = s.logits + time * s.stride;
    auto* const dx = s.gradient + time * s.stride;
    const double sum = r.log_sums[time] = log_sum_exp_row<V>(x, s.classes);
    each_vector<V>(s.classes, [&](size_t i, auto... lanes) __attribute__((always_inline)) {
      store(dx + i, exp_less(load(x + i, lanes...), sum), lanes...);
    });
  }
  fill_moves(s, r);
  go_forward(s, r);
  const double* const last = r.forward + (s.times - 1) * r.row + r.positions;
  double total[8];
  store(total, log_sum_exp(F64x8(last[-1]), F64x8(last[-2]), F64x8(kLogZero)));
  if (total[0] != kLogZero) go_backward(s, r, total[0]);
  return 0 - total[0];
}

}  // namespace SIMD_ISA
}  // namespace gradstep
