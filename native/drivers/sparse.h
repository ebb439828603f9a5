// Sparse gradients: rows and where they belong, values [n, row_elements] and indices [n], repeated and unsorted. Rows
// with the same index are summed first, in their order, as TensorFlow does.
#pragma once
#include "../runtime/buffer.h"
#include "step.h"

namespace gradstep {

// How a rule treats sparse gradients.
struct SparseRules {
  bool all_rows;  // rows without a gradient step too, with a gradient of zero; else only indexed rows are touched
  bool whole;     // the rule must see a variable whole, so its gradient is made dense
};

// Sparse gradients of one step, stored as T and stepped in T, and the sums that their ranges refer to.
template <class T> class SparseGradients {
 public:
  void clear();
  bool empty() const { return gradients_.empty(); }

  // `variable` is the whole variable, its gradient the values; the indices are copied. Returns the copy, good until the
  // next call, for the caller to check: each must be in [0, variable.count / row_elements). nullptr: no memory.
  const int32_t* add(const Range& variable, const double* hyper, size_t row_elements, const int32_t* indices,
                     size_t count);

  // Takes all memory that expand() needs, in `ranges` too. False when there is none.
  [[nodiscard]] bool reserve(SparseRules rules, StepRanges& ranges);

  // Adds to `ranges` what the rule has to do, and sums rows that repeat.
  void expand(SparseRules rules, StepRanges& ranges);

 private:
  struct Gradient {
    Range variable;
    const double* hyper;
    size_t row_elements, first, count;  // indices_[first] and on

    const T* values() const { return static_cast<const T*>(variable.gradient); }
  };
  struct Row {
    int32_t index;
    const T* gradient;
    bool summed;  // `gradient` is ours to add to
  };

  void merge(const Gradient& gradient);
  const T* sum_of(const Row& row, const T* more, size_t n);
  const T* dense(const Gradient& gradient);
  void add_rows(const Gradient& gradient, bool all_rows, StepRanges& ranges);

  Buffer<Gradient> gradients_;
  Buffer<int32_t> indices_;
  Buffer<Row> rows_;          // of one gradient: distinct, in the order they first appear
  Buffer<uint32_t> buckets_;  // of one gradient: open addressing; position in rows_ plus one, 0 is free
  Buffer<T> sums_;
};

}  // namespace gradstep
