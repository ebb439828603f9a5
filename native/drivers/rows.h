// Work on the rows or columns of matrices [rows, columns]: sums, softmax and the losses built on it, gather, permute.
#pragma once
#include "../kernels/table.h"

namespace gradstep {

// x is [outer, reduced, inner], out is [outer, inner]: the sums over the middle, times scale. False, with nothing
// changed, when there is no memory.
template <class T> [[nodiscard]] bool sum(T* out, const T* x, size_t outer, size_t reduced, size_t inner, double scale);

// The row functions and their gradients, as kernels/list.h names them.
#define GRADSTEP_DECLARE(name, js_name) template <class T> void name(T* out, const T* x, size_t rows, size_t columns);
GRADSTEP_ROW(GRADSTEP_DECLARE)
#undef GRADSTEP_DECLARE
#define GRADSTEP_DECLARE(name, js_name) \
  template <class T> void name(T* dx, const T* dy, const T* y, size_t rows, size_t columns);
GRADSTEP_ROW_GRADIENT(GRADSTEP_DECLARE)
#undef GRADSTEP_DECLARE

template <class T>
void softmax_cross_entropy(T* loss, T* backprop, const T* labels, const T* logits, size_t rows, size_t columns);
template <class T>
void sparse_softmax_cross_entropy(T* loss, T* backprop, const int32_t* labels, const T* logits, size_t rows,
                                  size_t columns);
template <class T> void scale_rows(T* out, const T* x, const T* factors, size_t rows, size_t columns);

// out[i] = params[indices[i]], rows of `columns` elements
template <class T> void gather(T* out, const T* params, const int32_t* indices, size_t count, size_t columns);
// out[indices[i]] += values[i] * factor, in the order of i
template <class T>
void scatter_add(T* out, const T* values, const int32_t* indices, size_t count, size_t columns, double factor);

// out is contiguous with these dims; x is read with these strides (in elements)
template <class T> void permute(T* out, const T* x, size_t rank, const size_t* dims, const size_t* strides);

}  // namespace gradstep
