// Drives any update rule over memory. The tail is the rule itself with a lane count, never a second copy of it.
namespace gradstep {
namespace SIMD_ISA {

template <class Rule, class V, class Gradient>
static inline __attribute__((always_inline)) void apply(const Rule& rule, const Range<typename V::Scalar>& range,
                                                        Gradient gradient) {
  constexpr size_t kSlots = Rule::kSlots.kCount;
  using T = typename V::Scalar;
  T* const param = range.param;
  T* slots[kSlots > 0 ? kSlots : 1];
  for (size_t k = 0; k < kSlots; ++k) slots[k] = range.slots[k];
  const auto block = [&](size_t i, auto... lanes) __attribute__((always_inline)) {  // lanes: nothing = all of them
    V w = load(param + i, lanes...), state[kSlots > 0 ? kSlots : 1];
    for (size_t k = 0; k < kSlots; ++k) state[k] = load(slots[k] + i, lanes...);
    rule(w, gradient(i, lanes...), state);
    store(param + i, w, lanes...);
    for (size_t k = 0; k < kSlots; ++k) store(slots[k] + i, state[k], lanes...);
  };
  const size_t n = range.count;
  size_t i = 0;
  for (; i + V::kLanes <= n; i += V::kLanes) block(i);
  if (i < n) block(i, n - i);
}

template <class Rule, class V>
static void step(const double* hyper, const Range<typename V::Scalar>* ranges, size_t count) {
  using T = typename V::Scalar;
  const Rule rule(hyper);
  for (size_t r = 0; r < count; ++r) {
    const Range<T>& range = ranges[r];
    const T* const g = range.gradient;
    const V factor(static_cast<T>(range.factor));
    if (g == nullptr) {
      apply<Rule, V>(rule, range, [](size_t, auto...) __attribute__((always_inline)) { return V(T(0)); });
    } else {
      apply<Rule, V>(rule, range, [g, factor](size_t i, auto... lanes) __attribute__((always_inline)) {
        return load(g + i, lanes...) * factor;
      });
    }
  }
}

}  // namespace SIMD_ISA
}  // namespace gradstep
