// Parts of matrices of patches (patches.h), written out row by row.
#pragma once
#include <stddef.h>

#include "../../simd/simd.h"
#include "../patches.h"
#include "tile.h"

namespace gradstep::SIMD_ISA {

// Up to a vector less one element behind n may hold anything then.
template <class V> INL void gather_copy(typename V::Scalar* to, const typename V::Scalar* from, size_t n) {
  size_t i = 0;
  for (; i + V::kLanes <= n; i += V::kLanes) store(to + i, load(from + i));
  if (i < n) store(to + i, load(from + i, n - i));
}
template <class V> INL void gather_zeros(typename V::Scalar* to, size_t n) {
  for (size_t i = 0; i < n; i += V::kLanes) store(to + i, V(0));
}

// A stretch of `count` elements of a row of an image from `first` on, which may be before its beginning; zeros outside.
template <class V>
static inline void gather_clipped(typename V::Scalar* to, const typename V::Scalar* row, ptrdiff_t first, size_t count,
                                  size_t size) {
  const ptrdiff_t end = first + static_cast<ptrdiff_t>(count), limit = static_cast<ptrdiff_t>(size);
  if (first >= 0 && end <= limit) return gather_copy<V>(to, row + first, count);
  const size_t before = first >= 0 ? 0 : end <= 0 ? count : static_cast<size_t>(-first);
  const ptrdiff_t start = first + static_cast<ptrdiff_t>(before), last = end < limit ? end : limit;
  const size_t inside = last > start ? static_cast<size_t>(last - start) : 0;
  gather_zeros<V>(to, before);
  if (inside > 0) gather_copy<V>(to + before, row + start, inside);
  gather_zeros<V>(to + before + inside, count - before - inside);
}

namespace {  // lambdas of a member would be names for other instruction sets too

template <class V> struct PatchGather {
  using T = typename V::Scalar;

  const Patches<T>& p;
  const size_t line = p.across.taps * p.channels;  // columns of a row of taps
  const size_t width = p.across.size * p.pixel;    // elements of a row of the image
  const size_t image = p.down.size * width;
  // How many columns lie one behind the other in the image too.
  const size_t together = p.across.step == 1 && p.channels == p.pixel ? line : p.channels;

  // Positions of one row of an image.
  struct Row {
    const T* image;
    size_t i, j, count;
  };
  // f(row, number of its first position) for positions [begin, begin + count).
  template <class F> ALWAYS_INLINE void each_row(size_t begin, size_t count, F f) const {
    const size_t lines = begin / p.across.positions;
    Row row = {p.images + lines / p.down.positions * image, lines % p.down.positions, begin % p.across.positions, 0};
    for (size_t done = 0; done < count; done += row.count) {
      const size_t left = count - done, whole = p.across.positions - row.j;
      row.count = left < whole ? left : whole;
      f(row, done);
      row.j = 0;
      if (++row.i == p.down.positions) row.i = 0, row.image += image;
    }
  }

  // out[r, c] = element (row + r, column + c); rows of out are ld elements apart, a vector more than there are columns.
  void rows(T* out, size_t ld, size_t row, size_t count, size_t column, size_t columns) const {
    if (count == 0 || columns == 0) return;
    column += p.column;
    each_row(row + p.row, count, [&](const Row& r, size_t done) ALWAYS_INLINE {
      size_t tap = column / line, begin = column % line, n;
      for (T *to = out + done * ld, *const end = to + columns; to != end; to += n) {
        n = together - begin % together;
        if (n > static_cast<size_t>(end - to)) n = static_cast<size_t>(end - to);
        const size_t y = pixel_at(p.down, r.i, tap);
        if (y >= p.down.size) zeros(to, ld, r.count, n);
        else pieces(to, ld, r.image + y * width, r, begin, n);
        begin += n;
        if (begin == line) begin = 0, ++tap;
      }
    });
  }

  // Whether neighbours of a row of positions see neighbours of a row of numbers.
  bool has_columns() const { return p.pixel == 1 && p.channels == 1 && p.across.stride == 1; }

  // Then the same transposed, out[c, r], with zeros up to ld.
  void columns(T* out, size_t ld, size_t row, size_t count, size_t column, size_t columns) const {
    if (columns == 0) return;
    Row some[GemmTiles::kVectors * V::kLanes];  // there are no more in a panel
    size_t segments = 0;
    each_row(row + p.row, count, [&](const Row& r, size_t) ALWAYS_INLINE { some[segments++] = r; });
    column += p.column;
    const T* lines[GemmTiles::kVectors * V::kLanes];  // of the image, what each row of positions sees of it
    size_t across = column % p.across.taps, down = column / p.across.taps;
    for (const T* const end = out + columns * ld; out != end; ++down, across = 0) {
      for (size_t s = 0; s < segments; ++s) {
        const size_t y = pixel_at(p.down, some[s].i, down);
        lines[s] = y < p.down.size ? some[s].image + y * width : nullptr;
      }
      for (; across < p.across.taps && out != end; ++across, out += ld) {
        T* to = out;
        for (size_t s = 0; s < segments; to += some[s++].count) {
          const ptrdiff_t from = static_cast<ptrdiff_t>(pixel_at(p.across, some[s].j, across));
          if (lines[s] == nullptr) gather_zeros<V>(to, some[s].count);
          else gather_clipped<V>(to, lines[s], from, some[s].count, width);
        }
        if (count < ld) gather_zeros<V>(to, ld - count);
      }
    }
  }

 private:
  static void zeros(T* to, size_t ld, size_t count, size_t n) {
    for (size_t r = 0; r < count; ++r) gather_zeros<V>(to + r * ld, n);
  }

  // n columns from column `begin` of a row of taps on.
  void pieces(T* to, size_t ld, const T* row, const Row& r, size_t begin, size_t n) const {
    const size_t tap = together == line ? 0 : begin / together, element = begin - tap * p.channels;
    const ptrdiff_t pixel = static_cast<ptrdiff_t>(p.pixel), step = p.across.stride * pixel;
    ptrdiff_t from = static_cast<ptrdiff_t>(pixel_at(p.across, r.j, tap)) * pixel + static_cast<ptrdiff_t>(element);
    const ptrdiff_t last = static_cast<ptrdiff_t>(width) - static_cast<ptrdiff_t>(n);
    const auto each = [&](auto copy) ALWAYS_INLINE {
      for (size_t left = r.count; left > 0; --left, to += ld, from += step) {
        if (from >= 0 && from <= last) copy(to, row + from);
        else gather_clipped<V>(to, row, from, n, width);
      }
    };
    if (n <= V::kLanes) each([n](T* a, const T* b) ALWAYS_INLINE { store(a, load(b, n)); });
    else each([n](T* a, const T* b) ALWAYS_INLINE { gather_copy<V>(a, b, n); });
  }
};

}  // namespace

}  // namespace gradstep::SIMD_ISA
