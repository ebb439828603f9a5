// Arrays of any number of dimensions, walked through in the order of one of them.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "elementwise.h"

namespace gradstep {

// Dimensions, the outermost first: how many elements each has, and how far the next one lies in each of two arrays.
struct Walk {
  size_t rank = 0;
  size_t dims[kMaxRank];
  ptrdiff_t out[kMaxRank], x[kMaxRank];

  // Adds an inner dimension; those that both arrays run through as one become one.
  void add(size_t dim, ptrdiff_t out_step, ptrdiff_t x_step);
  // Whether there is nothing to walk through.
  bool is_empty() const;
};

// out = x, elements of 1, 4 or 8 bytes.
template <class E> void strided_copy(E* out, const E* x, const Walk& walk);
// out += x. No two elements lie at one place of out.
template <class T> void strided_add(T* out, const T* x, const Walk& walk);

}  // namespace gradstep
