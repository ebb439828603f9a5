// Matrix multiplication on one thread: c in blocks, blocks in panels of columns, panels in tiles (gemm/tile.h);
// operands are packed where that pays. See gemm_args.h for what is computed.
#pragma once
#include "gemm/block.h"
#include "gemm/line.h"

namespace gradstep::SIMD_ISA {

template <class V> static void gemm_blocks(const Gemm<typename V::Scalar>& g, bool transpose_c) {
  using Scratch = GemmScratch<V>;
  const size_t row_part = gemm_part(g.m, Scratch::kBlockRows, Scratch::kRows);
  const size_t column_part = gemm_part(g.n, Scratch::kBlockColumns, Scratch::kColumns);
  const size_t depth_part = gemm_part(g.k, GemmTiles::kDepth, 1);

  for (size_t j = 0; j < g.n; j += column_part) {
    const GemmRange columns = {j, gemm_least(g.n - j, column_part)};
    size_t p = 0;
    do {  // once when k is 0: c becomes 0, or stays, and takes its bias and activation
      const GemmRange depth = {p, gemm_least(g.k - p, depth_part)};
      for (size_t i = 0; i < g.m; i += row_part)
        GemmBlock<V>(g, transpose_c, {i, gemm_least(g.m - i, row_part)}, columns, depth).run();
      p += depth_part;
    } while (p < g.k);
  }
}

// With few columns most lanes of a vector along them are empty. Then c^T = op(b)^T op(a)^T is less work: vectors run
// along the rows of c, and its tiles are transposed on their way out. It is less work also where b must be transposed
// and a must not, and a and c are small beside b. Work is counted in lanes of multiply-adds.
constexpr double kGemmTranspose = 3;  // an element transposed takes as long as this many

template <class V> static double gemm_work_straight(const Gemm<typename V::Scalar>& g) {
  const double packed = g.transpose_b ? double(g.n) * double(g.k) : 0;
  return double(g.m) * double(gemm_round_up(g.n, V::kLanes)) * double(g.k) + kGemmTranspose * packed;
}

template <class V> static double gemm_work_turned(const Gemm<typename V::Scalar>& g) {
  const double m = double(g.m), n = double(g.n), k = double(g.k);
  const double packed = g.transpose_a ? 0 : m * k;
  const double passes = 1 + 2 * double(g.k / GemmTiles::kDepth) + g.accumulate;  // of c, out and back in
  return n * double(gemm_round_up(g.m, V::kLanes)) * k + kGemmTranspose * (packed + passes * m * n);
}

template <class V> static double gemm_work(const Gemm<typename V::Scalar>& g) {
  const double straight = gemm_work_straight<V>(g), turned = gemm_work_turned<V>(g);
  return turned < straight ? turned : straight;
}

template <class V> static void gemm_whole(const Gemm<typename V::Scalar>& g) {
  if (gemm_work_straight<V>(g) <= gemm_work_turned<V>(g)) return gemm_blocks<V>(g, false);
  gemm_blocks<V>({g.n, g.m, g.k, g.b, g.ldb, !g.transpose_b, g.a, g.lda, !g.transpose_a, g.c, g.ldc, g.accumulate,
                  g.bias, g.activation, g.scratch, g.b_patches, g.a_patches, g.placement},
                 true);
}

template <class V> static void gemm(const Gemm<typename V::Scalar>& g) {
  // The columns after the last whole vector can be less work as a product of their own, turned.
  const size_t rest = g.n % V::kLanes, whole = g.n - rest;
  if (rest == 0 || whole == 0 || g.n > kGemmFewPanels * V::kLanes) return gemm_whole<V>(g);
  Gemm<typename V::Scalar> left = g, right = g;
  left.n = whole;
  right.n = rest;
  if (g.b_patches.images) (g.transpose_b ? right.b_patches.row : right.b_patches.column) += whole;
  else right.b += g.transpose_b ? whole * g.ldb : whole;
  right.c += whole;
  if (g.bias) right.bias += whole;
  if (gemm_work<V>(g) <= gemm_work<V>(left) + gemm_work<V>(right)) return gemm_whole<V>(g);
  gemm_whole<V>(left);
  gemm_whole<V>(right);
}

}  // namespace gradstep::SIMD_ISA
