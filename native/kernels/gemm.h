// Matrix multiplication on one thread: c in blocks, blocks in panels of columns, panels in tiles (gemm/tile.h);
// operands are packed where that pays. See gemm_args.h for what is computed.
#pragma once
#include "../simd/simd.h"
#include "gemm/pack.h"
#include "gemm/tile.h"
#include "gemm_args.h"

namespace gradstep::SIMD_ISA {

static_assert(GemmTiles::kBytesOfA + GemmTiles::kBytesOfB <= kGemmScratchBytes, "packed blocks fit the scratch memory");

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

struct GemmRange { size_t begin, size; };

// Rows x columns of c over one range of k.
template <class V> struct GemmBlock {
  using T = typename V::Scalar;
  static constexpr size_t kRows = GemmTiles::kRows, kColumns = GemmTiles::kVectors * V::kLanes;

  const Gemm<T>& g;
  bool transpose_c;
  GemmRange rows, columns, depth;
  bool first_rows;  // this block packs b; those below use it again

  void run() const {
    for (size_t j = 0; j < columns.size; j += kColumns) panel(j, gemm_least(columns.size - j, kColumns));
  }

 private:
  T* packed_b(size_t j) const { return static_cast<T*>(g.scratch) + j * depth.size; }
  T* packed_a() const { return static_cast<T*>(g.scratch) + GemmTiles::kBytesOfB / sizeof(T); }
  const T* a_at(size_t row) const {
    return g.a + (g.transpose_a ? depth.begin * g.lda + row : row * g.lda + depth.begin);
  }
  const T* b_at(size_t column) const {
    return g.b + (g.transpose_b ? column * g.ldb + depth.begin : depth.begin * g.ldb + column);
  }

  // `width` columns from column j of the block.
  void panel(size_t j, size_t width) const {
    GemmOperands<T> from = {a_at(rows.begin), g.lda, nullptr, 0, nullptr, nullptr};
    panel_of_b(j, width, from);
    const bool many = columns.size > kGemmFewPanels * kColumns, packed = many && j > 0;
    if (packed) from.a = packed_a(), from.a_step = kRows;
    const size_t a_down = packed ? kRows * depth.size : g.transpose_a ? kRows : kRows * g.lda;
    const size_t c_down = transpose_c ? kRows : kRows * g.ldc;
    if (many && !packed) from.copy_of_a = packed_a();

    GemmCorner<T> to = corner(columns.begin + j, width);
    const size_t vectors = (width + V::kLanes - 1) / V::kLanes;
    size_t left = rows.size;
    for (; left >= kRows; left -= kRows) {
      to.next = left < 2 * kRows ? to.c : to.c + c_down;
      tile(kRows, vectors, !g.transpose_a && !packed, from, to);
      if (left == kRows) return;
      from.a += a_down;
      to.c += c_down;
      if (from.copy_of_a) from.copy_of_a += kRows * depth.size;
      if (from.copy_of_b) from.b = from.copy_of_b, from.b_step = kColumns, from.copy_of_b = nullptr;
      if (to.bias && transpose_c) to.bias += kRows;
    }
    from.a = a_at(rows.begin + rows.size - left);  // the rows of a tile that is not whole are never packed
    from.a_step = g.lda;
    to.next = to.c;
    tile(left, vectors, !g.transpose_a, from, to);
  }

  // Where tiles find b. Whole panels that need no transposing are packed by their first tile, others before it.
  void panel_of_b(size_t j, size_t width, GemmOperands<T>& from) const {
    const size_t lanes = gemm_round_up(width, V::kLanes);
    const T* const b = b_at(columns.begin + j);
    from.b = b;
    from.b_step = g.ldb;
    // Rows that follow each other are a panel that was packed before.
    const bool is_near = g.m <= kRows || g.ldb == width || depth.size * g.ldb * sizeof(T) <= kGemmBytesNear;
    if (!g.transpose_b && width == lanes && is_near) return;
    if (first_rows && !g.transpose_b && width == kColumns && rows.size > kRows) {
      from.copy_of_b = packed_b(j);
      return;
    }
    from.b = packed_b(j);
    from.b_step = lanes;
    if (first_rows && g.transpose_b) gemm_pack_transposed(packed_b(j), b, g.ldb, depth.size, width, lanes);
    else if (first_rows) gemm_pack_straight<V>(packed_b(j), b, g.ldb, depth.size, width, lanes);
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

  void tile(size_t height, size_t vectors, bool row_major, const GemmOperands<T>& from, const GemmCorner<T>& to) const {
    if (!transpose_c) return compute(height, vectors, row_major, from, to);
    alignas(64) T sums[kRows * kColumns];
    if (to.resume) gemm_transpose(sums, kColumns, to.c, to.ldc, to.columns, height);
    compute(height, vectors, row_major, from,
            {sums, kColumns, vectors * V::kLanes, to.resume, to.bias, true, to.relu, sums});
    gemm_transpose(to.c, to.ldc, sums, kColumns, height, to.columns);
  }

  void compute(size_t height, size_t vectors, bool row_major, const GemmOperands<T>& from,
               const GemmCorner<T>& to) const {
    if (row_major) gemm_tile_of<V, true>(height, vectors, depth.size, from, to);
    else gemm_tile_of<V, false>(height, vectors, depth.size, from, to);
  }
};

template <class V> static void gemm_blocks(const Gemm<typename V::Scalar>& g, bool transpose_c) {
  using T = typename V::Scalar;
  constexpr size_t kRows = GemmTiles::kRows, kColumns = GemmTiles::kVectors * V::kLanes, kDepth = GemmTiles::kDepth;
  constexpr size_t kBlockRows = GemmTiles::kBytesOfA / sizeof(T) / kDepth / kRows * kRows;
  constexpr size_t kBlockColumns = GemmTiles::kBytesOfB / sizeof(T) / kDepth / kColumns * kColumns;
  const size_t row_part = gemm_part(g.m, kBlockRows, kRows);
  const size_t column_part = gemm_part(g.n, kBlockColumns, kColumns);
  const size_t depth_part = gemm_part(g.k, kDepth, 1);

  for (size_t j = 0; j < g.n; j += column_part) {
    const GemmRange columns = {j, gemm_least(g.n - j, column_part)};
    size_t p = 0;
    do {  // once when k is 0: c becomes 0, or stays, and takes its bias and activation
      const GemmRange depth = {p, gemm_least(g.k - p, depth_part)};
      for (size_t i = 0; i < g.m; i += row_part)
        GemmBlock<V>{g, transpose_c, {i, gemm_least(g.m - i, row_part)}, columns, depth, i == 0}.run();
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
                  g.bias, g.activation, g.scratch},
                 true);
}

template <class V> static void gemm(const Gemm<typename V::Scalar>& g) {
  // The columns after the last whole vector can be less work as a product of their own, turned.
  const size_t rest = g.n % V::kLanes, whole = g.n - rest;
  if (rest == 0 || whole == 0 || g.n > kGemmFewPanels * V::kLanes) return gemm_whole<V>(g);
  Gemm<typename V::Scalar> left = g, right = g;
  left.n = whole;
  right.n = rest;
  right.b += g.transpose_b ? whole * g.ldb : whole;
  right.c += whole;
  if (g.bias) right.bias += whole;
  if (gemm_work<V>(g) <= gemm_work<V>(left) + gemm_work<V>(right)) return gemm_whole<V>(g);
  gemm_whole<V>(left);
  gemm_whole<V>(right);
}

}  // namespace gradstep::SIMD_ISA
