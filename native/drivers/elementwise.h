// Element-wise functions over whole arrays, with broadcasting.
#pragma once
#include "../kernels/table.h"

namespace gradstep {

template <class T> void unary(size_t function, T* out, const T* x, size_t n);

template <class T> void binary(size_t function, T* out, const T* a, const T* b, Operands operands, size_t n);

// out is contiguous with `rank` dimensions, innermost last; a stride of 0 repeats. Adjacent dimensions that can be one
// are expected to be one, so that the innermost is as long as can be; its strides are 0 or 1.
constexpr size_t kMaxRank = 16;
struct Broadcast {
  size_t rank;
  size_t dims[kMaxRank], a_strides[kMaxRank], b_strides[kMaxRank];
};
template <class T> void binary(size_t function, T* out, const T* a, const T* b, const Broadcast& shape);

// out = the sum of all terms, from left to right
template <class T> void add_n(T* out, const T* const* terms, size_t count, size_t n);

template <class T> void scale(T* out, const T* x, double factor, size_t n);
template <class T> void add_scaled(T* out, const T* x, double factor, size_t n);
template <class T> void clip_by_value(T* out, const T* x, T low, T high, size_t n);

}  // namespace gradstep
