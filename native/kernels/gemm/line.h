// A product whose operands are read where they lie (GemmLine).
#pragma once
#include "../gemm_args.h"
#include "block.h"
#include "tile.h"

namespace gradstep::SIMD_ISA {

template <class V> static void gemm_line(const GemmLine<typename V::Scalar>& g) {
  using T = typename V::Scalar;
  constexpr size_t kColumns = GemmTiles::kVectors * V::kLanes;
  const size_t height = gemm_part(g.m, GemmTiles::kRows, 1);
  const size_t a_row = g.transpose_a ? 1 : g.a_step, a_next = g.transpose_a ? g.a_step : 1;
  const auto jump = [&](size_t segment, size_t step) {
    return static_cast<ptrdiff_t>(segment) - static_cast<ptrdiff_t>(g.k * step);
  };
  for (size_t j = 0; j < g.n; j += kColumns) {
    const size_t width = gemm_least(g.n - j, kColumns), vectors = (width + V::kLanes - 1) / V::kLanes;
    for (size_t i = 0; i < g.m; i += height) {
      const size_t rows = gemm_least(g.m - i, height);
      T* const c = g.c + i * g.ldc + j;
      const GemmCorner<T> to = {
          c, g.ldc, width, g.accumulate, g.bias ? g.bias + j : nullptr, false, g.activation == Activation::relu, c};
      const GemmOperands<T> from = {g.a + i * a_row,
                                    g.a_step,
                                    g.b + j,
                                    g.b_step,
                                    nullptr,
                                    nullptr,
                                    g.segments,
                                    jump(g.a_segment, a_next),
                                    jump(g.b_segment, g.b_step)};
      if (g.transpose_a) gemm_tile_of<V, false>(rows, vectors, g.k, from, to);
      else gemm_tile_of<V, true>(rows, vectors, g.k, from, to);
    }
  }
}

}  // namespace gradstep::SIMD_ISA
