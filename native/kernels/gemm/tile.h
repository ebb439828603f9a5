// The tile of c that stays in registers while k runs, and the loop that computes it.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "../../simd/simd.h"

// kRows x kVectors sums, kVectors of b and one element of a must fit the register file. A panel of b has kDepth rows of
// 64 * kVectors bytes. One that the L1 cache does not hold comes from L2, with 512 bits 128 bytes in the 12 cycles that
// they are multiplied for: cheaper than to write and read c once more for each part of k. On Zen 5, against OpenBLAS,
// 2048^3 goes from 0.81 of its speed with 256 rows to 0.95 with 512 and 0.98 with 1024, 1024^3 from 0.90 to 0.99
// and 1.04. Packed blocks of kBytesOfA and kBytesOfB are in the L2 and L3 caches.
//
// Wide tiles of kWideRows x kWideVectors read fewer elements of a for as many sums, but twice as much of b: that is
// less work while the L1 cache holds a panel of it, of kWideDepth rows at most. On Sapphire Rapids 64^3 and 96^3 take
// 0.94 and 0.96 of the time (nn), and 64 x 784 x 256 would take 1.03.
namespace gradstep::gemm_tiles {
struct scalar {
  static constexpr size_t kRows = 4, kVectors = 1, kDepth = 256, kBytesOfA = 256u << 10, kBytesOfB = 2u << 20;
  static constexpr size_t kWideRows = 0, kWideVectors = 0, kWideDepth = 0;
};
struct avx2 {  // 12 + 2 + 1 of 16 ymm; half of a 512 KiB L2
  static constexpr size_t kRows = 6, kVectors = 1, kDepth = 320, kBytesOfA = 256u << 10, kBytesOfB = 2u << 20;
  static constexpr size_t kWideRows = 0, kWideVectors = 0, kWideDepth = 0;
};
struct avx512 {  // 24 + 2 + 1 of 32 zmm; half of a 1 MiB L2
  static constexpr size_t kRows = 12, kVectors = 2, kDepth = 1024, kBytesOfA = 512u << 10, kBytesOfB = 4u << 20;
  static constexpr size_t kWideRows = 6, kWideVectors = 4, kWideDepth = 96;
};
struct neon {  // 24 + 4 + 1 of 32 q
  static constexpr size_t kRows = 6, kVectors = 1, kDepth = 256, kBytesOfA = 256u << 10, kBytesOfB = 2u << 20;
  static constexpr size_t kWideRows = 0, kWideVectors = 0, kWideDepth = 0;
};
}  // namespace gradstep::gemm_tiles

namespace gradstep::SIMD_ISA {

using GemmTiles = gemm_tiles::SIMD_ISA;

// Element (row, p) of a: a[row * a_step + p], or a[p * a_step + row] in a tile that is not row-major.
// Row p of b: whole vectors at b + p * b_step.
template <class T> struct GemmOperands {
  const T* a;
  size_t a_step;
  const T* b;
  size_t b_step;
  // Null, or where to leave what was read, in the order in which other tiles will read it: kRows elements and kVectors
  // vectors for each p. The stores hide behind the multiplications; a pass of their own would not. Whole tiles only.
  T* copy_of_a;
  T* copy_of_b;
  // k may be so many segments, each as long, and these all so many times; from the end of one to the next are so many
  // elements, and from the end of all to the first of the next turn.
  size_t segments = 1, turns = 1;
  ptrdiff_t a_jump = 0, b_jump = 0, a_turn = 0, b_turn = 0;
};

// Where a tile's sums come from and go to.
template <class T> struct GemmCorner {
  T* c;
  size_t ldc, columns;  // columns of the tile that exist
  bool resume;          // start from c, not from +0
  const T* bias;        // one element per column, or per row; set for the last block of k only, as is relu
  bool bias_per_row, relu;
  T* next;  // the corner that comes next, where it has as many rows; otherwise c
};

// f(i, j) for every sum of a tile, unrolled so that the sums can be registers.
template <size_t kRows, size_t kVectors, class F> INL void gemm_each(F f) {
#pragma GCC unroll 16
  for (size_t i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (size_t j = 0; j < kVectors; ++j) f(i, j);
  }
}

template <class V, size_t kRows, size_t kVectors>
INL void gemm_start(V (&sum)[kRows][kVectors], const GemmCorner<typename V::Scalar>& from) {
  const auto* const c = from.c;
  const size_t ldc = from.ldc, last = from.columns - (kVectors - 1) * V::kLanes;  // lanes of the last vector that exist
  if (!from.resume) {
    gemm_each<kRows, kVectors>([&](size_t i, size_t j) ALWAYS_INLINE { sum[i][j] = V(0); });
  } else if (last == V::kLanes) {
    gemm_each<kRows, kVectors>([&](size_t i, size_t j)
                                   ALWAYS_INLINE { sum[i][j] = load(c + i * ldc + j * V::kLanes); });
  } else {
    gemm_each<kRows, kVectors>([&](size_t i, size_t j) ALWAYS_INLINE {
      const auto* const p = c + i * ldc + j * V::kLanes;
      sum[i][j] = j + 1 < kVectors ? load(p) : load(p, last);
    });
  }
}

template <class V, size_t kRows, size_t kVectors>
INL void gemm_finish(V (&sum)[kRows][kVectors], const GemmCorner<typename V::Scalar>& to) {
  auto* const c = to.c;
  const size_t ldc = to.ldc, last = to.columns - (kVectors - 1) * V::kLanes;
  if (to.bias && to.bias_per_row) {
    gemm_each<kRows, kVectors>([&](size_t i, size_t j) ALWAYS_INLINE { sum[i][j] = sum[i][j] + V(to.bias[i]); });
  } else if (to.bias) {
    gemm_each<kRows, kVectors>([&](size_t i, size_t j) ALWAYS_INLINE {
      const auto* const p = to.bias + j * V::kLanes;
      sum[i][j] = sum[i][j] + (j + 1 < kVectors ? load(p) : load(p, last));
    });
  }
  if (to.relu) {
    gemm_each<kRows, kVectors>([&](size_t i, size_t j)
                                   ALWAYS_INLINE { sum[i][j] = select(le(sum[i][j], V(0)), V(0), sum[i][j]); });
  }
  if (last == V::kLanes) {
    gemm_each<kRows, kVectors>([&](size_t i, size_t j)
                                   ALWAYS_INLINE { store(c + i * ldc + j * V::kLanes, sum[i][j]); });
  } else {
    gemm_each<kRows, kVectors>([&](size_t i, size_t j) ALWAYS_INLINE {
      auto* const p = c + i * ldc + j * V::kLanes;
      if (j + 1 < kVectors) store(p, sum[i][j]);
      else store(p, sum[i][j], last);
    });
  }
}

// Rows of b as it lies are lines apart: too far for the hardware to foresee. Nothing is prefetched that is not there:
// beyond an array there may be no memory, and to find that out takes longer than a small product.
constexpr size_t kGemmPrefetchRows = 16;

template <class V, size_t kRows, size_t kVectors, bool kRowMajor, bool kCopyA, bool kCopyB>
static __attribute__((noinline)) void gemm_tile(size_t k, const GemmOperands<typename V::Scalar>& from,
                                                const GemmCorner<typename V::Scalar>& to) {
  using T = typename V::Scalar;
  const T *a = from.a, *b = from.b;
  T *copy_of_a = from.copy_of_a, *copy_of_b = from.copy_of_b;
  const size_t a_step = from.a_step, b_step = from.b_step;
  V sum[kRows][kVectors];
  gemm_start(sum, to);
  // Sums are the first thing the next tile waits for, and short ones the last thing this one does.
  gemm_each<kRows, kVectors>([&](size_t i, size_t j)
                                 ALWAYS_INLINE { __builtin_prefetch(to.next + i * to.ldc + j * V::kLanes); });

  for (size_t turn = from.turns; turn > 0; --turn, a += from.a_turn, b += from.b_turn) {
    for (size_t left = from.segments; left > 0; --left, a += from.a_jump, b += from.b_jump) {
#pragma GCC unroll 4
      for (size_t p = 0; p < k; ++p) {
        V row[kVectors];
#pragma GCC unroll 4
        for (size_t j = 0; j < kVectors; ++j) {
          row[j] = load(b + j * V::kLanes);
          if (kCopyB) store(copy_of_b + j * V::kLanes, row[j]);
          if (kCopyB && p + kGemmPrefetchRows < k) __builtin_prefetch(b + kGemmPrefetchRows * b_step + j * V::kLanes);
        }
        if (kCopyA && !kRowMajor) __builtin_memcpy(copy_of_a, a, kRows * sizeof(T));
#pragma GCC unroll 16
        for (size_t i = 0; i < kRows; ++i) {
          const T x = a[kRowMajor ? i * a_step : i];
          if (kCopyA && kRowMajor) copy_of_a[i] = x;
#pragma GCC unroll 4
          for (size_t j = 0; j < kVectors; ++j) sum[i][j] = fma(V(x), row[j], sum[i][j]);
        }
        a += kRowMajor ? 1 : a_step;
        b += b_step;
        if (kCopyA) copy_of_a += kRows;
        if (kCopyB) copy_of_b += kVectors * V::kLanes;
      }
    }
  }
  gemm_finish(sum, to);
}

// The tile with this many rows and vectors, at most GemmTiles::kRows and GemmTiles::kVectors.
template <class V, bool kRowMajor, size_t kRows = GemmTiles::kRows, size_t kVectors = GemmTiles::kVectors>
static inline void gemm_tile_of(size_t rows, size_t vectors, size_t k, const GemmOperands<typename V::Scalar>& from,
                                const GemmCorner<typename V::Scalar>& to) {
  if constexpr (kVectors > 1) {
    if (vectors < kVectors) return gemm_tile_of<V, kRowMajor, kRows, kVectors - 1>(rows, vectors, k, from, to);
  }
  if constexpr (kRows > 1) {
    if (rows < kRows) return gemm_tile_of<V, kRowMajor, kRows - 1, kVectors>(rows, vectors, k, from, to);
  }
  if constexpr (kRows == GemmTiles::kRows && kVectors == GemmTiles::kVectors) {
    if (from.copy_of_a && from.copy_of_b) return gemm_tile<V, kRows, kVectors, kRowMajor, true, true>(k, from, to);
    if (from.copy_of_a) return gemm_tile<V, kRows, kVectors, kRowMajor, true, false>(k, from, to);
    if (from.copy_of_b) return gemm_tile<V, kRows, kVectors, kRowMajor, false, true>(k, from, to);
  }
  gemm_tile<V, kRows, kVectors, kRowMajor, false, false>(k, from, to);
}

// The wide tile with this many rows, at most GemmTiles::kWideRows. All of its vectors are whole.
template <class V, bool kRowMajor, size_t kRows = GemmTiles::kWideRows>
static inline void gemm_wide_tile_of(size_t rows, size_t k, const GemmOperands<typename V::Scalar>& from,
                                     const GemmCorner<typename V::Scalar>& to) {
  if constexpr (kRows > 1) {
    if (rows < kRows) return gemm_wide_tile_of<V, kRowMajor, kRows - 1>(rows, k, from, to);
  }
  gemm_tile<V, kRows, GemmTiles::kWideVectors, kRowMajor, false, false>(k, from, to);
}

}  // namespace gradstep::SIMD_ISA
