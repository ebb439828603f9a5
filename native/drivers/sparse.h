// A sparse gradient is rows and where they belong: values [n, row_elements], indices [n], repeated and unsorted.
#pragma once
#include <memory>
#include <vector>

#include "../kernels/table.h"

namespace gradstep {

template <class T> struct SparseRows {
  const T* values;
  const int32_t* indices;
  size_t count;
  size_t row_elements;
};

// What a rule does to a variable given such a gradient, as ranges for step(). Rows with the same index are summed
// first, in their order, as TensorFlow does; the sums live as long as this object.
template <class T> class SparseRanges {
 public:
  // `variable` has the whole variable's pointers, count and the gradient's factor. With `all_rows` the rows without a
  // gradient step too, with a gradient of zero; else nothing but the indexed rows is touched.
  void append(const Range<T>& variable, const SparseRows<T>& rows, bool all_rows, std::vector<Range<T>>& ranges);

  // The gradient as a dense one of `count` elements, for rules that must see a variable whole.
  const T* dense(const SparseRows<T>& rows, size_t count);

  void clear() { sums_.clear(); }

 private:
  struct Row {
    int32_t index;
    const T* gradient;
    bool summed;  // `gradient` is ours to add to
  };

  void merge(const SparseRows<T>& rows);
  const T* sum_of(const Row& row, const T* more, size_t n);

  std::vector<Row> rows_;          // distinct, in the order they first appear
  std::vector<uint32_t> buckets_;  // open addressing; position in rows_ plus one, 0 is free
  std::vector<std::unique_ptr<T[]>> sums_;
};

}  // namespace gradstep
