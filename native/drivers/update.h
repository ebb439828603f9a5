// A step of one rule over any number of variables: it has copies of all that it needs, so it can be put together in one
// place and run in another, while the next one is put together.
#pragma once
#include "sparse.h"
#include "step.h"

namespace gradstep {

// A variable with its gradient. What the pointers point to must stay until the step has run.
struct VariableUpdate {
  bool is_float64;
  size_t group;
  size_t length;
  double factor;           // the gradient is `gradient * factor`
  const void* gradient;    // [length], or of a sparse one [rows, row_elements]
  void* param;             // [length], overlapping nothing else, as the slots
  void* slots[kMaxSlots];  // each [length]; as many as the rule has
};

template <class T> Range<T> range_of(const VariableUpdate& variable, size_t slot_count) {
  Range<T> range = {};
  range.param = static_cast<T*>(variable.param);
  range.gradient = static_cast<const T*>(variable.gradient);
  for (size_t k = 0; k < slot_count; ++k) range.slots[k] = static_cast<T*>(variable.slots[k]);
  range.factor = variable.factor;
  range.count = variable.length;
  return range;
}

// start(), add() any number of times, prepare(), run(), clear(). An update that was cleared, or that failed, can be
// started again and finds its memory where it was: steps that are all alike allocate nothing.
class Update {
 public:
  // Forgets what there was. `hyper` has the rule's hyperparameters for each group and is copied. With `all_rows` the
  // rows of a variable without a sparse gradient step too, with a gradient of zero. False when there is no memory.
  [[nodiscard]] bool start(size_t rule, bool all_rows, const double* hyper, size_t groups);

  // False when there is no memory. Variables of one group should follow each other. (Inline, as half of a step of
  // 10,000 small variables is to list them.)
  [[nodiscard]] bool add(const VariableUpdate& variable) {
    if (variable.length == 0) return true;
    const double* const hyper = hyper_of(variable);
    return variable.is_float64 ? float64_.ranges.add(range_of<double>(variable, slot_count_), hyper)
                               : float32_.ranges.add(range_of<float>(variable, slot_count_), hyper);
  }

  // The same with a sparse gradient. The indices are copied. Returns the copy, good until the next call, for the caller
  // to check: each must be in [0, length / row_elements). nullptr when there is no memory.
  [[nodiscard]] const int32_t* add(const VariableUpdate& variable, size_t row_elements, const int32_t* indices,
                                   size_t rows);

  // Takes all memory and sums rows that repeat; reads gradients, writes nothing of a variable. False: no memory.
  [[nodiscard]] bool prepare();

  // Steps all variables, over the thread pool. Nothing can fail any more.
  void run();

  void clear();

 private:
  // The variables of one dtype.
  template <class T> struct Part {
    StepRanges<T> ranges;
    SparseGradients<T> sparse;

    bool prepare(size_t rule, SparseRules rules);
    void clear();
  };

  const double* hyper_of(const VariableUpdate& variable) const { return hyper_.data() + variable.group * hyper_count_; }

  size_t rule_ = 0, hyper_count_ = 0, slot_count_ = 0;
  SparseRules sparse_rules_ = {};
  Buffer<double> hyper_;
  Part<float> float32_;
  Part<double> float64_;
};

}  // namespace gradstep
