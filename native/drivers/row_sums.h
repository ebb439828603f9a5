// Sums of the rows of sparse gradients that come one after the other, as lib/accumulators/row-sums.ts adds them.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace gradstep {

// In memory that others keep; `positions` starts as all -1.
struct RowSums {
  int32_t* positions;  // of the whole variable's rows: where the sum of each is, -1: nowhere
  int32_t* order;      // the rows, in the order in which they came
  int32_t* at;         // for as many rows as come at one time, or are summed
  size_t count;        // of rows that are summed

  // Forgets what a run that was broken off has left behind.
  void clear();

  // Adds values * factor to the sums of their rows; that of one which comes for the first time must be zeros.
  template <class T>
  void add(T* sums, const T* values, const int32_t* rows, size_t row_count, size_t columns, double factor);

  // sorted = the sums in the order of their rows, in which `order` is from here on. Returns how many they are.
  template <class T> size_t take(T* sorted, const T* sums, size_t columns);
};

}  // namespace gradstep
