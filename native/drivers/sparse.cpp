#include "sparse.h"

#include <string.h>

#include <algorithm>

#include "../runtime/dispatch.h"

namespace gradstep {

template <class T> const T* SparseRanges<T>::sum_of(const Row& row, const T* more, size_t n) {
  T* sum = const_cast<T*>(row.gradient);
  if (!row.summed) {
    sums_.emplace_back(new T[n]);
    sum = sums_.back().get();
    memcpy(sum, row.gradient, n * sizeof(T));
  }
  of<T>(kernels()).add_scaled(sum, more, 1.0, n);
  return sum;
}

template <class T> void SparseRanges<T>::merge(const SparseRows<T>& rows) {
  size_t capacity = 16;
  while (capacity < 2 * rows.count) capacity *= 2;
  buckets_.assign(capacity, 0);
  rows_.clear();
  for (size_t i = 0; i < rows.count; ++i) {
    const int32_t index = rows.indices[i];
    const T* const gradient = rows.values + i * rows.row_elements;
    // Fibonacci hashing: neighbouring indices land far apart
    size_t bucket = (static_cast<uint32_t>(index) * uint64_t{11400714819323198485u} >> 32) & (capacity - 1);
    while (buckets_[bucket] != 0 && rows_[buckets_[bucket] - 1].index != index) bucket = (bucket + 1) & (capacity - 1);
    if (buckets_[bucket] == 0) {
      rows_.push_back({index, gradient, false});
      buckets_[bucket] = static_cast<uint32_t>(rows_.size());
    } else {
      Row& row = rows_[buckets_[bucket] - 1];
      row.gradient = sum_of(row, gradient, rows.row_elements);
      row.summed = true;
    }
  }
}

template <class T>
void SparseRanges<T>::append(const Range<T>& variable, const SparseRows<T>& rows, bool all_rows,
                             std::vector<Range<T>>& ranges) {
  const auto add = [&](size_t begin, size_t end, const T* gradient) {
    Range<T> range = variable;
    range.param += begin;
    for (T*& slot : range.slots) {
      if (slot != nullptr) slot += begin;
    }
    range.gradient = gradient;
    range.count = end - begin;
    ranges.push_back(range);
  };
  merge(rows);
  if (all_rows) {
    std::sort(rows_.begin(), rows_.end(), [](const Row& a, const Row& b) { return a.index < b.index; });
  }
  size_t done = 0;
  for (const Row& row : rows_) {
    const size_t begin = static_cast<size_t>(row.index) * rows.row_elements;
    if (all_rows && begin > done) add(done, begin, nullptr);
    add(begin, begin + rows.row_elements, row.gradient);
    done = begin + rows.row_elements;
  }
  if (all_rows && done < variable.count) add(done, variable.count, nullptr);
}

template <class T> const T* SparseRanges<T>::dense(const SparseRows<T>& rows, size_t count) {
  sums_.emplace_back(new T[count]());
  T* const sum = sums_.back().get();
  for (size_t i = 0; i < rows.count; ++i) {
    T* const row = sum + static_cast<size_t>(rows.indices[i]) * rows.row_elements;
    of<T>(kernels()).add_scaled(row, rows.values + i * rows.row_elements, 1.0, rows.row_elements);
  }
  return sum;
}

template class SparseRanges<float>;
template class SparseRanges<double>;

}  // namespace gradstep
