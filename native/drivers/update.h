// A step of one rule over any number of variables: it has copies of all that it needs, so it can be put together in one
// place and run in another, while the next one is put together.
#pragma once
#include "sparse.h"
#include "step.h"

namespace gradstep {

// A variable with its gradient. What the pointers point to must stay until the step has run.
struct VariableUpdate {
  size_t group;
  size_t length;
  double factor;           // the gradient is `gradient * factor`
  const void* gradient;    // [length], or of a sparse one [rows, row_elements]
  void* param;             // [length], overlapping nothing else, as the slots
  void* slots[kMaxSlots];  // each [length]; as many as the rule has
  Formats formats;
};

// The number of this combination of formats in GRADSTEP_STORED, or kStoredCount when no rule has a loop over it.
uint8_t stored_of(const Formats& formats, size_t slot_count);

inline Range range_of(const VariableUpdate& variable, size_t slot_count, uint8_t stored) {
  Range range = {};
  range.param = variable.param;
  range.gradient = variable.gradient;
  for (size_t k = 0; k < slot_count; ++k) range.slots[k] = variable.slots[k];
  range.factor = variable.factor;
  range.count = variable.length;
  range.formats = variable.formats;
  range.stored = stored;
  return range;
}

// What a rule computes in over a parameter of this format.
inline Arithmetic arithmetic_of(const Rule& rule, Format param) { return rule.arithmetic[static_cast<size_t>(param)]; }

// start(), add() any number of times, prepare(), run(), clear(). An update that was cleared, or that failed, can be
// started again and finds its memory where it was: steps that are all alike allocate nothing.
class Update {
 public:
  // Forgets what there was. `hyper` has the rule's hyperparameters for each group and is copied. With `all_rows` the
  // rows of a variable without a sparse gradient step too, with a gradient of zero. False when there is no memory.
  [[nodiscard]] bool start(size_t rule, bool all_rows, const double* hyper, size_t groups);

  // False when there is no memory, or no loop over columns of these formats (stored_of). Variables of one group should
  // follow each other. (Inline, as half of a step of 10,000 small variables is to list them.)
  [[nodiscard]] bool add(const VariableUpdate& variable) {
    const uint8_t stored = stored_of(variable.formats, rule_->slot_count);
    if (stored == kStoredCount) return false;
    if (variable.length == 0) return true;
    const Range range = range_of(variable, rule_->slot_count, stored);
    const double* const hyper = hyper_of(variable);
    switch (arithmetic_of(*rule_, variable.formats.param)) {
#define GRADSTEP_ADD(name, type) \
  case Arithmetic::name: return name##_.ranges.add(range, hyper);
      GRADSTEP_ARITHMETICS(GRADSTEP_ADD)
#undef GRADSTEP_ADD
    }
    return false;
  }

  // Whether the rows of a variable's sparse gradient can be summed where they repeat: so far in the arithmetic's
  // format.
  bool can_sum(const VariableUpdate& variable) const { return can_sum(variable, rule_number_); }
  static bool can_sum(const VariableUpdate& variable, size_t rule);

  // The same with a sparse gradient. The indices are copied. Returns the copy, good until the next call, for the caller
  // to check: each must be in [0, length / row_elements). nullptr where the other is false, or can_sum.
  [[nodiscard]] const int32_t* add(const VariableUpdate& variable, size_t row_elements, const int32_t* indices,
                                   size_t rows);

  // Takes all memory and sums rows that repeat; reads gradients, writes nothing of a variable. False: no memory.
  [[nodiscard]] bool prepare();

  // Steps all variables, over the thread pool. Nothing can fail any more.
  void run();

  void clear();

 private:
  // The variables whose steps are computed in T.
  template <class T> struct Part {
    StepRanges ranges{ArithmeticNamed<T>::value};
    SparseGradients<T> sparse;

    bool prepare(size_t rule, SparseRules rules);
    void run(size_t rule);
    void clear();
  };

  const double* hyper_of(const VariableUpdate& variable) const {
    return hyper_.data() + variable.group * rule_->hyper_count;
  }

  size_t rule_number_ = 0;
  const Rule* rule_ = scalar::kTable.rules;
  SparseRules sparse_rules_ = {};
  Buffer<double> hyper_;
#define GRADSTEP_PART(name, type) Part<type> name##_;
  GRADSTEP_ARITHMETICS(GRADSTEP_PART)
#undef GRADSTEP_PART
};

}  // namespace gradstep
