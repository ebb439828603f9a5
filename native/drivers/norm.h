// Sums over whole lists of arrays: fixed blocks, summed in order.
#pragma once
#include <stddef.h>

namespace gradstep {

template <class T> struct Values {
  const T* data;
  size_t count;
  double factor;  // the values are `data * factor`
};

// The sum of (data * factor)^2 over all arrays, in double.
template <class T> double sum_of_squares(const Values<T>* arrays, size_t count);

template <class T> bool all_finite(const Values<T>* arrays, size_t count);

}  // namespace gradstep
