// Tiles of c whose rows lie here and there (Placement), or which are computed as their transpose: to and from a dense
// copy of their sums.
#pragma once
#include <stddef.h>

#include "../../simd/simd.h"
#include "../gemm_args.h"
#include "pack.h"

namespace gradstep::SIMD_ISA {

namespace {  // lambdas of a member would be names for other instruction sets too

template <class T> struct GemmPlace {
  const Gemm<T>& g;
  size_t row, column;  // of the tile in what is computed: c, or its transpose
  size_t height, columns;
  T* c;  // where its corner is if rows are ldc apart

  template <class V> void take(T* sums, size_t step) const {
    each_row(row, height, column, [=](size_t i, const T* from) {
      for (size_t j = 0; j < columns; j += V::kLanes)
        if (columns - j >= V::kLanes) store(sums + i * step + j, load(from + j));
        else store(sums + i * step + j, load(from + j, columns - j));
    });
  }
  template <class V> void put(const T* sums, size_t step) const {
    each_row(row, height, column, [=](size_t i, T* to) {
      for (size_t j = 0; j < columns; j += V::kLanes)
        if (columns - j >= V::kLanes) store(to + j, load(sums + i * step + j));
        else store(to + j, load(sums + i * step + j, columns - j), columns - j);
    });
  }

  // Zeros for what lies between the tile's rows, of all columns of c at once: stretches as long as there are.
  template <class V> void clear() const {
    if (column == 0) clear_between<V>(row, height, g.n);
  }
  template <class V> void clear_turned() const {
    if (row == 0) clear_between<V>(column, columns, g.m);
  }

  void take_turned(T* sums, size_t step) const {
    if (g.placement.across == 0) return gemm_transpose(sums, step, c, g.ldc, columns, height);
    each_row(column, columns, row, [=](size_t j, const T* from) {
      for (size_t i = 0; i < height; ++i) sums[i * step + j] = from[i];
    });
  }
  void put_turned(const T* sums, size_t step) const {
    if (g.placement.across == 0) return gemm_transpose(c, g.ldc, sums, step, height, columns);
    each_row(column, columns, row, [=](size_t j, T* to) {
      for (size_t i = 0; i < height; ++i) to[i] = sums[i * step + j];
    });
  }

 private:
  template <class V> void clear_between(size_t first, size_t count, size_t n) const {
    const Placement& p = g.placement;
    if (p.cell_across.size == 0) return;
    const size_t pixel = p.step / p.cell_across.size, line = p.row_step / p.cell_down.size;
    each_position(first, count, 0, [=, &p](size_t, T* to, size_t down, size_t across) {
      const size_t rows = down + 1 < p.down ? p.cell_down.size : p.cell_down.last;
      const size_t pixels = across + 1 < p.across ? p.cell_across.size : p.cell_across.last;
      for (size_t i = 0; i < rows; ++i)
        for (size_t j = i == 0; j < pixels; ++j) zeros<V>(to + i * line + j * pixel, n);
    });
  }
  template <class V> static void zeros(T* to, size_t n) {
    for (size_t j = 0; j < n; j += V::kLanes)
      if (n - j >= V::kLanes) store(to + j, V(0));
      else store(to + j, V(0), n - j);
  }

  // f(i, where element `at` of row first + i is)
  template <class F> void each_row(size_t first, size_t count, size_t at, F f) const {
    each_position(first, count, at, [&](size_t i, T* element, size_t, size_t) { f(i, element); });
  }
  // The same, with the position's numbers down and across.
  template <class F> void each_position(size_t first, size_t count, size_t at, F f) const {
    const Placement& p = g.placement;
    const size_t number = p.row + first, lines = number / p.across;
    size_t across = number % p.across, down = lines % p.down;
    T* image = g.c + at + lines / p.down * p.image_step;
    for (size_t i = 0; i < count; ++i) {
      f(i, image + down * p.row_step + across * p.step, down, across);
      if (++across < p.across) continue;
      across = 0;
      if (++down < p.down) continue;
      down = 0;
      image += p.image_step;
    }
  }
};

}  // namespace

}  // namespace gradstep::SIMD_ISA
