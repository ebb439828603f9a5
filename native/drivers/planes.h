// Convolutions that come to few numbers for each position: vectors along these would be empty for the most part, so
// they go along rows of pixels. A strip of an image is copied, a plane for each channel with the zeros around it: what
// a tap sees from all of the strip's positions is then one stretch of each plane, those of the next tap lie beside it,
// and all is a product of the filter with such stretches. Between the rows it computes some that nobody wants.
#pragma once
#include <stddef.h>

#include "convolution.h"
#include "windows.h"

namespace gradstep {

// Whether it pays for a convolution without strides; with windows of so many channels that come to so many numbers.
bool is_by_planes(const ConvolutionAxis& down, const ConvolutionAxis& across, size_t channels, size_t n);

// Windows one pixel after the other, in one panel. False when there is no memory.
template <class T> [[nodiscard]] bool run_planes(const Windows<T>& w);

}  // namespace gradstep
