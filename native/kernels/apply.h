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

// What a rule computes in, over a parameter of a type: what the format says. A rule that needs more, or that can do
// with less, has a specialization of its own.
template <template <class> class Rule, class Param> struct ArithmeticOf {
  using Type = typename FormatOf<Param>::Arithmetic;
};

// Whether a rule computes in T over columns of combination i, and whether over those of no later one.
template <class T, class U> struct IsSame { static constexpr bool value = false; };
template <class T> struct IsSame<T, T> { static constexpr bool value = true; };
template <template <class> class Rule, class T, size_t i> constexpr bool computes_in() {
  return IsSame<typename ArithmeticOf<Rule, typename StoredAt<i>::Param>::Type, T>::value;
}
template <template <class> class Rule, class T, size_t i> constexpr bool is_last() {
  if constexpr (i + 1 >= kStoredCount) return true;
  else return !computes_in<Rule, T, i + 1>() && is_last<Rule, T, i + 1>();
}

// Task::on<Stored>(arguments...) for the types of a range's columns. Where a rule has one combination in its
// arithmetic, as all do by now, there is nothing to ask. (Tasks call functions that are static: the lambdas of a
// class's own would have names that other objects see.)
template <template <class> class Rule, class V, class Task, size_t i = 0, class... Arguments>
INL auto with_stored(const Range& range, Arguments&&... arguments) {
  if constexpr (!computes_in<Rule, typename V::Scalar, i>()) {
    return with_stored<Rule, V, Task, i + 1>(range, arguments...);
  } else if constexpr (is_last<Rule, typename V::Scalar, i>()) {
    return Task::template on<StoredAt<i>>(range, arguments...);
  } else {
    if (range.stored == i) return Task::template on<StoredAt<i>>(range, arguments...);
    return with_stored<Rule, V, Task, i + 1>(range, arguments...);
  }
}

// How many elements to do first so that whole vectors start on cache lines, or where a column is narrower on parts of
// lines as long as they are: fewer than a vector has.
template <class V, class T> INL size_t elements_before_line(const T* column) {
  return -(uintptr_t(column) / sizeof(T)) % V::kLanes;
}

// Where a rule's gradient comes from.
template <class V, class T> struct ScaledGradient {
  static constexpr size_t kColumns = 1;
  const T* data;
  V factor;
  template <class... Lanes> ALWAYS_INLINE V at(size_t i, Lanes... lanes) const {
    return load(data + i, lanes...) * factor;
  }
  ALWAYS_INLINE void prefetch(size_t i) const { __builtin_prefetch(data + i); }
  ALWAYS_INLINE void skip(size_t n) { data += n; }
};
template <class V> struct NoGradient {
  static constexpr size_t kColumns = 0;
  template <class... Lanes> ALWAYS_INLINE V at(size_t, Lanes...) const { return V(0); }
  ALWAYS_INLINE void prefetch(size_t) const {}
  ALWAYS_INLINE void skip(size_t) {}
};

// The slots of a rule from number k on, each of its own type.
template <class V, class Stored, size_t kCount, size_t k = 0, bool = (k < kCount)> struct Slots {
  explicit ALWAYS_INLINE Slots(const Range&) {}
  template <class... Lanes> ALWAYS_INLINE void read(V*, size_t, Lanes...) const {}
  template <class... Lanes> ALWAYS_INLINE void write(const V*, size_t, Lanes...) const {}
  template <int kWrite> ALWAYS_INLINE void prefetch(size_t) const {}
  ALWAYS_INLINE void skip(size_t) {}
  ALWAYS_INLINE size_t alike(size_t) const { return 0; }
};
template <class V, class Stored, size_t kCount, size_t k> struct Slots<V, Stored, kCount, k, true> {
  using T = typename Stored::template Slot<k>;
  T* data;
  Slots<V, Stored, kCount, k + 1> rest;

  explicit ALWAYS_INLINE Slots(const Range& range) : data(static_cast<T*>(range.slots[k])), rest(range) {}
  template <class... Lanes> ALWAYS_INLINE void read(V* state, size_t i, Lanes... lanes) const {
    state[k] = load(data + i, lanes...);
    rest.read(state, i, lanes...);
  }
  template <class... Lanes> ALWAYS_INLINE void write(const V* state, size_t i, Lanes... lanes) const {
    store(data + i, state[k], lanes...);
    rest.write(state, i, lanes...);
  }
  template <int kWrite> ALWAYS_INLINE void prefetch(size_t i) const {
    __builtin_prefetch(data + i, kWrite);
    rest.template prefetch<kWrite>(i);
  }
  ALWAYS_INLINE void skip(size_t n) {
    data += n;
    rest.skip(n);
  }
  // How many of them have `elements` before their first line.
  ALWAYS_INLINE size_t alike(size_t elements) const {
    return (elements_before_line<V>(data) == elements ? 1 : 0) + rest.alike(elements);
  }
};

constexpr size_t kLeastByLines = 2048;

// How many elements to do first so that whole vectors start on cache lines, in as many columns as can be: they may lie
// anywhere, and a vector across two lines takes two accesses. What is written counts twice.
template <size_t kSlots, class V, class Param, class Slots, class Gradient>
INL size_t first_elements(const Param* param, const Slots& slots, const Gradient& gradient) {
  const size_t of_param = elements_before_line<V>(param);
  if constexpr (kSlots == 0) {
    return of_param;
  } else {
    const size_t of_slot = elements_before_line<V>(slots.data);
    size_t for_param = 2 + 2 * slots.alike(of_param), for_slot = 2 * slots.alike(of_slot);
    if constexpr (Gradient::kColumns > 0) {
      const size_t of_gradient = elements_before_line<V>(gradient.data);
      for_param += of_gradient == of_param;
      for_slot += of_gradient == of_slot;
    }
    return for_param >= for_slot ? of_param : of_slot;
  }
}

// update(w, g, slots) may change what kWrites says.
template <class Rule, class V, class Stored, Writes kWrites, bool kByLines, class Gradient, class Update>
INL void apply(const Range& range, Gradient gradient, Update update) {
  using Param = typename Stored::Param;
  constexpr size_t kCount = Rule::kSlots.kCount, kStates = kCount > 0 ? kCount : 1;
  Param* param = static_cast<Param*>(range.param);
  Slots<V, Stored, kCount> slots(range);
  const auto block = [&](size_t i, auto... lanes) __attribute__((always_inline)) {  // lanes: nothing = all of them
    V w = load(param + i, lanes...), state[kStates];
    slots.read(state, i, lanes...);
    update(w, gradient.at(i, lanes...), state, lanes...);
    if constexpr (kWrites & kParam) store(param + i, w, lanes...);
    if constexpr (kWrites & kSlots) slots.write(state, i, lanes...);
  };
  using Lines = lines_ahead::SIMD_ISA;
  // In vectors: of a narrower column, that is so many lines the fewer.
  constexpr size_t kAhead = (Gradient::kColumns + 1 + kCount > 3 ? Lines::kMany : Lines::kFew) * V::kLanes;
  size_t n = range.count, i = 0;
  if (kByLines && n >= kLeastByLines) {
    const size_t first = first_elements<kCount, V>(param, slots, gradient);
    if (first > 0) block(0, first);
    // Pointers move, not i: from a start that is no constant GCC counts worse, gradient descent took 1.3 times as long.
    param += first;
    slots.skip(first);
    gradient.skip(first);
    n -= first;
  }
  for (; i + V::kLanes <= n; i += V::kLanes) {
    if (i + kAhead < n) {
      gradient.prefetch(i + kAhead);
      __builtin_prefetch(param + i + kAhead, kWrites & kParam ? 1 : 0);
      if constexpr (kWrites != kNothing) slots.template prefetch<kWrites & kSlots ? 1 : 0>(i + kAhead);
    }
    block(i);
  }
  if (i < n) block(i, n - i);
}

template <class Rule, class V, class Stored, Writes kWrites, bool kByLines, class Update>
INL void apply(const Range& range, Update update) {
  if (range.gradient == nullptr) {
    apply<Rule, V, Stored, kWrites, kByLines>(range, NoGradient<V>(), update);
  } else {
    using Gradient = typename Stored::Gradient;
    const V factor(static_cast<typename V::Scalar>(range.factor));
    const Gradient* const gradient = static_cast<const Gradient*>(range.gradient);
    apply<Rule, V, Stored, kWrites, kByLines>(range, ScaledGradient<V, Gradient>{gradient, factor}, update);
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

template <class Rule, class V, class Stored> INL SumsOfSquares measure_range(const Range& range, const Rule& rule) {
  Halves w_sum = {F64x8(0.0), F64x8(0.0)}, u_sum = w_sum;
  const auto add = [](Halves& sum, V x) ALWAYS_INLINE {
    const Halves h = halves(x);
    sum.lower = fma(h.lower, h.lower, sum.lower);
    sum.upper = fma(h.upper, h.upper, sum.upper);
  };
  constexpr Writes kWrites = writes_of(&Rule::measured);
  apply<Rule, V, Stored, kWrites, false>(range, [&](V& w, V g, V* slots, auto... lanes) ALWAYS_INLINE {
    const V u = only(rule.measured(w, g, slots), lanes...);
    add(w_sum, w);
    add(u_sum, u);
  });
  return {reduce_add(w_sum.lower + w_sum.upper), reduce_add(u_sum.lower + u_sum.upper)};
}

template <class Rule, class V> struct Measure {
  template <class Stored> static ALWAYS_INLINE SumsOfSquares on(const Range& range, const Rule& rule) {
    return measure_range<Rule, V, Stored>(range, rule);
  }
};

template <template <class> class Rule, class V> static SumsOfSquares measure(const double* hyper, const Range& range) {
  const Rule<V> rule(hyper);
  return with_stored<Rule, V, Measure<Rule<V>, V>>(range, rule);
}

// Prefetches the start of a range before its turn comes. apply() and the hardware prefetch the rest of a long one. In
// steps of the arithmetic's lines, whatever a column is stored as: of a narrower one that asks for a bit too much.
template <class T> INL void prefetch(const Range& range, size_t slot_count) {
  constexpr size_t kLine = 64 / sizeof(T), kAtMost = 16 * kLine;
  const auto at = [](const void* column, size_t i) ALWAYS_INLINE { return static_cast<const T*>(column) + i; };
  const size_t n = range.count < kAtMost ? range.count : kAtMost;
  for (size_t i = 0; i < n; i += kLine) {
    if (range.gradient != nullptr) __builtin_prefetch(at(range.gradient, i));
    __builtin_prefetch(at(range.param, i), 1);
    for (size_t k = 0; k < slot_count; ++k) __builtin_prefetch(at(range.slots[k], i), 1);
  }
}

// Each form of a rule (optimizers/form.h) has a loop of its own: with both in one, the longer form would take the
// registers of the shorter.
template <class Rule, class = void> struct HasForms { static constexpr bool value = false; };
template <class Rule> struct HasForms<Rule, decltype(void(&Rule::special))> { static constexpr bool value = true; };

template <class Rule, class V, class Stored>
INL void step_range(const Range& range, const Rule& rule, [[maybe_unused]] const SumsOfSquares* sums) {
  if constexpr (IsMeasured<Rule>::value) {
    const double rate = rule.rate(__builtin_sqrt(sums->param), __builtin_sqrt(sums->measured));
    const V lanes_of_rate(static_cast<typename V::Scalar>(rate));
    if constexpr (writes_of(&Rule::measured) == kNothing) {
      apply<Rule, V, Stored, kAll, true>(
          range, [&](V& w, V g, V* slots, auto...) ALWAYS_INLINE { rule(w, g, slots, lanes_of_rate); });
    } else {
      const auto update = [&](V& w, V, const V* slots, auto...) ALWAYS_INLINE { rule(w, slots, lanes_of_rate); };
      apply<Rule, V, Stored, kParam, true>(range, NoGradient<V>(), update);
    }
  } else {
    const auto in_form = [&](auto... form) ALWAYS_INLINE {
      apply<Rule, V, Stored, kAll, true>(
          range, [&](V& w, V g, V* slots, auto...) ALWAYS_INLINE { rule(w, g, slots, form...); });
    };
    if constexpr (!HasForms<Rule>::value) in_form();
    else if (rule.special) in_form(Form<true>());
    else in_form(Form<false>());
  }
}

template <class Rule, class V> struct StepRange {
  template <class Stored>
  static ALWAYS_INLINE void on(const Range& range, const Rule& rule, const SumsOfSquares* sums) {
    step_range<Rule, V, Stored>(range, rule, sums);
  }
};

template <template <class> class Rule, class V>
static void step(const double* hyper, const Range* ranges, const SumsOfSquares* sums, size_t count) {
  const Rule<V> rule(hyper);
  constexpr size_t kElementsAhead = 512;  // small variables and the rows of sparse gradients may lie anywhere
  size_t next = 1, ahead = 0;             // ranges before `next` have been asked for, `ahead` elements of them to come
  for (size_t r = 0; r < count; ++r) {
    for (; next < count && ahead < kElementsAhead; ++next) {
      prefetch<typename V::Scalar>(ranges[next], Rule<V>::kSlots.kCount);
      ahead += ranges[next].count;
    }
    if (r + 1 < count) ahead -= ranges[r + 1].count;
    const SumsOfSquares* const own = IsMeasured<Rule<V>>::value ? sums + r : nullptr;
    with_stored<Rule, V, StepRange<Rule<V>, V>>(ranges[r], rule, own);
  }
}

// A rule's kernels in the arithmetic of V: none where it computes in another over every combination of formats.
template <template <class> class Rule, class V, size_t i = 0> static constexpr RuleKernels rule_kernels_of() {
  if constexpr (i >= kStoredCount) return {nullptr, nullptr};
  else if constexpr (!computes_in<Rule, typename V::Scalar, i>()) return rule_kernels_of<Rule, V, i + 1>();
  else if constexpr (IsMeasured<Rule<V>>::value) return {step<Rule, V>, measure<Rule, V>};
  else return {step<Rule, V>, nullptr};
}

}  // namespace SIMD_ISA
}  // namespace gradstep
