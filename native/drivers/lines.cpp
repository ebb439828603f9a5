#include "lines.h"

#include <string.h>

#include <algorithm>
#include <atomic>

#include "../runtime/buffer.h"
#include "../runtime/dispatch.h"
#include "../runtime/pool.h"
#include "blocks.h"

namespace gradstep {
namespace {

// Elements of x side by side that are worked on as one.
constexpr size_t kStrip = 64;

// f(first place in x, in what has one element for each line, how many lines side by side) for all lines, some at a
// time.
template <class F> void each_strip(const Lines& lines, F f) {
  const size_t strips = blocks_of(lines.inner, kStrip), pieces = lines.outer * strips;
  if (pieces == 0) return;
  const size_t elements = std::max<size_t>(1, lines.n * std::min(lines.inner, kStrip));
  const size_t per_block = std::max<size_t>(1, kBlockElements / elements);
  parallel_for(blocks_of(pieces, per_block), [&](size_t block) {
    const size_t end = std::min(pieces, (block + 1) * per_block);
    for (size_t piece = block * per_block; piece < end; ++piece) {
      const size_t o = piece / strips, begin = piece % strips * kStrip;
      f(o * lines.n * lines.inner + begin, o * lines.inner + begin, std::min(kStrip, lines.inner - begin));
    }
  });
}

template <class T> bool extreme_of_long(const Lines& lines, T* out, const T* x, bool least) {
  const auto kernel = of<T>(kernels()).extreme_rows;
  thread_local Buffer<T> partial;
  const size_t blocks = blocks_of(lines.n);
  if (!partial.resize(blocks)) return false;
  T* const parts = partial.data();
  for (size_t o = 0; o < lines.outer; ++o) {
    const T* const row = x + o * lines.n;
    parallel_for(blocks, [=](size_t block) {
      const size_t begin = block * kBlockElements;
      kernel(parts + block, row + begin, 1, std::min(kBlockElements, lines.n - begin), least);
    });
    kernel(out + o, parts, 1, blocks, least);
  }
  return true;
}

// Whether one comes before another when the greatest is first, or NaN.
template <class T> bool beats(T a, T b, bool least) {
  if (b != b) return false;
  return a != a || (least ? a < b : a > b);
}

template <class T> struct Bits;
template <> struct Bits<float> { using Type = uint32_t; };
template <> struct Bits<double> { using Type = uint64_t; };

// A number that is greater for what is greater, the same for both zeros, and the greatest for NaN.
template <class T> typename Bits<T>::Type rank_of(T x) {
  using U = typename Bits<T>::Type;
  constexpr U kSign = U(1) << (8 * sizeof(U) - 1);
  if (x != x) return ~U(0);
  x += T(0);  // no negative zero
  U bits;
  memcpy(&bits, &x, sizeof bits);
  return bits & kSign ? ~bits : bits | kSign;
}

template <class T> struct Entry {
  typename Bits<T>::Type rank;
  uint32_t place;
  bool operator<(const Entry& other) const { return rank < other.rank || (rank == other.rank && place < other.place); }
};

template <class T>
void sort_row(Entry<T>* entries, T* values, int32_t* places, const T* x, size_t columns, size_t k, bool ascending) {
  for (size_t i = 0; i < columns; ++i) {
    const auto rank = rank_of(x[i]);
    entries[i] = {ascending ? rank : static_cast<decltype(rank)>(~rank), static_cast<uint32_t>(i)};
  }
  if (k < columns / 4) std::partial_sort(entries, entries + k, entries + columns);
  else std::sort(entries, entries + columns);
  for (size_t i = 0; i < k; ++i) {
    values[i] = x[entries[i].place];
    places[i] = static_cast<int32_t>(entries[i].place);
  }
}

}  // namespace

template <class T> bool extreme(const Lines& lines, T* out, const T* x, bool least) {
  const Kernels<T>& table = of<T>(kernels());
  const size_t outer = lines.outer, n = lines.n, inner = lines.inner;
  if (outer == 0 || inner == 0) return true;
  if (inner == 1 && n > kBlockElements) return extreme_of_long(lines, out, x, least);
  const size_t per_block = std::max<size_t>(1, kBlockElements / std::max<size_t>(1, n * inner));
  parallel_for(blocks_of(outer, per_block), [&, least](size_t block) {
    const size_t begin = block * per_block, end = std::min(outer, begin + per_block);
    if (inner == 1) return table.extreme_rows(out + begin, x + begin * n, end - begin, n, least);
    for (size_t o = begin; o < end; ++o) table.extreme_columns(out + o * inner, x + o * n * inner, n, inner, least);
  });
  return true;
}

template <class T> void extreme_at(const Lines& lines, int32_t* out, const T* x, bool least) {
  const auto rows = of<T>(kernels()).extreme_rows;
  each_strip(lines, [&, least](size_t at, size_t to, size_t count) {
    const T* const first = x + at;
    if (lines.inner == 1) {
      T best;
      rows(&best, first, 1, lines.n, least);
      size_t i = 0;
      const auto is_it = [&](T value) { return best != best ? value != value : value == best; };
      while (i + 1 < lines.n && !is_it(first[i])) ++i;  // another thread may be writing x
      out[to] = static_cast<int32_t>(i);
      return;
    }
    T best[kStrip];
    int32_t place[kStrip] = {};
    std::copy(first, first + count, best);
    for (size_t i = 1; i < lines.n; ++i) {
      const T* const row = first + i * lines.inner;
      for (size_t c = 0; c < count; ++c) {
        const bool is_better = beats(row[c], best[c], least);
        best[c] = is_better ? row[c] : best[c];
        place[c] = is_better ? static_cast<int32_t>(i) : place[c];
      }
    }
    std::copy(place, place + count, out + to);
  });
}

void logical(const Lines& lines, uint8_t* out, const uint8_t* x, bool all) {
  each_strip(lines, [&, all](size_t at, size_t to, size_t count) {
    uint8_t found[kStrip] = {};  // what decides: one that is false of all, one that is true of any
    for (size_t i = 0; i < lines.n; ++i) {
      const uint8_t* const row = x + at + i * lines.inner;
      for (size_t c = 0; c < count; ++c) found[c] |= (row[c] != 0) != all;
    }
    for (size_t c = 0; c < count; ++c) out[to + c] = found[c] != (all ? 1 : 0);
  });
}

template <class T> void product(const Lines& lines, T* out, const T* x) {
  each_strip(lines, [&](size_t at, size_t to, size_t count) {
    double result[kStrip];
    std::fill(result, result + count, 1.0);
    for (size_t i = 0; i < lines.n; ++i) {
      const T* const row = x + at + i * lines.inner;
      for (size_t c = 0; c < count; ++c) result[c] *= static_cast<double>(row[c]);
    }
    for (size_t c = 0; c < count; ++c) out[to + c] = static_cast<T>(result[c]);
  });
}

// That of an element is dy times all others: those in front, which dx has meanwhile, times those behind.
template <class T> void product_gradient(const Lines& lines, T* dx, const T* x, const T* dy) {
  each_strip(lines, [&](size_t at, size_t to, size_t count) {
    double others[kStrip];
    for (size_t c = 0; c < count; ++c) others[c] = 1;
    for (size_t i = 0; i < lines.n; ++i) {
      const size_t row = at + i * lines.inner;
      for (size_t c = 0; c < count; ++c) {
        dx[row + c] = static_cast<T>(others[c]);
        others[c] *= static_cast<double>(x[row + c]);
      }
    }
    for (size_t c = 0; c < count; ++c) others[c] = static_cast<double>(dy[to + c]);
    for (size_t i = lines.n; i-- > 0;) {
      const size_t row = at + i * lines.inner;
      for (size_t c = 0; c < count; ++c) {
        dx[row + c] = static_cast<T>(static_cast<double>(dx[row + c]) * others[c]);
        others[c] *= static_cast<double>(x[row + c]);
      }
    }
  });
}

template <class T> void scan(const Lines& lines, T* out, const T* x, Scan how) {
  each_strip(lines, [&](size_t at, size_t, size_t count) {
    double so_far[kStrip];
    std::fill(so_far, so_far + count, how.is_product ? 1.0 : 0.0);
    for (size_t i = 0; i < lines.n; ++i) {
      const size_t row = at + (how.reverse ? lines.n - 1 - i : i) * lines.inner;
      for (size_t c = 0; c < count; ++c) {
        const double before = so_far[c], value = static_cast<double>(x[row + c]);
        so_far[c] = how.is_product ? before * value : before + value;
        out[row + c] = static_cast<T>(how.exclusive ? before : so_far[c]);
      }
    }
  });
}

// With L the product of all in front of an element, that of which is R = dy + (the next one) (the R of the next one),
// or where the element itself does not count, the next one's dy in place of its own: dx = L R. Nothing is divided, so
// zeros do no harm.
template <class T> void scan_product_gradient(const Lines& lines, T* dx, const T* x, const T* dy, Scan how) {
  each_strip(lines, [&](size_t at, size_t, size_t count) {
    const auto row_of = [&](size_t i) { return at + (how.reverse ? lines.n - 1 - i : i) * lines.inner; };
    double value[kStrip];
    std::fill(value, value + count, 1.0);
    for (size_t i = 0; i < lines.n; ++i) {
      const size_t row = row_of(i);
      for (size_t c = 0; c < count; ++c) {
        dx[row + c] = static_cast<T>(value[c]);
        value[c] *= static_cast<double>(x[row + c]);
      }
    }
    std::fill(value, value + count, 0.0);  // what comes of all behind
    for (size_t i = lines.n; i-- > 0;) {
      const size_t row = row_of(i);
      for (size_t c = 0; c < count; ++c) {
        const double own = static_cast<double>(dy[row + c]), factor = static_cast<double>(x[row + c]);
        const double all = how.exclusive ? value[c] : own + value[c];
        dx[row + c] = static_cast<T>(static_cast<double>(dx[row + c]) * all);
        value[c] = how.exclusive ? own + factor * value[c] : factor * all;
      }
    }
  });
}

template <class T>
bool sort(T* values, int32_t* places, const T* x, size_t rows, size_t columns, size_t k, bool ascending) {
  if (rows == 0 || columns == 0 || k == 0) return true;
  std::atomic<bool> found_memory{true};
  const size_t per_block = std::max<size_t>(1, kBlockElements / 8 / columns);
  parallel_for(blocks_of(rows, per_block), [&](size_t block) {
    thread_local Buffer<Entry<T>> entries;
    if (!entries.resize(columns)) {
      found_memory = false;
      return;
    }
    for (size_t row = block * per_block; row < std::min(rows, (block + 1) * per_block); ++row) {
      sort_row(entries.data(), values + row * k, places + row * k, x + row * columns, columns, k, ascending);
    }
  });
  return found_memory;
}

#define GRADSTEP_INSTANTIATE(T)                                                       \
  template bool extreme<T>(const Lines&, T*, const T*, bool);                         \
  template void extreme_at<T>(const Lines&, int32_t*, const T*, bool);                \
  template void product<T>(const Lines&, T*, const T*);                               \
  template void product_gradient<T>(const Lines&, T*, const T*, const T*);            \
  template void scan<T>(const Lines&, T*, const T*, Scan);                            \
  template void scan_product_gradient<T>(const Lines&, T*, const T*, const T*, Scan); \
  template bool sort<T>(T*, int32_t*, const T*, size_t, size_t, size_t, bool);
GRADSTEP_INSTANTIATE(float)
GRADSTEP_INSTANTIATE(double)

}  // namespace gradstep
