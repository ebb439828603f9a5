// What the kernels of attention are given.
#pragma once
#include <stddef.h>

namespace gradstep {

// A block of scores q k: some queries' rows, some keys' columns, from row to row `step` elements. A weight is
// exp(score scale + mask - top), over the sum of its row's.
template <class T> struct AttentionBlock {
  T* scores;  // of the forward pass they become weights not divided yet; of the way back those that are
  size_t rows, columns, step;
  T scale;
  const T* mask;  // null, or added; from row to row mask_step elements, which may be 0
  size_t mask_step;
  bool is_causal;
  ptrdiff_t seen;  // causal: row r sees the first seen + r columns, or none, or all
};

// A row's state while its blocks of keys come one after the other: the greatest score so far and the sum of weights
// relative to it. What has been summed up of the values is brought to a new maximum.
template <class T> struct AttentionState {
  T* top;
  double* sum;
  T* out;  // [rows, depth], from row to row out_step elements
  size_t out_step, depth;
  bool is_first;  // nothing has been summed up yet
};

// Of whole rows: the weights' maximum and 1 over their sum, and the sum of dy y.
template <class T> struct AttentionRowsGradient {
  T* dweights;  // gradients of weights, which become those of scores; as scores lie
  const T *top, *inverse, *dots;
};

}  // namespace gradstep
