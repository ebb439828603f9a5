// Positions whose windows see the same taps of an image: those at its edges see fewer than those in the middle.
#pragma once
#include <stddef.h>

#include "../kernels/patches.h"

namespace gradstep {

// The taps that a position sees.
struct SeenTaps {
  size_t first, count;

  SeenTaps(const PatchAxis& axis, size_t position) {
    const ptrdiff_t begin = static_cast<ptrdiff_t>(position) * axis.stride + axis.origin, step = axis.step;
    const ptrdiff_t taps = static_cast<ptrdiff_t>(axis.taps), left = static_cast<ptrdiff_t>(axis.size) - begin;
    const ptrdiff_t before = begin >= 0 ? 0 : (step - 1 - begin) / step, all = left <= 0 ? 0 : (left + step - 1) / step;
    const ptrdiff_t end = all < taps ? all : taps;
    first = before < end ? static_cast<size_t>(before) : 0;
    count = before < end ? static_cast<size_t>(end - before) : 0;
  }
  bool operator==(const SeenTaps& other) const { return first == other.first && count == other.count; }
};

// Positions [first, first + count) that see taps [tap, tap + taps), the first of them of pixel `pixel`.
struct Stretch {
  size_t first, count, tap, taps;
  ptrdiff_t pixel;
};

// f(stretch) for each, in order.
template <class F> void each_stretch(const PatchAxis& axis, F f) {
  for (size_t first = 0, end; first < axis.positions; first = end) {
    const SeenTaps taps(axis, first);
    for (end = first + 1; end < axis.positions && SeenTaps(axis, end) == taps;) ++end;
    f(Stretch{
        first, end - first, taps.first, taps.count,
        static_cast<ptrdiff_t>(first) * axis.stride + static_cast<ptrdiff_t>(taps.first) * axis.step + axis.origin});
  }
}

// The same axis with positions and taps in each other's place: stretches of taps that see the same positions.
inline PatchAxis turned(const PatchAxis& axis) {
  return {axis.size, axis.taps, axis.positions, axis.step, axis.origin, axis.stride};
}

}  // namespace gradstep
