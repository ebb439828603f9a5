#include "lines.h"

#include <string.h>

#include <algorithm>
#include <atomic>
#include <type_traits>

#include "../runtime/buffer.h"
#include "../runtime/dispatch.h"
#include "../runtime/pool.h"
#include "blocks.h"

namespace gradstep {
namespace {

// Lines that are worked on as one: where inner is 1, rows, of which the next waits for none; else elements side by
// side.
constexpr size_t kStrip = 64, kRows = 8;
using One = std::integral_constant<size_t, 1>;

// f(first place in x, in what has one element for each line, how many lines, how far the next line is, and the next
// element) for all lines, some at a time.
template <class F> void each_strip(const Lines& lines, F f) {
  const size_t n = lines.n, inner = lines.inner;
  const bool are_rows = inner == 1;
  const size_t width = are_rows ? kRows : kStrip, across = are_rows ? lines.outer : inner;
  const size_t strips = blocks_of(across, width), pieces = are_rows ? strips : lines.outer * strips;
  if (pieces == 0) return;
  const size_t elements = std::max<size_t>(1, n * std::min(across, width));
  const size_t per_block = std::max<size_t>(1, kBlockElements / elements);
  parallel_for(blocks_of(pieces, per_block), [&](size_t block) {
    const size_t end = std::min(pieces, (block + 1) * per_block);
    for (size_t piece = block * per_block; piece < end; ++piece) {
      const size_t begin = piece % strips * width, count = std::min(width, across - begin);
      if (are_rows) f(begin * n, begin, count, n, size_t(1));
      else f(piece / strips * n * inner + begin, piece / strips * inner + begin, count, One(), inner);
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

// Sorted by one byte after the other, the last one first: n entries, with room for as many behind them. Returns where
// they are.
template <class T> Entry<T>* radix_sorted(Entry<T>* entries, size_t n) {
  constexpr size_t kBytes = sizeof(typename Bits<T>::Type);
  Entry<T>* other = entries + n;
  for (size_t byte = 0; byte < kBytes; ++byte) {
    size_t starts[256] = {};
    const auto digit = [=](const Entry<T>& entry) { return entry.rank >> 8 * byte & 255; };
    for (size_t i = 0; i < n; ++i) ++starts[digit(entries[i])];
    if (starts[digit(entries[0])] == n) continue;
    size_t sum = 0;
    for (size_t& start : starts) {
      const size_t count = start;
      start = sum;
      sum += count;
    }
    for (size_t i = 0; i < n; ++i) other[starts[digit(entries[i])]++] = entries[i];
    std::swap(entries, other);
  }
  return entries;
}

constexpr size_t kShortRow = 128;  // sorted by comparing

template <class T>
void sort_row(Entry<T>* entries, T* values, int32_t* places, const T* x, size_t columns, size_t k, bool ascending) {
  for (size_t i = 0; i < columns; ++i) {
    const auto rank = rank_of(x[i]);
    entries[i] = {ascending ? rank : static_cast<decltype(rank)>(~rank), static_cast<uint32_t>(i)};
  }
  if (k < columns / 8) std::partial_sort(entries, entries + k, entries + columns);
  else if (columns < kShortRow) std::sort(entries, entries + columns);
  else entries = radix_sorted<T>(entries, columns);
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
  const auto place_in_row = [=](const T* row) {
    T best;
    rows(&best, row, 1, lines.n, least);
    const auto is_it = [&](T value) { return best != best ? value != value : value == best; };
    size_t i = 0;
    while (i + 1 < lines.n && !is_it(row[i])) ++i;  // another thread may be writing x
    return static_cast<int32_t>(i);
  };
  each_strip(lines, [&, least](size_t at, size_t to, size_t count, auto line, size_t step) {
    if (lines.inner == 1) {
      for (size_t c = 0; c < count; ++c) out[to + c] = place_in_row(x + at + c * line);
      return;
    }
    T best[kStrip];
    int32_t place[kStrip] = {};
    std::copy(x + at, x + at + count, best);
    for (size_t i = 1; i < lines.n; ++i) {
      const T* const row = x + at + i * step;
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
  each_strip(lines, [&, all](size_t at, size_t to, size_t count, auto line, size_t step) {
    uint8_t found[kStrip] = {};  // what decides: one that is false of all, one that is true of any
    for (size_t i = 0; i < lines.n; ++i) {
      const uint8_t* const row = x + at + i * step;
      for (size_t c = 0; c < count; ++c) found[c] |= (row[c * line] != 0) != all;
    }
    for (size_t c = 0; c < count; ++c) out[to + c] = found[c] != (all ? 1 : 0);
  });
}

template <class T> void product(const Lines& lines, T* out, const T* x) {
  each_strip(lines, [&](size_t at, size_t to, size_t count, auto line, size_t step) {
    double result[kStrip];
    std::fill(result, result + count, 1.0);
    for (size_t i = 0; i < lines.n; ++i) {
      const T* const row = x + at + i * step;
      for (size_t c = 0; c < count; ++c) result[c] *= static_cast<double>(row[c * line]);
    }
    for (size_t c = 0; c < count; ++c) out[to + c] = static_cast<T>(result[c]);
  });
}

// That of an element is dy times all others: those in front, which dx has meanwhile, times those behind.
template <class T> void product_gradient(const Lines& lines, T* dx, const T* x, const T* dy) {
  if (lines.n == 0) return;
  each_strip(lines, [&](size_t at, size_t to, size_t count, auto line, size_t step) {
    double others[kStrip];
    for (size_t c = 0; c < count; ++c) others[c] = 1;
    for (size_t i = 0; i < lines.n; ++i) {
      const size_t row = at + i * step;
      for (size_t c = 0; c < count; ++c) {
        dx[row + c * line] = static_cast<T>(others[c]);
        others[c] *= static_cast<double>(x[row + c * line]);
      }
    }
    for (size_t c = 0; c < count; ++c) others[c] = static_cast<double>(dy[to + c]);
    for (size_t i = lines.n; i-- > 0;) {
      const size_t row = at + i * step;
      for (size_t c = 0; c < count; ++c) {
        dx[row + c * line] = static_cast<T>(static_cast<double>(dx[row + c * line]) * others[c]);
        others[c] *= static_cast<double>(x[row + c * line]);
      }
    }
  });
}

template <class T> void scan(const Lines& lines, T* out, const T* x, Scan how) {
  if (lines.n == 0) return;
  each_strip(lines, [&](size_t at, size_t, size_t count, auto line, size_t step) {
    double so_far[kStrip];
    std::fill(so_far, so_far + count, how.is_product ? 1.0 : 0.0);
    for (size_t i = 0; i < lines.n; ++i) {
      const size_t row = at + (how.reverse ? lines.n - 1 - i : i) * step;
      for (size_t c = 0; c < count; ++c) {
        const double before = so_far[c], value = static_cast<double>(x[row + c * line]);
        so_far[c] = how.is_product ? before * value : before + value;
        out[row + c * line] = static_cast<T>(how.exclusive ? before : so_far[c]);
      }
    }
  });
}

// With L the product of all in front of an element, that of which is R = dy + (the next one) (the R of the next one),
// or where the element itself does not count, the next one's dy in place of its own: dx = L R. Nothing is divided, so
// zeros do no harm.
template <class T> void scan_product_gradient(const Lines& lines, T* dx, const T* x, const T* dy, Scan how) {
  if (lines.n == 0) return;
  each_strip(lines, [&](size_t at, size_t, size_t count, auto line, size_t step) {
    const auto row_of = [&](size_t i) { return at + (how.reverse ? lines.n - 1 - i : i) * step; };
    double value[kStrip];
    std::fill(value, value + count, 1.0);
    for (size_t i = 0; i < lines.n; ++i) {
      const size_t row = row_of(i);
      for (size_t c = 0; c < count; ++c) {
        dx[row + c * line] = static_cast<T>(value[c]);
        value[c] *= static_cast<double>(x[row + c * line]);
      }
    }
    std::fill(value, value + count, 0.0);  // what comes of all behind
    for (size_t i = lines.n; i-- > 0;) {
      const size_t row = row_of(i);
      for (size_t c = 0; c < count; ++c) {
        const double own = static_cast<double>(dy[row + c * line]), factor = static_cast<double>(x[row + c * line]);
        const double all = how.exclusive ? value[c] : own + value[c];
        dx[row + c * line] = static_cast<T>(static_cast<double>(dx[row + c * line]) * all);
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
    if (!entries.resize(2 * columns)) {
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
