#include "normalization.h"

#include <math.h>

#include <algorithm>
#include <limits>

#include "../runtime/buffer.h"
#include "../runtime/dispatch.h"
#include "../runtime/pool.h"
#include "blocks.h"
#include "each_block.h"

namespace gradstep {
namespace {

// ---- rows ----

// Gradients of gamma and beta are summed in fixed blocks: few enough that their sums take little memory, long enough
// that these take little time.
constexpr size_t kLeastRows = 32, kMostBlocks = 64;

size_t rows_a_block(size_t rows, size_t columns) {
  const size_t near = kBlockElements / std::max<size_t>(1, columns);
  return std::max({kLeastRows, near, blocks_of(rows, kMostBlocks)});
}

// out = the sums of so many blocks' columns, in their order.
template <class T> void sum_blocks(T* out, const double* sums, size_t step, size_t blocks, size_t columns) {
  if (out == nullptr) return;
  constexpr size_t kStrip = 512;
  parallel_for(blocks_of(columns, kStrip), [&](size_t strip) {
    const size_t begin = strip * kStrip, count = std::min(kStrip, columns - begin);
    double total[kStrip] = {};
    for (size_t block = 0; block < blocks; ++block) {
      const double* const from = sums + block * step + begin;
      for (size_t i = 0; i < count; ++i) total[i] += from[i];
    }
    for (size_t i = 0; i < count; ++i) out[begin + i] = static_cast<T>(total[i]);
  });
}

// ---- columns ----

// Rows of a few columns are taken several at a time, as rows of so many columns at least: else most of a vector would
// be empty.
constexpr size_t kWide = 64, kMostFolded = 2 * kWide;

class Columns {
 public:
  explicit Columns(const ColumnShape& shape) : shape_(shape) {
    const size_t inner = std::max<size_t>(1, shape.inner);
    fold_ = inner >= kWide ? 1 : std::min(blocks_of(kWide, inner), std::max<size_t>(1, shape.reduced));
    rows_ = std::max<size_t>(1, 2 * kBlockElements / inner / fold_) * fold_;
    blocks_ = std::max<size_t>(1, blocks_of(shape.reduced, rows_));
  }

  const ColumnShape& shape() const { return shape_; }
  size_t blocks() const { return blocks_; }

  // Where the sums of a block begin: those, then those of products, [inner] each.
  size_t sums_of(size_t outer, size_t block) const { return (outer * blocks_ + block) * 2 * shape_.inner; }

  // Calls gather(outer, block) for each block, then settle(outer) for each outer index, then map(outer, block).
  template <class Gather, class Settle, class Map> void run(Gather gather, Settle settle, Map map) const {
    if (blocks_ == 1) {
      parallel_for(shape_.outer, [&](size_t outer) {
        gather(outer, 0);
        settle(outer);
        map(outer, 0);
      });
      return;
    }
    each(gather);
    for (size_t outer = 0; outer < shape_.outer; ++outer) settle(outer);
    each(map);
  }

  template <class T>
  void products(double* sums, const T* x, const T* shift, const T* dy, size_t outer, size_t block) const {
    const size_t inner = shape_.inner, rows = rows_of(block), at = first_of(outer, block);
    const auto kernel = of<T>(kernels()).column_products;
    const T* const other = dy == nullptr ? nullptr : dy + at;
    if (fold_ == 1) return kernel(sums, sums + inner, x + at, shift, other, rows, inner);
    double folded[2][kMostFolded], rest[2][kWide] = {};
    T shifts[kMostFolded];
    const size_t wide = fold_ * inner, whole = rows / fold_, left = rows - whole * fold_, done = whole * wide;
    fold(shifts, shift);
    kernel(folded[0], folded[1], x + at, shifts, other, whole, wide);
    if (left > 0) kernel(rest[0], rest[1], x + at + done, shift, other == nullptr ? other : other + done, left, inner);
    for (size_t part = 0; part < 2; ++part) {
      for (size_t c = 0; c < inner; ++c) {
        double sum = 0;
        for (size_t k = 0; k < fold_; ++k) sum += folded[part][k * inner + c];
        sums[part * inner + c] = sum + rest[part][c];
      }
    }
  }

  // The sums of an outer index's blocks become those of its first.
  void total(double* sums, size_t outer) const {
    double* const first = sums + sums_of(outer, 0);
    for (size_t block = 1; block < blocks_; ++block) {
      const double* const more = sums + sums_of(outer, block);
      for (size_t i = 0; i < 2 * shape_.inner; ++i) first[i] += more[i];
    }
  }

  template <class T> void map(ColumnMap<T> m, size_t outer, size_t block) const {
    const size_t inner = shape_.inner, rows = rows_of(block), at = first_of(outer, block);
    const auto kernel = of<T>(kernels()).map_columns;
    m.out += at, m.x += at;
    if (m.dy) m.dy += at;
    if (fold_ == 1) return kernel(m, rows, inner);
    T folded[4][kMostFolded];
    const size_t wide = fold_ * inner, whole = rows / fold_, left = rows - whole * fold_, done = whole * wide;
    ColumnMap<T> w = m;
    w.mean = fold(folded[0], m.mean), w.b = fold(folded[1], m.b), w.c = fold(folded[2], m.c);
    if (m.a) w.a = fold(folded[3], m.a);
    kernel(w, whole, wide);
    m.out += done, m.x += done;
    if (m.dy) m.dy += done;
    if (left > 0) kernel(m, left, inner);
  }

 private:
  size_t rows_of(size_t block) const {
    return std::min(rows_, shape_.reduced - std::min(shape_.reduced, block * rows_));
  }
  size_t first_of(size_t outer, size_t block) const { return (outer * shape_.reduced + block * rows_) * shape_.inner; }

  template <class T> const T* fold(T* to, const T* from) const {
    for (size_t k = 0; k < fold_; ++k) std::copy(from, from + shape_.inner, to + k * shape_.inner);
    return to;
  }

  template <class F> void each(F f) const {
    parallel_for(shape_.outer * blocks_, [&](size_t i) { f(i / blocks_, i % blocks_); });
  }

  ColumnShape shape_;
  size_t fold_, rows_, blocks_;
};

// What a call needs beside its arrays: sums of each block, and four numbers for each column of each outer index.
template <class T> struct ColumnMemory {
  double* sums;
  T* numbers;
  size_t inner;

  T* of(size_t outer, size_t which) const { return numbers + (outer * 4 + which) * inner; }
};
enum : size_t { kMean, kB, kC, kA };

template <class T> bool find_memory(const Columns& columns, ColumnMemory<T>& memory) {
  thread_local Buffer<double> sums;
  thread_local Buffer<T> numbers;
  const ColumnShape& shape = columns.shape();
  if (!sums.resize(columns.sums_of(shape.outer, 0) + 1) || !numbers.resize(shape.outer * 4 * shape.inner + 1)) {
    return false;
  }
  memory = {sums.data(), numbers.data(), shape.inner};
  return true;
}

template <class T> double inverse_root(T variance, double epsilon) { return 1 / sqrt(double(variance) + epsilon); }

template <class T> ColumnMap<T> map_of(const ColumnMemory<T>& memory, size_t outer, T* out, const T* x) {
  return {out, x, memory.of(outer, kMean), memory.of(outer, kB), memory.of(outer, kC), nullptr, nullptr};
}

// Mean and variance of each group, from sums of x less its first element there: that keeps what a large mean takes.
template <class T>
void settle_group(const NormalizedColumns<T>& a, const ColumnMemory<T>& memory, const double* sums, size_t outer,
                  size_t group) {
  const ColumnShape& s = a.shape;
  const size_t width = s.inner / s.groups, first = group * width, at = outer * s.groups + group;
  double sum = 0, squares = 0;
  for (size_t c = first; c < first + width; ++c) sum += sums[c], squares += sums[s.inner + c];
  const double n = double(s.reduced) * double(width), off = sum / n, variance = squares / n - off * off;
  a.mean[at] = static_cast<T>(double(memory.of(outer, kMean)[first]) + off);
  a.variance[at] = static_cast<T>(variance < 0 ? 0 : variance);
  const double inverse = inverse_root(a.variance[at], a.epsilon);
  for (size_t c = first; c < first + width; ++c) {
    memory.of(outer, kMean)[c] = a.mean[at];
    memory.of(outer, kB)[c] = static_cast<T>(a.gamma ? inverse * double(a.gamma[c]) : inverse);
    memory.of(outer, kC)[c] = a.beta ? a.beta[c] : T(0);
  }
}

template <class T>
void settle_group_gradient(const NormalizedColumnsGradient<T>& a, const ColumnMemory<T>& memory, const double* sums,
                           size_t outer, size_t group) {
  const ColumnShape& s = a.shape;
  const size_t width = s.inner / s.groups, first = group * width, at = outer * s.groups + group;
  const auto gamma = [&](size_t c) { return a.gamma ? double(a.gamma[c]) : 1.0; };
  double sum = 0, product = 0;
  for (size_t c = first; c < first + width; ++c) {
    sum += gamma(c) * sums[c];
    product += gamma(c) * sums[s.inner + c];
  }
  const double n = double(s.reduced) * double(width), inverse = inverse_root(a.variance[at], a.epsilon);
  const T b = static_cast<T>(-inverse * inverse * inverse * product / n), c0 = static_cast<T>(-inverse * sum / n);
  for (size_t c = first; c < first + width; ++c) {
    memory.of(outer, kB)[c] = b;
    memory.of(outer, kC)[c] = c0;
    memory.of(outer, kA)[c] = static_cast<T>(inverse * gamma(c));
  }
}

}  // namespace

template <class T> void normalize_rows(const NormalizedRows<T>& a, size_t rows) {
  const auto kernel = of<T>(kernels()).normalize_rows;
  const size_t per_block = std::max<size_t>(1, kBlockElements / std::max<size_t>(1, a.columns));
  const size_t per_piece = per_block * blocks_a_piece(blocks_of(rows, per_block));
  parallel_for(blocks_of(rows, per_piece), [&](size_t piece) {
    const size_t row = piece * per_piece;
    NormalizedRows<T> part = a;
    part.out += row * a.columns, part.x += row * a.columns, part.mean += row, part.inverse += row;
    kernel(part, std::min(per_piece, rows - row));
  });
}

template <class T> bool normalize_rows_gradient(const NormalizedRowsGradient<T>& a, T* dgamma, T* dbeta, size_t rows) {
  const auto kernel = of<T>(kernels()).normalize_rows_gradient;
  const size_t per_block = rows_a_block(rows, a.columns), blocks = blocks_of(rows, per_block), step = 2 * a.columns;
  thread_local Buffer<double> memory;
  const bool has_sums = dgamma != nullptr || dbeta != nullptr;
  if (has_sums && !memory.resize(blocks * step + 1)) return false;
  double* const sums = memory.data();
  parallel_for(blocks, [&](size_t block) {
    const size_t row = block * per_block;
    NormalizedRowsGradient<T> part = a;
    part.dx += row * a.columns, part.dy += row * a.columns, part.x += row * a.columns;
    part.mean += row, part.inverse += row;
    if (has_sums) std::fill_n(sums + block * step, step, 0.0);
    part.dgamma = dgamma ? sums + block * step : nullptr;
    part.dbeta = dbeta ? sums + block * step + a.columns : nullptr;
    kernel(part, std::min(per_block, rows - row));
  });
  sum_blocks(dgamma, sums, step, blocks, a.columns);
  sum_blocks(dbeta, sums + a.columns, step, blocks, a.columns);
  return true;
}

template <class T> bool normalize_columns(const NormalizedColumns<T>& a) {
  const ColumnShape& s = a.shape;
  if (s.outer == 0 || s.reduced == 0 || s.inner == 0) {  // means of nothing
    std::fill_n(a.mean, s.outer * s.groups, std::numeric_limits<T>::quiet_NaN());
    std::fill_n(a.variance, s.outer * s.groups, std::numeric_limits<T>::quiet_NaN());
    return true;
  }
  const Columns columns(s);
  ColumnMemory<T> memory;
  if (!find_memory(columns, memory)) return false;
  const size_t width = s.inner / s.groups;
  for (size_t outer = 0; outer < s.outer; ++outer) {
    const T* const x = a.x + outer * s.reduced * s.inner;
    for (size_t c = 0; c < s.inner; ++c) memory.of(outer, kMean)[c] = x[c / width * width];
  }
  columns.run(
      [&](size_t outer, size_t block) {
        columns.products(memory.sums + columns.sums_of(outer, block), a.x, memory.of(outer, kMean),
                         static_cast<const T*>(nullptr), outer, block);
      },
      [&](size_t outer) {
        columns.total(memory.sums, outer);
        const double* const sums = memory.sums + columns.sums_of(outer, 0);
        for (size_t group = 0; group < s.groups; ++group) settle_group(a, memory, sums, outer, group);
      },
      [&](size_t outer, size_t block) { columns.map(map_of(memory, outer, a.y, a.x), outer, block); });
  return true;
}

template <class T> bool normalize_columns_gradient(const NormalizedColumnsGradient<T>& a) {
  const ColumnShape& s = a.shape;
  if (s.outer == 0 || s.reduced == 0 || s.inner == 0) {
    if (a.dgamma) std::fill_n(a.dgamma, s.inner, T(0));
    if (a.dbeta) std::fill_n(a.dbeta, s.inner, T(0));
    return true;
  }
  const Columns columns(s);
  ColumnMemory<T> memory;
  if (!find_memory(columns, memory)) return false;
  const size_t width = s.inner / s.groups;
  for (size_t outer = 0; outer < s.outer; ++outer) {
    for (size_t c = 0; c < s.inner; ++c) memory.of(outer, kMean)[c] = a.mean[outer * s.groups + c / width];
  }
  columns.run(
      [&](size_t outer, size_t block) {
        columns.products(memory.sums + columns.sums_of(outer, block), a.x, memory.of(outer, kMean), a.dy, outer, block);
      },
      [&](size_t outer) {
        columns.total(memory.sums, outer);
        const double* const sums = memory.sums + columns.sums_of(outer, 0);
        for (size_t group = 0; group < s.groups; ++group) settle_group_gradient(a, memory, sums, outer, group);
      },
      [&](size_t outer, size_t block) {
        ColumnMap<T> m = map_of(memory, outer, a.dx, a.x);
        m.dy = a.dy, m.a = memory.of(outer, kA);
        columns.map(m, outer, block);
      });
  for (size_t c = 0; c < s.inner && (a.dgamma || a.dbeta); ++c) {
    double dgamma = 0, dbeta = 0;
    for (size_t outer = 0; outer < s.outer; ++outer) {
      const double* const sums = memory.sums + columns.sums_of(outer, 0);
      dbeta += sums[c];
      dgamma += sums[s.inner + c] * inverse_root(a.variance[outer * s.groups + c / width], a.epsilon);
    }
    if (a.dgamma) a.dgamma[c] = static_cast<T>(dgamma);
    if (a.dbeta) a.dbeta[c] = static_cast<T>(dbeta);
  }
  return true;
}

template <class T> bool normalize_columns_with(const NormalizedColumns<T>& a) {
  const Columns columns(a.shape);
  const size_t inner = a.shape.inner;
  ColumnMemory<T> memory;
  if (!find_memory(columns, memory)) return false;
  for (size_t c = 0; c < inner; ++c) {
    const double inverse = inverse_root(a.variance[c], a.epsilon);
    memory.of(0, kMean)[c] = a.mean[c];
    memory.of(0, kB)[c] = static_cast<T>(a.gamma ? inverse * double(a.gamma[c]) : inverse);
    memory.of(0, kC)[c] = a.beta ? a.beta[c] : T(0);
  }
  if (inner == 0) return true;
  parallel_for(columns.blocks(), [&](size_t block) { columns.map(map_of(memory, 0, a.y, a.x), 0, block); });
  return true;
}

template <class T> bool sum_down(T* out, const T* x, size_t rows, size_t columns) {
  const auto kernel = of<T>(kernels()).column_products;
  const size_t per_block = rows_a_block(rows, columns), blocks = blocks_of(rows, per_block), step = 2 * columns;
  thread_local Buffer<double> memory;
  thread_local Buffer<T> zeros;
  if (!memory.resize(blocks * step + 1) || !zeros.resize(columns)) return false;
  std::fill(zeros.begin(), zeros.end(), T(0));
  double* const sums = memory.data();
  const T* const shift = zeros.data();
  parallel_for(blocks, [&](size_t block) {
    const size_t row = block * per_block;
    double* const to = sums + block * step;
    kernel(to, to + columns, x + row * columns, shift, static_cast<const T*>(nullptr), std::min(per_block, rows - row),
           columns);
  });
  sum_blocks(out, sums, step, blocks, columns);
  return true;
}

#define GRADSTEP_INSTANTIATE(T)                                                               \
  template void normalize_rows<T>(const NormalizedRows<T>&, size_t);                          \
  template bool normalize_rows_gradient<T>(const NormalizedRowsGradient<T>&, T*, T*, size_t); \
  template bool normalize_columns<T>(const NormalizedColumns<T>&);                            \
  template bool normalize_columns_gradient<T>(const NormalizedColumnsGradient<T>&);           \
  template bool normalize_columns_with<T>(const NormalizedColumns<T>&);                       \
  template bool sum_down<T>(T*, const T*, size_t, size_t);
GRADSTEP_INSTANTIATE(float)
GRADSTEP_INSTANTIATE(double)

}  // namespace gradstep
