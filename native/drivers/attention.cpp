#include "attention.h"

#include <string.h>

#include <algorithm>
#include <limits>

#include "../runtime/dispatch.h"
#include "../runtime/pool.h"
#include "blocks.h"
#include "random.h"
#include "scratch.h"

namespace gradstep {
namespace {

// Queries that are multiplied at a time, a multiple of the rows of every tile, and keys: a block of scores is 24 KiB
// of floats. Results depend on the keys of a block, in whose order weights are summed, and on nothing else.
constexpr size_t kQueries = 48, kKeys = 128;
// Keys and values are multiplied from panels of so many columns, one after the other: what tiles read in one go.
constexpr size_t kPanel = 32;

size_t panels_of(size_t columns) { return blocks_of(columns, kPanel) * kPanel; }

template <class T> class Heads {
 public:
  Heads(const AttentionShape& shape, const T* q, const T* k, const T* v)
      : s_(shape), table_(of<T>(kernels())), q_(q), k_(k), v_(v) {}

 protected:
  // A head's rows.
  template <class P> P* rows(P* array, const HeadStrides& strides, size_t batch, size_t head) const {
    return array + batch * strides.batch + head * strides.head;
  }
  size_t group() const { return s_.heads / s_.shared_heads; }

  // How many of a block's columns the last of these queries sees.
  size_t seen(size_t query, size_t queries, size_t key, size_t columns) const {
    if (!s_.is_causal) return columns;
    const ptrdiff_t last = ptrdiff_t(query + queries) + s_.offset - ptrdiff_t(key);
    return last <= 0 ? 0 : std::min(columns, size_t(last));
  }

  void multiply(Gemm<T> g, void* scratch) const {
    if (g.m == 0 || g.n == 0) return;
    g.scratch = scratch;
    table_.gemm(g);
  }

  // c[m, n] (+)= a[m, k] b, b in panels.
  void multiply_panels(T* c, size_t ldc, const T* a, size_t lda, const T* panels, size_t m, size_t n, size_t k,
                       size_t panel_rows, bool accumulate, void* scratch) const {
    for (size_t j = 0; j < n; j += kPanel) {
      Gemm<T> g = {};
      g.m = m, g.n = std::min(kPanel, n - j), g.k = k;
      g.a = a, g.lda = lda;
      g.b = panels + j * panel_rows, g.ldb = kPanel;
      g.c = c + j, g.ldc = ldc, g.accumulate = accumulate;
      multiply(g, scratch);
    }
  }

  // rows [count, depth] as panels of their columns
  static void pack(T* panels, const T* rows, size_t step, size_t count, size_t depth) {
    for (size_t j = 0; j < depth; j += kPanel) {
      const size_t width = std::min(kPanel, depth - j);
      for (size_t i = 0; i < count; ++i)
        memcpy(panels + (j * kKeys + i * kPanel), rows + i * step + j, width * sizeof(T));
    }
  }
  // the same transposed, which is [depth, count]
  void pack_transposed(T* panels, const T* rows, size_t step, size_t count, size_t depth) const {
    for (size_t j = 0; j < count; j += kPanel) {
      table_.transpose(panels + j * depth, kPanel, rows + j * step, step, std::min(kPanel, count - j), depth);
    }
  }

  // The mask of a block, in numbers that lie as they are added; `memory` has room for kQueries kKeys of them.
  void set_mask(AttentionBlock<T>& b, size_t batch, size_t head, size_t query, size_t key, T* memory) const {
    const AttentionMask& mask = s_.mask;
    if (mask.values == nullptr) return;
    const size_t at =
        batch * mask.strides.batch + head * mask.strides.head + query * mask.strides.row + key * mask.column;
    const bool is_repeated = mask.strides.row == 0;
    if (!mask.is_bool && mask.column == 1) {
      b.mask = static_cast<const T*>(mask.values) + at, b.mask_step = mask.strides.row;
      return;
    }
    for (size_t row = 0; row < (is_repeated ? 1 : b.rows); ++row) {
      T* const to = memory + row * kKeys;
      const size_t from = at + row * mask.strides.row;
      for (size_t c = 0; c < b.columns; ++c) {
        const size_t i = from + c * mask.column;
        if (!mask.is_bool) to[c] = static_cast<const T*>(mask.values)[i];
        else to[c] = static_cast<const uint8_t*>(mask.values)[i] ? T(0) : -std::numeric_limits<T>::infinity();
      }
    }
    b.mask = memory, b.mask_step = is_repeated ? 0 : kKeys;
  }

  AttentionBlock<T> block_of(T* scores, size_t batch, size_t head, size_t query, size_t rows, size_t key,
                             size_t columns, T* mask_memory) const {
    AttentionBlock<T> b = {};
    b.scores = scores, b.rows = rows, b.columns = columns, b.step = kKeys;
    b.scale = static_cast<T>(s_.scale);
    b.is_causal = s_.is_causal;
    b.seen = ptrdiff_t(query) + s_.offset + 1 - ptrdiff_t(key);
    set_mask(b, batch, head, query, key, mask_memory);
    return b;
  }

  // Drops weights, or what becomes of gradients: the same of them every time.
  void drop(T* scores, const AttentionBlock<T>& b, size_t batch, size_t head, size_t query, size_t key) const {
    if (s_.dropout == 0) return;
    const size_t words = (s_.keys + kKeyWords - 1) / kKeyWords;
    for (size_t row = 0; row < b.rows; ++row) {
      Draw draw = s_.draw;
      draw.counter += ((batch * s_.heads + head) * s_.queries + query + row) * words + key / kKeyWords;
      table_.dropout(scores + row * kKeys, scores + row * kKeys, draw, dropout_threshold(s_.dropout),
                     1 / (1 - s_.dropout), b.columns);
    }
  }
  static_assert(kKeys % kKeyWords == 0, "a block begins with a block of words");

  const AttentionShape& s_;
  const Kernels<T>& table_;
  const T *q_, *k_, *v_;
};

// Parts of a thread's scratch, one after the other.
template <class T> class Parts {
 public:
  explicit Parts(char* memory) : at_(memory) {}
  T* take(size_t count) {
    T* const part = reinterpret_cast<T*>(at_);
    at_ += round_to_line(count * sizeof(T));
    return part;
  }
  void* rest() const { return at_; }

 private:
  char* at_;
};

template <class T> class Forward : Heads<T> {
  using Base = Heads<T>;
  using Base::s_;

 public:
  Forward(const AttentionShape& shape, T* y, T* saved, const T* q, const T* k, const T* v)
      : Base(shape, q, k, v), y_(y), tops_(saved), inverses_(saved + shape.batch * shape.heads * shape.queries) {}

  bool run() const {
    const size_t units = s_.batch * s_.heads, blocks = blocks_of(s_.queries, kQueries);
    if (units == 0 || blocks == 0 || (s_.depth == 0 && s_.value_depth == 0)) return true;
    // Several for each thread, that none waits long for another; a head's keys are packed once for each part of it.
    const size_t parts = std::min(blocks, std::max<size_t>(1, blocks_of(4 * threads(), units)));
    const size_t rows = blocks_of(blocks, parts) * kQueries;
    const size_t bytes = round_to_line(rows * sizeof(double)) + floats() * sizeof(T) + kGemmScratchBytes;
    return parallel_with_scratch(units * parts, bytes, [&](size_t i, char* memory) {
      const size_t unit = i / parts, first = i % parts * rows;
      if (first < s_.queries) head(unit / s_.heads, unit % s_.heads, first, std::min(rows, s_.queries - first), memory);
    });
  }

 private:
  size_t floats() const { return 2 * kQueries * kKeys + kKeys * (s_.depth + panels_of(s_.value_depth)) + 64; }

  void head(size_t batch, size_t head, size_t first, size_t count, char* memory) const {
    double* const sums = reinterpret_cast<double*>(memory);
    Parts<T> parts(memory + round_to_line(count * sizeof(double)));
    T *const scores = parts.take(kQueries * kKeys), *const mask = parts.take(kQueries * kKeys);
    T *const k_panels = parts.take(kKeys * s_.depth), *const v_panels = parts.take(kKeys * panels_of(s_.value_depth));
    const size_t shared = head / this->group(), end = first + count;
    const size_t unit = (batch * s_.heads + head) * s_.queries;
    const T* const q = this->rows(this->q_, s_.q, batch, head);
    const T* const k = this->rows(this->k_, s_.k, batch, shared);
    const T* const v = this->rows(this->v_, s_.v, batch, shared);
    T* const y = this->rows(y_, s_.y, batch, head);
    const auto state = [&](size_t query) {
      return AttentionState<T>{
          tops_ + unit + query, sums + (query - first), y + query * s_.y.row, s_.y.row, s_.value_depth, false};
    };
    for (size_t query = first; query < end; ++query) {  // as of rows that see nothing
      tops_[unit + query] = -std::numeric_limits<T>::infinity();
      sums[query - first] = 0;
      std::fill_n(y + query * s_.y.row, s_.value_depth, T(0));
    }
    for (size_t key = 0; key < s_.keys; key += kKeys) {
      const size_t columns = std::min(kKeys, s_.keys - key);
      if (this->seen(first, count, key, columns) == 0) break;
      this->pack_transposed(k_panels, k + key * s_.k.row, s_.k.row, columns, s_.depth);
      Base::pack(v_panels, v + key * s_.v.row, s_.v.row, columns, s_.value_depth);
      for (size_t query = first; query < end; query += kQueries) {
        const size_t rows = std::min(kQueries, end - query), seen = this->seen(query, rows, key, columns);
        if (seen == 0) continue;
        this->multiply_panels(scores, kKeys, q + query * s_.q.row, s_.q.row, k_panels, rows, seen, s_.depth, s_.depth,
                              false, parts.rest());
        const AttentionBlock<T> b = this->block_of(scores, batch, head, query, rows, key, seen, mask);
        AttentionState<T> st = state(query);
        st.is_first = key == 0;
        this->table_.attention_weights(b, st);
        this->drop(scores, b, batch, head, query, key);
        this->multiply_panels(st.out, st.out_step, scores, kKeys, v_panels, rows, s_.value_depth, seen, kKeys, true,
                              parts.rest());
      }
    }
    this->table_.attention_finish(state(first), inverses_ + unit + first, count);
  }

  T *y_, *tops_, *inverses_;
};

template <class T> struct Gradients { T *dq, *dk, *dv; };

template <class T> class Backward : Heads<T> {
  using Base = Heads<T>;
  using Base::s_;

 public:
  Backward(const AttentionShape& shape, const Gradients<T>& to, const T* dy, const T* y, const T* saved, const T* q,
           const T* k, const T* v)
      : Base(shape, q, k, v), to_(to), dy_(dy), y_(y), tops_(saved),
        inverses_(saved + shape.batch * shape.heads * shape.queries) {}

  bool run() const {
    const size_t units = s_.batch * s_.shared_heads;
    if (units == 0 || (s_.queries == 0 && s_.keys == 0) || (s_.depth == 0 && s_.value_depth == 0)) return true;
    const size_t floats = 3 * kQueries * kKeys + this->group() * s_.queries + 6 * 16 +
                          kKeys * (s_.depth + s_.value_depth + panels_of(s_.depth));
    return parallel_with_scratch(units, floats * sizeof(T) + kGemmScratchBytes, [&](size_t unit, char* memory) {
      shared_head(unit / s_.shared_heads, unit % s_.shared_heads, memory);
    });
  }

 private:
  // One head of k and v with all heads of q that share it: sums over queries and keys run in one order.
  void shared_head(size_t batch, size_t shared, char* memory) const {
    Parts<T> parts(memory);
    Work w = {};
    w.weights = parts.take(kQueries * kKeys), w.dweights = parts.take(kQueries * kKeys);
    w.mask = parts.take(kQueries * kKeys), w.dots = parts.take(this->group() * s_.queries);
    w.k = parts.take(kKeys * panels_of(s_.depth)), w.k_transposed = parts.take(kKeys * s_.depth);
    w.v_transposed = parts.take(kKeys * s_.value_depth), w.rest = parts.rest();
    const size_t first = shared * this->group();
    for (size_t i = 0; i < this->group(); ++i) {
      T* const dq = this->rows(to_.dq, s_.q, batch, first + i);
      for (size_t query = 0; query < s_.queries; ++query) std::fill_n(dq + query * s_.q.row, s_.depth, T(0));
      this->table_.row_dots(w.dots + i * s_.queries, this->rows(dy_, s_.y, batch, first + i), s_.y.row,
                            this->rows(y_, s_.y, batch, first + i), s_.y.row, s_.queries, s_.value_depth);
    }
    for (size_t key = 0; key < s_.keys; key += kKeys) {
      const size_t columns = std::min(kKeys, s_.keys - key);
      const T* const k = this->rows(this->k_, s_.k, batch, shared) + key * s_.k.row;
      const T* const v = this->rows(this->v_, s_.v, batch, shared) + key * s_.v.row;
      w.dk = this->rows(to_.dk, s_.k, batch, shared) + key * s_.k.row;
      w.dv = this->rows(to_.dv, s_.v, batch, shared) + key * s_.v.row;
      for (size_t i = 0; i < columns; ++i) {
        std::fill_n(w.dk + i * s_.k.row, s_.depth, T(0));
        std::fill_n(w.dv + i * s_.v.row, s_.value_depth, T(0));
      }
      this->pack_transposed(w.k_transposed, k, s_.k.row, columns, s_.depth);
      this->pack_transposed(w.v_transposed, v, s_.v.row, columns, s_.value_depth);
      Base::pack(w.k, k, s_.k.row, columns, s_.depth);
      for (size_t i = 0; i < this->group(); ++i) {
        for (size_t query = 0; query < s_.queries; query += kQueries) {
          const size_t rows = std::min(kQueries, s_.queries - query), seen = this->seen(query, rows, key, columns);
          if (seen > 0) block(w, batch, first + i, i, query, rows, key, seen);
        }
      }
    }
  }

  struct Work {
    T *weights, *dweights, *mask, *dots, *k, *k_transposed, *v_transposed, *dk, *dv;
    void* rest;
  };

  void block(const Work& w, size_t batch, size_t head, size_t in_group, size_t query, size_t rows, size_t key,
             size_t seen) const {
    const size_t row = (batch * s_.heads + head) * s_.queries + query;
    const T* const q = this->rows(this->q_, s_.q, batch, head) + query * s_.q.row;
    const T* const dy = this->rows(dy_, s_.y, batch, head) + query * s_.y.row;
    T* const dq = this->rows(to_.dq, s_.q, batch, head) + query * s_.q.row;
    this->multiply_panels(w.weights, kKeys, q, s_.q.row, w.k_transposed, rows, seen, s_.depth, s_.depth, false, w.rest);
    this->multiply_panels(w.dweights, kKeys, dy, s_.y.row, w.v_transposed, rows, seen, s_.value_depth, s_.value_depth,
                          false, w.rest);
    const AttentionBlock<T> b = this->block_of(w.weights, batch, head, query, rows, key, seen, w.mask);
    this->drop(w.dweights, b, batch, head, query, key);
    this->table_.attention_gradient(b,
                                    {w.dweights, tops_ + row, inverses_ + row, w.dots + in_group * s_.queries + query});
    this->drop(w.weights, b, batch, head, query, key);
    this->multiply_panels(dq, s_.q.row, w.dweights, kKeys, w.k, rows, s_.depth, seen, kKeys, true, w.rest);
    add_transposed(w.dk, s_.k.row, w.dweights, q, s_.q.row, seen, s_.depth, rows, w.rest);
    add_transposed(w.dv, s_.v.row, w.weights, dy, s_.y.row, seen, s_.value_depth, rows, w.rest);
  }

  // c[m, n] += a^T b, a being [k, m]
  void add_transposed(T* c, size_t ldc, const T* a, const T* b, size_t ldb, size_t m, size_t n, size_t k,
                      void* scratch) const {
    Gemm<T> g = {};
    g.m = m, g.n = n, g.k = k;
    g.a = a, g.lda = kKeys, g.transpose_a = true;
    g.b = b, g.ldb = ldb;
    g.c = c, g.ldc = ldc, g.accumulate = true;
    this->multiply(g, scratch);
  }

  Gradients<T> to_;
  const T *dy_, *y_, *tops_, *inverses_;
};

// Pairs of one row; `second` is how far a pair's other element is, `step` how far the next pair.
template <class T>
void rotate_row(T* out, const T* x, const T* cosines, const T* sines, size_t pairs, size_t second, size_t step,
                T sign) {
  for (size_t i = 0; i < pairs; ++i) {
    const T a = x[i * step], b = x[i * step + second], c = cosines[i], s = sign * sines[i];
    out[i * step] = a * c - b * s;
    out[i * step + second] = b * c + a * s;
  }
}

}  // namespace

template <class T> bool attention(const AttentionShape& shape, T* y, T* saved, const T* q, const T* k, const T* v) {
  return Forward<T>(shape, y, saved, q, k, v).run();
}

template <class T>
bool attention_gradient(const AttentionShape& shape, T* dq, T* dk, T* dv, const T* dy, const T* y, const T* saved,
                        const T* q, const T* k, const T* v) {
  return Backward<T>(shape, {dq, dk, dv}, dy, y, saved, q, k, v).run();
}

template <class T> void rotate(const Rotation& r, T* out, const T* x, const T* cosines, const T* sines) {
  const size_t rows = r.outer * r.tokens, wide = r.inner * r.depth, pairs = r.rotated / 2;
  const size_t per_block = std::max<size_t>(1, kBlockElements / std::max<size_t>(1, wide));
  const T sign = r.is_backward ? T(-1) : T(1);
  if (wide == 0) return;
  parallel_for(blocks_of(rows, per_block), [&](size_t block) {
    for (size_t row = block * per_block; row < std::min(rows, (block + 1) * per_block); ++row) {
      const T *const c = cosines + row % r.tokens * pairs, *const s = sines + row % r.tokens * pairs;
      for (size_t i = 0; i < r.inner; ++i) {
        const size_t at = row * wide + i * r.depth;
        if (r.are_neighbours) rotate_row(out + at, x + at, c, s, pairs, 1, 2, sign);
        else rotate_row(out + at, x + at, c, s, pairs, pairs, 1, sign);
        std::copy(x + at + r.rotated, x + at + r.depth, out + at + r.rotated);
      }
    }
  });
}

#define GRADSTEP_INSTANTIATE(T)                                                                                  \
  template bool attention<T>(const AttentionShape&, T*, T*, const T*, const T*, const T*);                       \
  template bool attention_gradient<T>(const AttentionShape&, T*, T*, T*, const T*, const T*, const T*, const T*, \
                                      const T*, const T*);                                                       \
  template void rotate<T>(const Rotation&, T*, const T*, const T*, const T*);
GRADSTEP_INSTANTIATE(float)
GRADSTEP_INSTANTIATE(double)

}  // namespace gradstep
