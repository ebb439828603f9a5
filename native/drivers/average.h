// Moving averages of whole lists of arrays.
#pragma once
#include <stddef.h>

namespace gradstep {

template <class T> struct Average {
  T* average;
  const T* value;
  size_t count;
};

// average -= (average - value) * rate, for every pair. False, with nothing changed, when there is no memory.
template <class T> [[nodiscard]] bool move_toward(const Average<T>* averages, size_t count, double rate);

}  // namespace gradstep
