// Drives any update rule over memory. The tail is the rule itself with a lane count, never a second copy of it.
#pragma once
#include "../simd/simd.h"
#include "norm.h"
#include "optimizers/form.h"
#include "optimizers/names.h"
#include "table.h"

// How many cache lines ahead of its turn each array is asked for, and what will be written as such: for rules that move
// at most three arrays, and for those that move more. On Zen 5, in ns a parameter with one thread: 2^21 parameters of
// Adam take AVX-512 0.28 with 4 lines, 0.36 with 8 or 16, 0.31 with none or 32, and AVX2 0.33, 0.41, 0.37 and 0.30 (no
// matter: it has twice the instructions, so the processor itself looks ahead half as far); 2^22 of gradient descent
// 0.12 with up to 4 and 0.17 with 8 to 32. Others have not been measured since.
namespace gradstep::lines_ahead {
struct avx512 { static constexpr size_t kFew = 4, kMany = 4; };
struct avx2 { static constexpr size_t kFew = 4, kMany = 32; };
struct neon { static constexpr size_t kFew = 8, kMany = 8; };
struct scalar { static constexpr size_t kFew = 8, kMany = 8; };
}  // namespace gradstep::lines_ahead

namespace gradstep {
namespace SIMD_ISA {

// What a pass over memory changes, and so has to write.
enum Writes { kNothing, kParam = 1, kSlots = 2, kAll = kParam | kSlots };

// Where a rule's gradient comes from.
template <class V> struct ScaledGradient {
  static constexpr size_t kArrays = 1;
  const typename V::Scalar* data;
  V factor;
  template <class... Lanes> ALWAYS_INLINE V at(size_t i, Lanes... lanes) const {
    return load(data + i, lanes...) * factor;
  }
  ALWAYS_INLINE void prefetch(size_t i) const { __builtin_prefetch(data + i); }
  ALWAYS_INLINE void skip(size_t n) { data += n; }
};
template <class V> struct NoGradient {
  static constexpr size_t kArrays = 0;
  template <class... Lanes> ALWAYS_INLINE V at(size_t, Lanes...) const { return V(0); }
  ALWAYS_INLINE void prefetch(size_t) const {}
  ALWAYS_INLINE void skip(size_t) {}
};

constexpr size_t kLeastByLines = 2048;

// How many elements to do first so that whole vectors start on cache lines, in as many arrays as can be: they may lie
// anywhere, and a vector across two lines takes two accesses. What is written counts twice.
template <class T> INL size_t elements_before_line(const T* array) {
  return -(uintptr_t(array) / sizeof(T)) % (64 / sizeof(T));
}
template <size_t kSlots, class T, class Gradient>
INL size_t first_elements(const Range<T>& range, const Gradient& gradient) {
  const size_t of_param = elements_before_line(range.param);
  if constexpr (kSlots == 0) return of_param;
  const size_t of_slot = elements_before_line(range.slots[0]);
  size_t for_param = 2, for_slot = 0;
  for (size_t k = 0; k < kSlots; ++k) {
    const size_t of_this = elements_before_line(range.slots[k]);
    for_param += of_this == of_param ? 2 : 0;
    for_slot += of_this == of_slot ? 2 : 0;
  }
  if constexpr (Gradient::kArrays > 0) {
    const size_t of_gradient = elements_before_line(gradient.data);
    for_param += of_gradient == of_param;
    for_slot += of_gradient == of_slot;
  }
  return for_param >= for_slot ? of_param : of_slot;
}

// update(w, g, slots) may change what kWrites says.
template <class Rule, class V, Writes kWrites, bool kByLines, class Gradient, class Update>
INL void apply(const Range<typename V::Scalar>& range, Gradient gradient, Update update) {
  using T = typename V::Scalar;
  constexpr size_t kCount = Rule::kSlots.kCount;
  T* param = range.param;
  T* slots[kCount > 0 ? kCount : 1];
  for (size_t k = 0; k < kCount; ++k) slots[k] = range.slots[k];
  const auto block = [&](size_t i, auto... lanes) __attribute__((always_inline)) {  // lanes: nothing = all of them
    V w = load(param + i, lanes...), state[kCount > 0 ? kCount : 1];
    for (size_t k = 0; k < kCount; ++k) state[k] = load(slots[k] + i, lanes...);
    update(w, gradient.at(i, lanes...), state, lanes...);
    if constexpr (kWrites & kParam) store(param + i, w, lanes...);
    for (size_t k = 0; kWrites & kSlots && k < kCount; ++k) store(slots[k] + i, state[k], lanes...);
  };
  using Lines = lines_ahead::SIMD_ISA;
  constexpr size_t kAhead = (Gradient::kArrays + 1 + kCount > 3 ? Lines::kMany : Lines::kFew) * 64 / sizeof(T);
  size_t n = range.count, i = 0;
  if (kByLines && n >= kLeastByLines) {
    const size_t first = first_elements<kCount>(range, gradient);
    if (first > 0) block(0, first);
    // Pointers move, not i: from a start that is no constant GCC counts worse, gradient descent took 1.3 times as long.
    param += first;
    for (size_t k = 0; k < kCount; ++k) slots[k] += first;
    gradient.skip(first);
    n -= first;
  }
  for (; i + V::kLanes <= n; i += V::kLanes) {
    if (i + kAhead < n) {
      gradient.prefetch(i + kAhead);
      __builtin_prefetch(param + i + kAhead, kWrites & kParam ? 1 : 0);
      for (size_t k = 0; kWrites != kNothing && k < kCount; ++k)
        __builtin_prefetch(slots[k] + i + kAhead, kWrites & kSlots ? 1 : 0);
    }
    block(i);
  }
  if (i < n) block(i, n - i);
}

template <class Rule, class V, Writes kWrites, bool kByLines, class Update>
INL void apply(const Range<typename V::Scalar>& range, Update update) {
  if (range.gradient == nullptr) {
    apply<Rule, V, kWrites, kByLines>(range, NoGradient<V>(), update);
  } else {
    const V factor(static_cast<typename V::Scalar>(range.factor));
    apply<Rule, V, kWrites, kByLines>(range, ScaledGradient<V>{range.gradient, factor}, update);
  }
}

// A rule with a member `measured` takes two passes. The first calls measured(w, g, slots), which returns the vector
// whose norm is wanted; the second calls the rule with rate(|w|, |measured|), one number for the whole variable. The
// slots change in one of the two; the other takes them as constants.
template <class Rule, class = void> struct IsMeasured { static constexpr bool value = false; };
template <class Rule> struct IsMeasured<Rule, decltype(void(&Rule::measured))> { static constexpr bool value = true; };

template <class R, class V> constexpr Writes writes_of(V (R::*)(V, V, V*) const) { return kSlots; }
template <class R, class V> constexpr Writes writes_of(V (R::*)(V, V, const V*) const) { return kNothing; }

// x with zeros in the lanes past the end of memory: a rule may have computed 0 / 0 there.
template <class V> INL V only(V x) { return x; }
template <class V> INL V only(V x, size_t lanes) {
  typename V::Scalar memory[V::kLanes];
  store(memory, x, lanes);
  return load(memory, lanes);
}

template <class Rule, class V>
static SumsOfSquares measure(const double* hyper, const Range<typename V::Scalar>& range) {
  const Rule rule(hyper);
  Halves w_sum = {F64x8(0.0), F64x8(0.0)}, u_sum = w_sum;
  const auto add = [](Halves& sum, V x) ALWAYS_INLINE {
    const Halves h = halves(x);
    sum.lower = fma(h.lower, h.lower, sum.lower);
    sum.upper = fma(h.upper, h.upper, sum.upper);
  };
  apply<Rule, V, writes_of(&Rule::measured), false>(range, [&](V& w, V g, V* slots, auto... lanes) ALWAYS_INLINE {
    const V u = only(rule.measured(w, g, slots), lanes...);
    add(w_sum, w);
    add(u_sum, u);
  });
  return {reduce_add(w_sum.lower + w_sum.upper), reduce_add(u_sum.lower + u_sum.upper)};
}

template <class Rule, class V>
static constexpr auto measure_of() -> SumsOfSquares (*)(const double*, const Range<typename V::Scalar>&) {
  if constexpr (IsMeasured<Rule>::value) return measure<Rule, V>;
  return nullptr;
}

// Prefetches the start of a range before its turn comes. apply() and the hardware prefetch the rest of a long one.
template <class T> INL void prefetch(const Range<T>& range, size_t slot_count) {
  constexpr size_t kLine = 64 / sizeof(T), kAtMost = 16 * kLine;
  const size_t n = range.count < kAtMost ? range.count : kAtMost;
  for (size_t i = 0; i < n; i += kLine) {
    if (range.gradient != nullptr) __builtin_prefetch(range.gradient + i);
    __builtin_prefetch(range.param + i, 1);
    for (size_t k = 0; k < slot_count; ++k) __builtin_prefetch(range.slots[k] + i, 1);
  }
}

// Each form of a rule (optimizers/form.h) has a loop of its own: with both in one, the longer form would take the
// registers of the shorter.
template <class Rule, class = void> struct HasForms { static constexpr bool value = false; };
template <class Rule> struct HasForms<Rule, decltype(void(&Rule::special))> { static constexpr bool value = true; };

template <class Rule, class V> INL void step_range(const Rule& rule, const Range<typename V::Scalar>& range) {
  if constexpr (IsMeasured<Rule>::value) {
    const SumsOfSquares& sums = range.sums;
    const double rate = rule.rate(__builtin_sqrt(sums.param), __builtin_sqrt(sums.measured));
    const V lanes_of_rate(static_cast<typename V::Scalar>(rate));
    if constexpr (writes_of(&Rule::measured) == kNothing) {
      apply<Rule, V, kAll, true>(range,
                                 [&](V& w, V g, V* slots, auto...) ALWAYS_INLINE { rule(w, g, slots, lanes_of_rate); });
    } else {
      const auto update = [&](V& w, V, const V* slots, auto...) ALWAYS_INLINE { rule(w, slots, lanes_of_rate); };
      apply<Rule, V, kParam, true>(range, NoGradient<V>(), update);
    }
  } else {
    const auto in_form = [&](auto... form) ALWAYS_INLINE {
      apply<Rule, V, kAll, true>(range,
                                 [&](V& w, V g, V* slots, auto...) ALWAYS_INLINE { rule(w, g, slots, form...); });
    };
    if constexpr (!HasForms<Rule>::value) in_form();
    else if (rule.special) in_form(Form<true>());
    else in_form(Form<false>());
  }
}

template <class Rule, class V>
static void step(const double* hyper, const Range<typename V::Scalar>* ranges, size_t count) {
  const Rule rule(hyper);
  constexpr size_t kElementsAhead = 512;  // small variables and the rows of sparse gradients may lie anywhere
  size_t next = 1, ahead = 0;             // ranges before `next` have been asked for, `ahead` elements of them to come
  for (size_t r = 0; r < count; ++r) {
    for (; next < count && ahead < kElementsAhead; ++next) {
      prefetch(ranges[next], Rule::kSlots.kCount);
      ahead += ranges[next].count;
    }
    if (r + 1 < count) ahead -= ranges[r + 1].count;
    step_range<Rule, V>(rule, ranges[r]);
  }
}

}  // namespace SIMD_ISA
}  // namespace gradstep
