// A block of c over a part of k: its operands are found, packed or gathered, and its tiles computed.
#pragma once
#include "../../simd/simd.h"
#include "../gemm_args.h"
#include "gather.h"
#include "pack.h"
#include "place.h"
#include "tile.h"

namespace gradstep::SIMD_ISA {

// Up to this many panels read a where it lies. For more, the tiles of the first panel leave a packed copy for the
// others.
constexpr size_t kGemmFewPanels = 8;

// A b of at most so many bytes stays in the L1 cache, and is read where it lies: on Zen 5 64^3 takes 0.98 and 96^3 0.97
// of the time that it takes with copies.
constexpr size_t kGemmBytesNear = 40 << 10;

static inline size_t gemm_least(size_t x, size_t y) { return x < y ? x : y; }
static inline size_t gemm_round_up(size_t x, size_t step) { return (x + step - 1) / step * step; }

// Splits `total` evenly into the fewest parts of at most `limit`; a part is a multiple of `step`, as `limit` is.
static inline size_t gemm_part(size_t total, size_t limit, size_t step) {
  const size_t parts = total <= limit ? 1 : (total + limit - 1) / limit;
  return gemm_round_up((total + parts - 1) / parts, step);
}

// The scratch memory: packed panels of b, packed tiles of a, gathered rows of a, and of one panel of b. Gathering
// writes up to a vector more.
template <class V> struct GemmScratch {
  using T = typename V::Scalar;
  static constexpr size_t kRows = GemmTiles::kRows, kColumns = GemmTiles::kVectors * V::kLanes;
  static constexpr size_t kBlockRows = GemmTiles::kBytesOfA / sizeof(T) / GemmTiles::kDepth / kRows * kRows;
  static constexpr size_t kBlockColumns = GemmTiles::kBytesOfB / sizeof(T) / GemmTiles::kDepth / kColumns * kColumns;
  static constexpr size_t kSlack = V::kLanes;
  static constexpr size_t kPackedA = GemmTiles::kBytesOfB / sizeof(T) + kSlack;
  static constexpr size_t kGatheredA = kPackedA + GemmTiles::kBytesOfA / sizeof(T);

  // Elements from one gathered row to the next: a vector more, and an odd number of them, so that rows do not share
  // places of the cache.
  static constexpr size_t step(size_t elements) { return ((elements / V::kLanes + 2) | 1) * V::kLanes; }

  static constexpr size_t larger(size_t x, size_t y) { return x > y ? x : y; }
  static constexpr size_t kOfA = larger(kBlockRows * step(GemmTiles::kDepth), GemmTiles::kDepth* step(kBlockRows));
  static constexpr size_t kOfB = larger(kColumns * step(GemmTiles::kDepth), GemmTiles::kDepth* step(kColumns));
  static constexpr size_t kGatheredB = kGatheredA + kOfA + kSlack;
  static constexpr size_t kEnd = kGatheredB + kOfB + kSlack;
  static_assert(kEnd * sizeof(T) <= kGemmScratchBytes, "packed and gathered blocks fit the scratch memory");
};

struct GemmRange { size_t begin, size; };

// Rows x columns of c over one range of k.
template <class V> struct GemmBlock {
  using T = typename V::Scalar;
  using Scratch = GemmScratch<V>;
  static constexpr size_t kRows = Scratch::kRows, kColumns = Scratch::kColumns;
  static constexpr size_t kWideColumns = GemmTiles::kWideVectors * V::kLanes;

  const Gemm<T>& g;
  bool transpose_c;
  GemmRange rows, columns, depth;
  bool first_rows;  // this block packs b; those below use it again
  const T* a;       // the block's corner
  size_t lda;

  GemmBlock(const Gemm<T>& whole, bool turned, GemmRange some_rows, GemmRange some_columns, GemmRange some_depth)
      : g(whole), transpose_c(turned), rows(some_rows), columns(some_columns), depth(some_depth),
        first_rows(some_rows.begin == 0), lda(whole.lda) {
    const size_t row = g.transpose_a ? depth.begin : rows.begin, column = g.transpose_a ? rows.begin : depth.begin;
    if (g.a_patches.images == nullptr) {
      a = g.a + row * lda + column;
      return;
    }
    const size_t down = g.transpose_a ? depth.size : rows.size, across = g.transpose_a ? rows.size : depth.size;
    T* const to = scratch() + Scratch::kGatheredA;
    lda = Scratch::step(across);
    PatchGather<V>{g.a_patches}.rows(to, lda, row, down, column, across);
    a = to;
  }

  void run() const {
    size_t j = 0;
    if constexpr (kWideColumns > 0) {
      if (takes_wide_tiles()) {
        for (; columns.size - j >= kWideColumns; j += kWideColumns) wide_panel(j);
      }
    }
    for (; j < columns.size; j += kColumns) panel(j, gemm_least(columns.size - j, kColumns));
  }

 private:
  T* scratch() const { return static_cast<T*>(g.scratch); }
  T* packed_b(size_t j) const { return scratch() + j * depth.size; }
  T* packed_a() const { return scratch() + Scratch::kPackedA; }
  const T* a_at(size_t row) const { return a + (g.transpose_a ? row : row * lda); }
  const T* b_at(size_t column) const {
    return g.b + (g.transpose_b ? column * g.ldb + depth.begin : depth.begin * g.ldb + column);
  }

  // Not where the tiles of one panel leave packed copies for others.
  bool takes_wide_tiles() const {
    return depth.size <= GemmTiles::kWideDepth && columns.size <= kGemmFewPanels * kColumns && !transpose_c &&
           g.placement.across == 0 && g.b_patches.images == nullptr;
  }

  // kWideColumns columns from column j of the block.
  void wide_panel(size_t j) const {
    GemmOperands<T> from = {nullptr, lda, b_at(columns.begin + j), g.ldb, nullptr, nullptr};
    if (g.transpose_b || !is_b_near(kWideColumns)) {
      if (first_rows && g.transpose_b)
        gemm_pack_transposed(packed_b(j), from.b, g.ldb, depth.size, kWideColumns, kWideColumns);
      else if (first_rows) gemm_pack_straight<V>(packed_b(j), from.b, g.ldb, depth.size, kWideColumns, kWideColumns);
      from.b = packed_b(j);
      from.b_step = kWideColumns;
    }
    GemmCorner<T> to = corner(columns.begin + j, kWideColumns);
    T* const c = to.c;
    for (size_t row = 0; row < rows.size; row += GemmTiles::kWideRows) {
      const size_t height = gemm_least(rows.size - row, GemmTiles::kWideRows);
      from.a = a_at(row);
      to.c = c + row * g.ldc;
      to.next = rows.size - row < 2 * GemmTiles::kWideRows ? to.c : to.c + GemmTiles::kWideRows * g.ldc;
      if (g.transpose_a) gemm_wide_tile_of<V, false>(height, depth.size, from, to);
      else gemm_wide_tile_of<V, true>(height, depth.size, from, to);
    }
  }

  // Whether b is read where it lies. Rows that follow each other are a panel that was packed before.
  bool is_b_near(size_t width) const {
    return g.m <= kRows || g.ldb == width || depth.size * g.ldb * sizeof(T) <= kGemmBytesNear;
  }

  // `width` columns from column j of the block.
  void panel(size_t j, size_t width) const {
    GemmOperands<T> from = {a_at(0), lda, nullptr, 0, nullptr, nullptr};
    panel_of_b(j, width, from);
    const bool many = columns.size > kGemmFewPanels * kColumns, packed = many && j > 0;
    if (packed) from.a = packed_a(), from.a_step = kRows;
    const size_t a_down = packed ? kRows * depth.size : g.transpose_a ? kRows : kRows * lda;
    const size_t c_down = transpose_c ? kRows : kRows * g.ldc;
    if (many && !packed) from.copy_of_a = packed_a();

    GemmCorner<T> to = corner(columns.begin + j, width);
    const size_t vectors = (width + V::kLanes - 1) / V::kLanes;
    size_t left = rows.size;
    for (; left >= kRows; left -= kRows) {
      to.next = left < 2 * kRows ? to.c : to.c + c_down;
      tile(j, rows.size - left, kRows, vectors, !g.transpose_a && !packed, from, to);
      if (left == kRows) return;
      from.a += a_down;
      to.c += c_down;
      if (from.copy_of_a) from.copy_of_a += kRows * depth.size;
      if (from.copy_of_b) from.b = from.copy_of_b, from.b_step = kColumns, from.copy_of_b = nullptr;
      if (to.bias && transpose_c) to.bias += kRows;
    }
    from.a = a_at(rows.size - left);  // the rows of a tile that is not whole are never packed
    from.a_step = lda;
    to.next = to.c;
    tile(j, rows.size - left, left, vectors, !g.transpose_a, from, to);
  }

  // Where tiles find b. Whole panels that need no transposing are packed by their first tile, others before it.
  void panel_of_b(size_t j, size_t width, GemmOperands<T>& from) const {
    const size_t lanes = gemm_round_up(width, V::kLanes);
    if (g.b_patches.images != nullptr) return gathered_b(j, width, lanes, from);
    const T* const b = b_at(columns.begin + j);
    from.b = b;
    from.b_step = g.ldb;
    if (!g.transpose_b && width == lanes && is_b_near(width)) return;
    if (first_rows && !g.transpose_b && width == kColumns && rows.size > kRows) {
      from.copy_of_b = packed_b(j);
      return;
    }
    from.b = packed_b(j);
    from.b_step = lanes;
    if (first_rows && g.transpose_b) gemm_pack_transposed(packed_b(j), b, g.ldb, depth.size, width, lanes);
    else if (first_rows) gemm_pack_straight<V>(packed_b(j), b, g.ldb, depth.size, width, lanes);
  }

  // Patches that are needed once are read where they were gathered, others are packed.
  void gathered_b(size_t j, size_t width, size_t lanes, GemmOperands<T>& from) const {
    const PatchGather<V> gather{g.b_patches};
    const size_t column = columns.begin + j;
    T *const to = packed_b(j), *const panel = scratch() + Scratch::kGatheredB;
    from.b = to;
    from.b_step = lanes;
    if (!first_rows) return;
    if (!g.transpose_b) {
      const size_t ld = Scratch::step(width);
      gather.rows(panel, ld, depth.begin, depth.size, column, width);
      if (rows.size == g.m) from.b = panel, from.b_step = ld;
      else gemm_pack_straight<V>(to, panel, ld, depth.size, width, lanes);
    } else if (gather.has_columns()) {
      gather.columns(to, lanes, column, width, depth.begin, depth.size);
    } else {
      const size_t ld = Scratch::step(depth.size);
      gather.rows(panel, ld, column, width, depth.begin, depth.size);
      gemm_pack_transposed(to, panel, ld, depth.size, width, lanes);
    }
  }

  GemmCorner<T> corner(size_t column, size_t width) const {
    const bool last = depth.begin + depth.size == g.k, resume = g.accumulate || depth.begin > 0;
    return {g.c + (transpose_c ? column * g.ldc + rows.begin : rows.begin * g.ldc + column),
            g.ldc,
            width,
            resume,
            last && g.bias ? g.bias + (transpose_c ? rows.begin : column) : nullptr,
            transpose_c,
            last && g.activation == Activation::relu,
            nullptr};
  }

  // The tile at (row, column) of the block. Rows of c that lie here and there, or down its columns, are brought
  // together while it is computed.
  void tile(size_t column, size_t row, size_t height, size_t vectors, bool row_major, const GemmOperands<T>& from,
            const GemmCorner<T>& to) const {
    if (!transpose_c && g.placement.across == 0) return compute(height, vectors, row_major, from, to);
    alignas(64) T sums[kRows * kColumns];
    const GemmPlace<T> place = {g, rows.begin + row, columns.begin + column, height, to.columns, to.c};
    if (to.resume) transpose_c ? place.take_turned(sums, kColumns) : place.template take<V>(sums, kColumns);
    compute(height, vectors, row_major, from,
            {sums, kColumns, transpose_c ? vectors * V::kLanes : to.columns, to.resume, to.bias, transpose_c, to.relu,
             sums});
    transpose_c ? place.put_turned(sums, kColumns) : place.template put<V>(sums, kColumns);
    if (!to.resume) transpose_c ? place.template clear_turned<V>() : place.template clear<V>();
  }

  void compute(size_t height, size_t vectors, bool row_major, const GemmOperands<T>& from,
               const GemmCorner<T>& to) const {
    if (row_major) gemm_tile_of<V, true>(height, vectors, depth.size, from, to);
    else gemm_tile_of<V, false>(height, vectors, depth.size, from, to);
  }
};

}  // namespace gradstep::SIMD_ISA
