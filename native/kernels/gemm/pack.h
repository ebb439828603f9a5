// Panels of b in the order in which tiles read them, and transposition.
#pragma once
#include <stddef.h>

#include "../../simd/simd.h"

namespace gradstep::SIMD_ISA {

// Four rows of four elements become four columns. Plain data movement, so the compiler's own vectors of four do for
// every instruction set.
template <class T> static inline void gemm_transpose_4x4(T* to, size_t to_step, const T* from, size_t from_step) {
  typedef T Four __attribute__((vector_size(4 * sizeof(T))));
  Four r0, r1, r2, r3;
  __builtin_memcpy(&r0, from, sizeof r0);
  __builtin_memcpy(&r1, from + from_step, sizeof r1);
  __builtin_memcpy(&r2, from + 2 * from_step, sizeof r2);
  __builtin_memcpy(&r3, from + 3 * from_step, sizeof r3);
  const Four low01 = __builtin_shufflevector(r0, r1, 0, 4, 1, 5), high01 = __builtin_shufflevector(r0, r1, 2, 6, 3, 7);
  const Four low23 = __builtin_shufflevector(r2, r3, 0, 4, 1, 5), high23 = __builtin_shufflevector(r2, r3, 2, 6, 3, 7);
  r0 = __builtin_shufflevector(low01, low23, 0, 1, 4, 5);
  r1 = __builtin_shufflevector(low01, low23, 2, 3, 6, 7);
  r2 = __builtin_shufflevector(high01, high23, 0, 1, 4, 5);
  r3 = __builtin_shufflevector(high01, high23, 2, 3, 6, 7);
  __builtin_memcpy(to, &r0, sizeof r0);
  __builtin_memcpy(to + to_step, &r1, sizeof r1);
  __builtin_memcpy(to + 2 * to_step, &r2, sizeof r2);
  __builtin_memcpy(to + 3 * to_step, &r3, sizeof r3);
}

// to[columns, rows] = from[rows, columns] transposed: a line of each row at a time, so that lines of `to` are written
// whole.
template <class T>
static void gemm_transpose(T* to, size_t to_step, const T* from, size_t from_step, size_t rows, size_t columns) {
  constexpr size_t kLine = 64 / sizeof(T);
  for (size_t line = 0; line < columns; line += kLine) {
    const size_t end = line + kLine < columns ? line + kLine : columns;
    size_t i = 0;
    for (; i + 4 <= rows; i += 4) {
      size_t j = line;
      for (; j + 4 <= end; j += 4)
        gemm_transpose_4x4(to + j * to_step + i, to_step, from + i * from_step + j, from_step);
      for (; j < end; ++j)
        for (size_t r = i; r < i + 4; ++r) to[j * to_step + r] = from[r * from_step + j];
    }
    for (; i < rows; ++i)
      for (size_t j = line; j < end; ++j) to[j * to_step + i] = from[i * from_step + j];
  }
}

// to[depth, width] = from[columns, depth] transposed, zeros from `columns` to `width`.
template <class T>
static void gemm_pack_transposed(T* to, const T* from, size_t ld, size_t depth, size_t columns, size_t width) {
  gemm_transpose(to, width, from, ld, columns, depth);
  for (size_t p = 0; p < depth && columns < width; ++p)
    for (size_t j = columns; j < width; ++j) to[p * width + j] = T(0);
}

// to[depth, width] = from[depth, columns], zeros from `columns` to `width`.
template <class V>
static void gemm_pack_straight(typename V::Scalar* to, const typename V::Scalar* from, size_t ld, size_t depth,
                               size_t columns, size_t width) {
  for (size_t p = 0; p < depth; ++p, to += width) {
    const auto* const row = from + p * ld;  // of rows that are there: one beyond the last may have no address
    size_t j = 0;
    for (; j + V::kLanes <= columns; j += V::kLanes) store(to + j, load(row + j));
    if (j < columns) store(to + j, load(row + j, columns - j));
  }
}

}  // namespace gradstep::SIMD_ISA
