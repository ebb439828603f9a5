// Convolutions of images [images, height, width, channels] with filters [height, width, channels / groups, outputs],
// and their gradients, as products of matrices of patches (kernels/patches.h), of images as they lie (direct.h) or of
// planes of them (planes.h). What lies outside of an image counts as zeros.
//
// Each output is one chain of fused multiply-adds over the window's pixels in order and their channels; so is each
// element of a gradient by the input, over what the input went into. The gradient by the filter is a sum over all
// positions: a chain over each of some blocks of them, whose number depends on the sizes alone, and these added in
// order.
#pragma once
#include <stddef.h>

#include "../kernels/patches.h"

namespace gradstep {

struct ConvolutionAxis {
  size_t size, outputs, window;      // of the image, of what comes out, of the filter
  size_t stride, dilation, padding;  // zeros in front
};

// What each position's window sees.
inline PatchAxis window_of(const ConvolutionAxis& axis) {
  return {axis.size,
          axis.outputs,
          axis.window,
          static_cast<ptrdiff_t>(axis.stride),
          -static_cast<ptrdiff_t>(axis.padding),
          static_cast<ptrdiff_t>(axis.dilation)};
}

struct Convolution {
  size_t images, channels, outputs, groups;
  ConvolutionAxis down, across;
};

// Each is false when there is no memory. An array without elements may be null.

// bias: one for each output, or null.
template <class T>
[[nodiscard]] bool conv2d(T* y, const T* x, const T* filter, const T* bias, bool relu, const Convolution& c);
template <class T> [[nodiscard]] bool conv2d_input_gradient(T* dx, const T* dy, const T* filter, const Convolution& c);
template <class T> [[nodiscard]] bool conv2d_filter_gradient(T* dfilter, const T* x, const T* dy, const Convolution& c);

}  // namespace gradstep
