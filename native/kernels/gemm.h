#pragma once
// Matrix multiplication on one thread: c in blocks, each block in tiles (gemm/tile.h), operands packed where that pays
// (gemm/pack.h). See gemm_args.h for what is computed.
#include "gemm/pack.h"
#include "gemm/tile.h"
#include "gemm_args.h"

namespace gradstep::SIMD_ISA {

// A panel of b lives in the L1 cache, a block of a in the L2 cache, a block of b in the L3 cache.
constexpr size_t kGemmBytesOfA = 256u << 10;  // half of a 512 KiB L2
constexpr size_t kGemmBytesOfB = 2u << 20;

// Splits `total` evenly into the fewest parts of at most `limit`; a part is a multiple of `step`, as `limit` is.
static inline size_t gemm_part(size_t total, size_t limit, size_t step) {
  const size_t parts = total <= limit ? 1 : (total + limit - 1) / limit;
  return ((total + parts - 1) / parts + step - 1) / step * step;
}

struct GemmRange { size_t begin, size; };

static inline size_t gemm_least(size_t x, size_t y) { return x < y ? x : y; }

// The rows x columns block of c over one range of k. `first_rows`: the panels of b are not packed yet.
template <class V>
static void gemm_block(const Gemm<typename V::Scalar>& g, GemmRange rows, GemmRange columns, GemmRange depth, bool first_rows) {
  using T = typename V::Scalar;
  constexpr size_t kRows = GemmTiles::kRows, kColumns = GemmTiles::kVectors * V::kLanes;
  const size_t k = depth.size;
  T* const packed_b = static_cast<T*>(g.scratch);
  T* const packed_a = packed_b + kGemmBytesOfB / sizeof(T);
  const bool last = depth.begin + k == g.k;
  const bool pack_a = columns.size > 128;

  for (size_t j = 0; j < columns.size; j += kColumns) {
    const size_t column = columns.begin + j, width = gemm_least(columns.size - j, kColumns);
    const size_t vectors = (width + V::kLanes - 1) / V::kLanes, whole = vectors * V::kLanes;
    const T* b = g.b + (g.transpose_b ? column * g.ldb + depth.begin : depth.begin * g.ldb + column);
    size_t b_step = g.ldb;
    T* const panel = packed_b + j * k;
    const bool pack_b = g.transpose_b || width < whole || g.m > kRows;
    const bool copy_b = !g.transpose_b && width == kColumns && first_rows && pack_b && rows.size > kRows;
    if (pack_b && !copy_b) {
      if (first_rows && g.transpose_b) gemm_pack_transposed(panel, b, g.ldb, k, width, whole);
      else if (first_rows) gemm_pack_straight<V>(panel, b, g.ldb, k, width, whole);
      b = panel;
      b_step = whole;
    }
    for (size_t i = 0; i < rows.size; i += kRows) {
      const size_t row = rows.begin + i, height = gemm_least(rows.size - i, kRows);
      const GemmCorner<T> to = {g.c + row * g.ldc + column, g.ldc, width, g.accumulate || depth.begin > 0,
                                last && g.bias ? g.bias + column : nullptr, last && g.activation == Activation::relu};
      GemmOperands<T> from = {nullptr, g.lda, b, b_step, pack_a && j == 0 && height == kRows ? packed_a + i * k : nullptr, copy_b && i == 0 ? panel : nullptr};
      if (copy_b && i > 0) from.b = panel, from.b_step = kColumns;
      if (pack_a && j > 0 && height == kRows) {
        from.a = packed_a + i * k;
        from.a_step = kRows;
        gemm_tile_of<V, false>(height, vectors, k, from, to);
      } else if (g.transpose_a) {
        from.a = g.a + depth.begin * g.lda + row;
        gemm_tile_of<V, false>(height, vectors, k, from, to);
      } else {
        from.a = g.a + row * g.lda + depth.begin;
        gemm_tile_of<V, true>(height, vectors, k, from, to);
      }
    }
  }
}

template <class V>
static void gemm(const Gemm<typename V::Scalar>& g) {
  using T = typename V::Scalar;
  constexpr size_t kRows = GemmTiles::kRows, kColumns = GemmTiles::kVectors * V::kLanes, kDepth = GemmTiles::kDepth;
  constexpr size_t kBlockRows = kGemmBytesOfA / sizeof(T) / kDepth / kRows * kRows;
  constexpr size_t kBlockColumns = kGemmBytesOfB / sizeof(T) / kDepth / kColumns * kColumns;
  static_assert(kGemmBytesOfA + kGemmBytesOfB <= kGemmScratchBytes, "packed blocks fit the scratch memory");

  const size_t row_part = gemm_part(g.m, kBlockRows, kRows);
  const size_t column_part = gemm_part(g.n, kBlockColumns, kColumns);
  const size_t depth_part = gemm_part(g.k, kDepth, 1);
  for (size_t j = 0; j < g.n; j += column_part) {
    const GemmRange columns = {j, gemm_least(g.n - j, column_part)};
    size_t p = 0;
    do {  // once when k is 0: c becomes 0, or stays, and takes its bias and activation
      const GemmRange depth = {p, gemm_least(g.k - p, depth_part)};
      for (size_t i = 0; i < g.m; i += row_part)
        gemm_block<V>(g, {i, gemm_least(g.m - i, row_part)}, columns, depth, i == 0);
      p += depth_part;
    } while (p < g.k);
  }
}

}  // namespace gradstep::SIMD_ISA
