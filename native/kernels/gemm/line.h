// A product whose operands are read where they lie (GemmLine).
#pragma once
#include "../gemm_args.h"
#include "block.h"
#include "tile.h"

namespace gradstep::SIMD_ISA {

// Columns [first, end) in tiles of so many.
template <class V, size_t kVectors, size_t kRows>
static void gemm_line_in(const GemmLine<typename V::Scalar>& g, size_t first, size_t end) {
  using T = typename V::Scalar;
  constexpr size_t kColumns = kVectors * V::kLanes;
  const size_t height = gemm_part(g.m, kRows, 1);
  const size_t a_row = g.transpose_a ? 1 : g.a_step, a_next = g.transpose_a ? g.a_step : 1;
  const auto elements = [](size_t n) { return static_cast<ptrdiff_t>(n); };
  const ptrdiff_t a_jump = elements(g.a_segment) - elements(g.k * a_next);
  const ptrdiff_t b_jump = elements(g.b_segment) - elements(g.k * g.b_step);
  const ptrdiff_t a_turn = elements(g.a_turn) - elements(g.segments * g.a_segment);
  const ptrdiff_t b_turn = elements(g.b_turn) - elements(g.segments * g.b_segment);
  for (size_t j = first; j < end; j += kColumns) {
    const size_t width = gemm_least(end - j, kColumns), vectors = (width + V::kLanes - 1) / V::kLanes;
    for (size_t i = 0; i < g.m; i += height) {
      const size_t rows = gemm_least(g.m - i, height);
      T* const c = g.c + i * g.ldc + j;
      const T* const bias = g.bias ? g.bias + (g.bias_per_row ? i : j) : nullptr;
      const GemmCorner<T> to = {c, g.ldc, width, g.accumulate, bias, g.bias_per_row, g.activation == Activation::relu,
                                c};
      const GemmOperands<T> from = {g.a + i * a_row, g.a_step, g.b + j, g.b_step, nullptr, nullptr,
                                    g.segments,      g.turns,  a_jump,  b_jump,   a_turn,  b_turn};
      if constexpr (kVectors == GemmTiles::kWideVectors) {
        if (g.transpose_a) gemm_wide_tile_of<V, false>(rows, g.k, from, to);
        else gemm_wide_tile_of<V, true>(rows, g.k, from, to);
      } else {
        if (g.transpose_a) gemm_tile_of<V, false>(rows, vectors, g.k, from, to);
        else gemm_tile_of<V, true>(rows, vectors, g.k, from, to);
      }
    }
  }
}

// Few rows have wide tiles: otherwise they would wait for their sums.
template <class V> static void gemm_line(const GemmLine<typename V::Scalar>& g) {
  size_t j = 0;
  if constexpr (GemmTiles::kWideVectors > 0) {
    constexpr size_t kWide = GemmTiles::kWideVectors * V::kLanes;
    if (g.m <= GemmTiles::kWideRows) {
      j = g.n / kWide * kWide;
      gemm_line_in<V, GemmTiles::kWideVectors, GemmTiles::kWideRows>(g, 0, j);
    }
  }
  gemm_line_in<V, GemmTiles::kVectors, GemmTiles::kRows>(g, j, g.n);
}

}  // namespace gradstep::SIMD_ISA
