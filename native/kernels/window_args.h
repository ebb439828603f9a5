#pragma once
// Windows that go over images [height, width, channels] channel by channel: pools and depthwise convolutions.
#include <stddef.h>

#include "patches.h"

namespace gradstep {

// Windows at (i, j) of an image; y has one pixel for each. No window is wholly outside of the image.
template <class T> struct Pool {
  PatchAxis down, across;
  size_t channels;
  const T* x;
  T* y;         // what a gradient does not write
  const T* dy;  // for gradients, and
  T* dx;
  bool is_rectified;  // of a gradient of max: 0 for pixels that are not positive
};

// y[i, j, c] = sum over taps of x[what the tap sees, c] filter[the tap's row, c], a chain of fused multiply-adds in the
// order of taps; what lies outside of the image is zeros.
template <class T> struct Depthwise {
  PatchAxis down, across;
  PatchAxis filter_down,
      filter_across;  // pixel_at(.., 0, tap): where a tap's factors are in the filter [size, size, channels]
  size_t channels;
  const T* x;
  const T* filter;
  T* y;
  Placement placement;  // of y's pixels
  const T* dy;          // for the gradient by the filter: a pixel for each position, and
  T* dfilter;           // [taps, taps, channels], added to
};

}  // namespace gradstep
