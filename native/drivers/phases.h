// The way back of a window with a stride, along one axis: input pixels in `stride` phases, each of which has its own
// taps and is an image of its own, whose windows go over what came out without a stride.
#pragma once
#include <stddef.h>

#include <numeric>

#include "../kernels/patches.h"
#include "convolution.h"

namespace gradstep {

struct Phase {
  size_t first;           // pixel; the others are `stride` apart
  PatchAxis of_gradient;  // the outputs that the phase's pixels went into, in order
  PatchAxis of_filter;    // the taps that they went by, as many
};

// Of output o tap t saw pixel o stride + t dilation - padding. So pixel i went by tap t into output
// (i + padding - t dilation) / stride, where that is a whole number: the last of its taps into the first output.
inline Phase phase_of(const ConvolutionAxis& axis, size_t first) {
  const size_t s = axis.stride, d = axis.dilation, common = std::gcd(s, d), tap_step = s / common;
  const size_t remainder = (first + axis.padding) % s;
  size_t tap = 0;
  while (tap < tap_step && tap < axis.window && tap * d % s != remainder) ++tap;
  const bool has_taps = tap < tap_step && tap < axis.window;
  const size_t taps = has_taps ? (axis.window - tap + tap_step - 1) / tap_step : 0;
  const size_t last = has_taps ? tap + (taps - 1) * tap_step : 0;
  const ptrdiff_t origin =
      (static_cast<ptrdiff_t>(first + axis.padding) - static_cast<ptrdiff_t>(last * d)) / static_cast<ptrdiff_t>(s);
  const size_t pixels = first < axis.size ? (axis.size - first + s - 1) / s : 0;
  return {first,
          {axis.outputs, pixels, taps, 1, origin, static_cast<ptrdiff_t>(d / common)},
          {axis.window, 1, taps, 0, static_cast<ptrdiff_t>(last), -static_cast<ptrdiff_t>(tap_step)}};
}

// Whether some pixels may go into nothing or lie apart: whether there is more than one phase.
inline bool has_phases(const Convolution& c) { return c.down.stride > 1 || c.across.stride > 1; }

// f(phase down, phase across) for each phase that has pixels; false where one is.
template <class F> bool each_phase(const Convolution& c, F f) {
  for (size_t i = 0; i < c.down.stride && i < c.down.size; ++i) {
    const Phase down = phase_of(c.down, i);
    for (size_t j = 0; j < c.across.stride && j < c.across.size; ++j) {
      if (!f(down, phase_of(c.across, j))) return false;
    }
  }
  return true;
}

}  // namespace gradstep
