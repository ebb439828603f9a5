// Parts of matrices of patches (patches.h), written out row by row.
#pragma once
#include <stddef.h>

#include "../../simd/simd.h"
#include "../patches.h"

namespace gradstep::SIMD_ISA {

// Both write whole vectors: up to a vector less one element behind n may hold anything then. Rows are written from
// their beginning to their end, so only behind the last one there must be room.
template <class V> INL void gather_copy(typename V::Scalar* to, const typename V::Scalar* from, size_t n) {
  size_t i = 0;
  for (; i + V::kLanes <= n; i += V::kLanes) store(to + i, load(from + i));
  if (i < n) store(to + i, load(from + i, n - i));
}
template <class V> INL void gather_zeros(typename V::Scalar* to, size_t n) {
  for (size_t i = 0; i < n; i += V::kLanes) store(to + i, V(0));
}

template <class V> struct PatchGather {
  using T = typename V::Scalar;

  const Patches<T>& p;
  const size_t line = p.across.taps * p.channels;  // columns of a row of taps
  const size_t width = p.across.size * p.pixel;    // elements of a row of the image
  const bool is_whole = p.across.taps == 1 || (p.across.step == 1 && p.channels == p.pixel);

  // out[r, c] = element (row + r, column + c), rows of out being ld elements apart.
  void run(T* out, size_t ld, size_t row, size_t rows, size_t column, size_t columns) const {
    if (rows == 0 || columns == 0) return;
    row += p.row, column += p.column;
    const size_t lines = row / p.across.positions;
    const T* image = p.images + lines / p.down.positions * p.down.size * width;
    size_t i = lines % p.down.positions, j = row % p.across.positions;
    const size_t tap = column / line, begin = column % line;
    for (const T* const end = out + rows * ld; out != end; out += ld) {
      patch(out, image, i, j, tap, begin, columns);
      if (++j < p.across.positions) continue;
      j = 0;
      if (++i < p.down.positions) continue;
      i = 0;
      image += p.down.size * width;
    }
  }

 private:
  void patch(T* to, const T* image, size_t i, size_t j, size_t tap, size_t begin, size_t left) const {
    while (true) {
      const size_t n = left < line - begin ? left : line - begin, y = pixel_at(p.down, i, tap);
      if (y >= p.down.size) gather_zeros<V>(to, n);
      else if (is_whole) stretch(to, image + y * width, j, begin, n);
      else each_tap(to, image + y * width, j, begin, n);
      left -= n;
      if (left == 0) return;
      to += n;
      begin = 0;
      ++tap;
    }
  }

  // Columns of a row of taps that lie one behind the other in the image too.
  void stretch(T* to, const T* row, size_t j, size_t begin, size_t n) const {
    const ptrdiff_t x = static_cast<ptrdiff_t>(pixel_at(p.across, j, 0));
    const ptrdiff_t from = x * static_cast<ptrdiff_t>(p.pixel) + static_cast<ptrdiff_t>(begin);
    const ptrdiff_t limit = static_cast<ptrdiff_t>(p.across.taps == 1 ? size_t(x) < p.across.size ? width : 0 : width);
    const ptrdiff_t end = from + static_cast<ptrdiff_t>(n);
    if (from >= 0 && end <= limit) return gather_copy<V>(to, row + from, n);
    const size_t before = from >= 0 ? 0 : end <= 0 ? n : static_cast<size_t>(-from);
    const ptrdiff_t start = from + static_cast<ptrdiff_t>(before), last = end < limit ? end : limit;
    const size_t inside = last > start ? static_cast<size_t>(last - start) : 0;
    gather_zeros<V>(to, before);
    gather_copy<V>(to + before, row + start, inside);
    gather_zeros<V>(to + before + inside, n - before - inside);
  }

  void each_tap(T* to, const T* row, size_t j, size_t begin, size_t n) const {
    size_t tap = begin / p.channels, channel = begin % p.channels;
    while (n > 0) {
      const size_t some = n < p.channels - channel ? n : p.channels - channel, x = pixel_at(p.across, j, tap);
      if (x >= p.across.size) gather_zeros<V>(to, some);
      else gather_copy<V>(to, row + x * p.pixel + channel, some);
      to += some;
      n -= some;
      channel = 0;
      ++tap;
    }
  }
};

}  // namespace gradstep::SIMD_ISA
