// Windows that go over images of so many channels, and what comes of them: `n` numbers for each position, each a chain
// of fused multiply-adds over the taps in order and their channels.
#pragma once
#include <stddef.h>

#include "../kernels/gemm_args.h"

namespace gradstep {

template <class T> struct Windows {
  size_t images, channels;
  PatchAxis down, across;
  const T* x;
  // Panels of [down.taps, across.taps, channels, kPanel], the last one of as many columns as are left. Behind columns
  // that fill no vectors there is memory, as if they did.
  const T* b;
  T* y;
  size_t n, y_image, y_down, y_across;  // how far positions lie apart there
  const T* bias;
  Activation activation;
};

constexpr size_t kPanel = 2 * kGemmColumnStep;  // columns of a part of a filter that is used on many images

}  // namespace gradstep
