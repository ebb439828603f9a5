#include "sparse.h"

#include <string.h>

#include <algorithm>

#include "../runtime/dispatch.h"
#include "../runtime/shared_memory.h"

namespace gradstep {
namespace {

// More memory than this is given back after each step: allocating it anew takes little beside such a large step.
constexpr size_t kKeptBytes = size_t(64) << 20;

// At least two for each row, so that a free one is near.
size_t bucket_count(size_t rows) {
  size_t count = 16;
  while (count < 2 * rows) count *= 2;
  return count;
}

}  // namespace

template <class T> void SparseGradients<T>::clear() {
  gradients_.clear();
  indices_.clear();
  sums_.clear_keeping(kKeptBytes);
}

template <class T>
const int32_t* SparseGradients<T>::add(const Range& variable, const double* hyper, size_t row_elements,
                                       const int32_t* indices, size_t count) {
  const size_t first = indices_.size();
  if (!indices_.extend(std::max<size_t>(count, 1))) return nullptr;  // one more than none, so that there is an address
  copy_shared(indices_.data() + first, indices, count);
  if (!gradients_.add({variable, hyper, row_elements, first, count})) return nullptr;
  return indices_.data() + first;
}

template <class T> bool SparseGradients<T>::reserve(SparseRules rules, StepRanges& ranges) {
  size_t most_rows = 0, sums = 0, more_ranges = 0;
  for (const Gradient& gradient : gradients_) {
    most_rows = std::max(most_rows, gradient.count);
    // A sum takes two rows at least.
    sums += rules.whole ? gradient.variable.count : gradient.count / 2 * gradient.row_elements;
    more_ranges += rules.whole ? 1 : rules.all_rows ? 2 * gradient.count + 1 : gradient.count;
  }
  if (!ranges.reserve(more_ranges) || !sums_.reserve(sums)) return false;
  return rules.whole || (rows_.reserve(most_rows) && buckets_.reserve(bucket_count(most_rows)));
}

template <class T> void SparseGradients<T>::expand(SparseRules rules, StepRanges& ranges) {
  for (const Gradient& gradient : gradients_) {
    if (gradient.variable.count == 0 || (gradient.count == 0 && !rules.all_rows)) continue;
    if (rules.whole) {
      Range range = gradient.variable;
      range.gradient = dense(gradient);
      ranges.add_reserved(range, gradient.hyper);
    } else {
      merge(gradient);
      add_rows(gradient, rules.all_rows, ranges);
    }
  }
}

template <class T> const T* SparseGradients<T>::dense(const Gradient& gradient) {
  T* const sum = sums_.extend_reserved(gradient.variable.count);
  memset(sum, 0, gradient.variable.count * sizeof(T));
  const auto add_scaled = of<T>(kernels()).add_scaled;
  const int32_t* const indices = indices_.data() + gradient.first;
  const size_t n = gradient.row_elements;
  for (size_t i = 0; i < gradient.count; ++i) {
    add_scaled(sum + static_cast<size_t>(indices[i]) * n, gradient.values() + i * n, 1.0, n);
  }
  return sum;
}

template <class T> const T* SparseGradients<T>::sum_of(const Row& row, const T* more, size_t n) {
  T* sum = const_cast<T*>(row.gradient);
  if (!row.summed) {
    sum = sums_.extend_reserved(n);
    memcpy(sum, row.gradient, n * sizeof(T));
  }
  of<T>(kernels()).add_scaled(sum, more, 1.0, n);
  return sum;
}

template <class T> void SparseGradients<T>::merge(const Gradient& gradient) {
  const int32_t* const indices = indices_.data() + gradient.first;
  const size_t capacity = bucket_count(gradient.count), n = gradient.row_elements;
  buckets_.clear();
  uint32_t* const buckets = buckets_.extend_reserved(capacity);
  memset(buckets, 0, capacity * sizeof(uint32_t));
  rows_.clear();
  for (size_t i = 0; i < gradient.count; ++i) {
    const int32_t index = indices[i];
    const T* const values = gradient.values() + i * n;
    // Fibonacci hashing: neighbouring indices land far apart
    size_t bucket = (static_cast<uint32_t>(index) * uint64_t{11400714819323198485u} >> 32) & (capacity - 1);
    while (buckets[bucket] != 0 && rows_[buckets[bucket] - 1].index != index) bucket = (bucket + 1) & (capacity - 1);
    if (buckets[bucket] == 0) {
      rows_.add_reserved({index, values, false});
      buckets[bucket] = static_cast<uint32_t>(rows_.size());
    } else {
      Row& row = rows_[buckets[bucket] - 1];
      row.gradient = sum_of(row, values, n);
      row.summed = true;
    }
  }
}

template <class T> void SparseGradients<T>::add_rows(const Gradient& gradient, bool all_rows, StepRanges& ranges) {
  const Range& variable = gradient.variable;
  const auto add = [&](size_t begin, size_t end, const T* values) {
    Range& range = ranges.add_reserved(gradient.hyper);
    set_part(range, variable, begin, end);
    range.gradient = values;
  };
  if (all_rows) {
    std::sort(rows_.begin(), rows_.end(), [](const Row& a, const Row& b) { return a.index < b.index; });
  }
  size_t done = 0;
  for (const Row& row : rows_) {
    const size_t begin = static_cast<size_t>(row.index) * gradient.row_elements;
    if (all_rows && begin > done) add(done, begin, nullptr);
    add(begin, begin + gradient.row_elements, row.gradient);
    done = begin + gradient.row_elements;
  }
  if (all_rows && done < variable.count) add(done, variable.count, nullptr);
}

template class SparseGradients<float>;
template class SparseGradients<double>;

}  // namespace gradstep
