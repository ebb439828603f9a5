#include "strided.h"

#include <string.h>

#include <algorithm>

#include "../runtime/dispatch.h"
#include "../runtime/pool.h"
#include "blocks.h"

namespace gradstep {
namespace {

struct Copy {
  template <class E> static void one(E& out, E x) { out = x; }
  template <class E> static void run(E* out, const E* x, size_t n) { memcpy(out, x, n * sizeof(E)); }
};

struct Add {
  template <class T> static void one(T& out, T x) { out += x; }
  template <class T> static void run(T* out, const T* x, size_t n) { of<T>(kernels()).add_scaled(out, x, 1.0, n); }
};

constexpr size_t kTile = 16;   // 16 floats are a cache line
constexpr size_t kShort = 16;  // of fewer elements a loop is done sooner than a call

// One row: n elements that lie so far from each other.
template <class Op, class E> inline void row(E* out, const E* x, size_t n, ptrdiff_t out_step, ptrdiff_t x_step) {
  if (out_step == 1 && x_step == 1 && n >= kShort) return Op::run(out, x, n);
  for (size_t i = 0; i < n; ++i, out += out_step, x += x_step) Op::one(*out, *x);
}

// Rows that follow each other in the last dimension but one. Where neither array has its elements side by side in both
// orders, tile by tile: both sides stay in cache.
template <class Op, class E> void rows(E* out, const E* x, size_t count, size_t n, const Walk& walk) {
  const size_t last = walk.rank - 1;
  const ptrdiff_t out_step = walk.out[last], x_step = walk.x[last];
  const ptrdiff_t out_row = last > 0 ? walk.out[last - 1] : 0, x_row = last > 0 ? walk.x[last - 1] : 0;
  const size_t width = out_step == 1 && (x_step == 1 || x_step == 0) ? n : kTile;
  for (size_t c = 0; c < n; c += width) {
    E* o = out + static_cast<ptrdiff_t>(c) * out_step;
    const E* i = x + static_cast<ptrdiff_t>(c) * x_step;
    for (size_t r = 0; r < count; ++r, o += out_row, i += x_row) {
      row<Op>(o, i, std::min(width, n - c), out_step, x_step);
    }
  }
}

// The rows [from, to) of all that there are, of each the elements [begin, begin + n).
template <class Op, class E>
void part(E* out, const E* x, const Walk& walk, size_t from, size_t to, size_t begin, size_t n) {
  const size_t last = walk.rank - 1;
  out += static_cast<ptrdiff_t>(begin) * walk.out[last], x += static_cast<ptrdiff_t>(begin) * walk.x[last];
  if (last == 0) return rows<Op>(out, x, 1, n, walk);
  size_t at[kMaxRank];
  size_t rest = from;
  for (size_t d = last; d-- > 0; rest /= walk.dims[d]) {
    at[d] = rest % walk.dims[d];
    out += static_cast<ptrdiff_t>(at[d]) * walk.out[d], x += static_cast<ptrdiff_t>(at[d]) * walk.x[d];
  }
  const size_t inner = last - 1;
  while (from < to) {
    const size_t count = std::min({to - from, walk.dims[inner] - at[inner], kTile});
    rows<Op>(out, x, count, n, walk);
    from += count;
    at[inner] += count;
    out += static_cast<ptrdiff_t>(count) * walk.out[inner], x += static_cast<ptrdiff_t>(count) * walk.x[inner];
    for (size_t d = inner; d > 0 && at[d] == walk.dims[d]; --d) {
      out += walk.out[d - 1] - static_cast<ptrdiff_t>(walk.dims[d]) * walk.out[d];
      x += walk.x[d - 1] - static_cast<ptrdiff_t>(walk.dims[d]) * walk.x[d];
      at[d] = 0;
      ++at[d - 1];
    }
  }
}

template <class Op, class E> void run(E* out, const E* x, const Walk& walk) {
  if (walk.is_empty()) return;
  if (walk.rank == 0) return Op::one(*out, *x);
  const size_t n = walk.dims[walk.rank - 1];
  size_t count = 1;
  for (size_t d = 0; d + 1 < walk.rank; ++d) count *= walk.dims[d];
  if (n >= kBlockElements) {  // each row in parts
    const size_t parts = blocks_of(n);
    return parallel_for(count * parts, [&](size_t block) {
      const size_t begin = block % parts * kBlockElements;
      part<Op>(out, x, walk, block / parts, block / parts + 1, begin, std::min(kBlockElements, n - begin));
    });
  }
  const size_t per_block = blocks_of(kBlockElements, n * kTile) * kTile;
  parallel_for(blocks_of(count, per_block), [&](size_t block) {
    part<Op>(out, x, walk, block * per_block, std::min(count, (block + 1) * per_block), 0, n);
  });
}

}  // namespace

void Walk::add(size_t dim, ptrdiff_t out_step, ptrdiff_t x_step) {
  if (dim == 1) return;
  const ptrdiff_t size = static_cast<ptrdiff_t>(dim);
  if (rank > 0 && out[rank - 1] == size * out_step && x[rank - 1] == size * x_step) {
    dims[rank - 1] *= dim, out[rank - 1] = out_step, x[rank - 1] = x_step;
    return;
  }
  dims[rank] = dim, out[rank] = out_step, x[rank] = x_step;
  ++rank;
}

bool Walk::is_empty() const { return std::find(dims, dims + rank, size_t(0)) != dims + rank; }

template <class E> void strided_copy(E* out, const E* x, const Walk& walk) { run<Copy>(out, x, walk); }
template <class T> void strided_add(T* out, const T* x, const Walk& walk) { run<Add>(out, x, walk); }

template void strided_copy<uint8_t>(uint8_t*, const uint8_t*, const Walk&);
template void strided_copy<uint32_t>(uint32_t*, const uint32_t*, const Walk&);
template void strided_copy<uint64_t>(uint64_t*, const uint64_t*, const Walk&);
template void strided_add<float>(float*, const float*, const Walk&);
template void strided_add<double>(double*, const double*, const Walk&);

}  // namespace gradstep
