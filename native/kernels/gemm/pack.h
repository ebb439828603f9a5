// Panels of b in the order in which tiles read them, and transposition.
#pragma once
#include <stddef.h>

#include "../../simd/simd.h"

// Squares of 4 x 4 elements that are transposed at a time, below each other: of floats, what one register has room for.
namespace gradstep::gemm_squares {
constexpr size_t scalar = 1, neon = 1, avx2 = 2, avx512 = 4;
}  // namespace gradstep::gemm_squares

namespace gradstep::SIMD_ISA {

template <size_t... i> struct GemmIndices {};
template <size_t kCount> struct GemmLanes;
template <> struct GemmLanes<4> { using Type = GemmIndices<0, 1, 2, 3>; };
template <> struct GemmLanes<8> { using Type = GemmIndices<0, 1, 2, 3, 4, 5, 6, 7>; };
template <> struct GemmLanes<16> { using Type = GemmIndices<0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15>; };

// Vectors of `kCount` elements, in squares of four. Plain data movement, so the compiler's own do for every instruction
// set.
template <class T, size_t kCount> struct GemmRow {
  typedef T Vector __attribute__((vector_size(kCount * sizeof(T))));
  Vector v;

  // Four elements of each fourth row.
  static ALWAYS_INLINE GemmRow load(const T* from, size_t square_step) {
    if constexpr (kCount == 4) {
      GemmRow row;
      __builtin_memcpy(&row.v, from, sizeof row.v);
      return row;
    } else {
      const auto first = GemmRow<T, kCount / 2>::load(from, square_step);
      const auto second = GemmRow<T, kCount / 2>::load(from + kCount / 8 * square_step, square_step);
      return both(first.v, second.v, typename GemmLanes<kCount>::Type());
    }
  }
  ALWAYS_INLINE void store(T* to) const { __builtin_memcpy(to, &v, sizeof v); }

  // Square by square: elements k and k + 1 of this and `other` by turns; two of each, from the k-th on.
  template <size_t k> ALWAYS_INLINE GemmRow zipped(const GemmRow& other) const {
    return zipped<k>(other, typename GemmLanes<kCount>::Type());
  }
  template <size_t k> ALWAYS_INLINE GemmRow joined(const GemmRow& other) const {
    return joined<k>(other, typename GemmLanes<kCount>::Type());
  }

 private:
  template <class Half, size_t... i> static ALWAYS_INLINE GemmRow both(Half first, Half second, GemmIndices<i...>) {
    return {__builtin_shufflevector(first, second, i...)};
  }
  template <size_t k, size_t... i> ALWAYS_INLINE GemmRow zipped(const GemmRow& other, GemmIndices<i...>) const {
    return {__builtin_shufflevector(v, other.v, (i / 4 * 4 + k + i % 4 / 2 + i % 2 * kCount)...)};
  }
  template <size_t k, size_t... i> ALWAYS_INLINE GemmRow joined(const GemmRow& other, GemmIndices<i...>) const {
    return {__builtin_shufflevector(v, other.v, (i / 4 * 4 + k + i % 2 + i % 4 / 2 * kCount)...)};
  }
};

// Four columns of kCount rows become four rows.
template <size_t kCount, class T> INL void gemm_transpose_four(T* to, size_t to_step, const T* from, size_t from_step) {
  using Row = GemmRow<T, kCount>;
  const size_t square = 4 * from_step;
  const Row r0 = Row::load(from, square), r1 = Row::load(from + from_step, square);
  const Row r2 = Row::load(from + 2 * from_step, square), r3 = Row::load(from + 3 * from_step, square);
  const Row low01 = r0.template zipped<0>(r1), high01 = r0.template zipped<2>(r1);
  const Row low23 = r2.template zipped<0>(r3), high23 = r2.template zipped<2>(r3);
  low01.template joined<0>(low23).store(to);
  low01.template joined<2>(low23).store(to + to_step);
  high01.template joined<0>(high23).store(to + 2 * to_step);
  high01.template joined<2>(high23).store(to + 3 * to_step);
}

// to[columns, rows] = from[rows, columns] transposed: a line of each row at a time, so that lines of `to` are written
// whole. Rows and columns that are left over have squares that reach back over some that are done.
template <class T>
static __attribute__((noinline)) void gemm_transpose(T* to, size_t to_step, const T* from, size_t from_step,
                                                     size_t rows, size_t columns) {
  constexpr size_t kLine = 64 / sizeof(T), kHigh = 4 * (sizeof(T) == 4 ? gemm_squares::SIMD_ISA : 1);
  if (rows < 4 || columns < 4) {
    for (size_t i = 0; i < rows; ++i)
      for (size_t j = 0; j < columns; ++j) to[j * to_step + i] = from[i * from_step + j];
    return;
  }
  const auto last = [](size_t n, size_t at) { return at + 4 <= n ? at : n - 4; };
  for (size_t line = 0; line < columns; line += kLine) {
    const size_t end = line + kLine < columns ? line + kLine : columns;
    size_t i = 0;
    for (; i + kHigh <= rows; i += kHigh)
      for (size_t next = line; next < end; next += 4) {
        const size_t j = last(end, next);
        gemm_transpose_four<kHigh>(to + j * to_step + i, to_step, from + i * from_step + j, from_step);
      }
    for (; i < rows; i += 4)
      for (size_t next = line; next < end; next += 4) {
        const size_t j = last(end, next), row = last(rows, i);
        gemm_transpose_four<4>(to + j * to_step + row, to_step, from + row * from_step + j, from_step);
      }
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
