// Sums over whole lists of arrays: fixed blocks, summed in order. All are false when there is no memory.
#pragma once
#include <stddef.h>

namespace gradstep {

template <class T> struct Values {
  const T* data;
  size_t count;
  double factor;  // the values are `data * factor`
};

// sum = the sum of (data * factor)^2 over all arrays, in double.
template <class T> [[nodiscard]] bool sum_of_squares(const Values<T>* arrays, size_t count, double& sum);

// The same by block: array after array, each cut from its own start. `sums` has room for all blocks.
template <class T> [[nodiscard]] bool sums_of_squares(const Values<T>* arrays, size_t count, double* sums);

template <class T> [[nodiscard]] bool all_finite(const Values<T>* arrays, size_t count, bool& finite);

}  // namespace gradstep
