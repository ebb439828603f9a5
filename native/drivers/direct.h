// Convolutions that read images where they lie, without matrices of patches, and leave out what windows do not see of
// an image. Such taps are multiplications with zeros, which change no sum but that of a number that is not finite, so
// these are for filters, or gradients, of finite numbers. (A sum that has underflowed to -0 may stay that.)
#pragma once
#include <stddef.h>

#include "convolution.h"

namespace gradstep {

// Whether it pays: results that fill a vector; few enough elements of windows that the filter's part for a few outputs
// stays in the caches; in one group.
bool is_direct_forward(const Convolution& c);
bool is_direct_by_input(const Convolution& c);
bool is_direct_by_filter(const Convolution& c);

// Whether to copy planes (planes.h) pays more. Zeros are multiplied there: the numbers may be any.
bool is_planar_forward(const Convolution& c);
bool is_planar_by_input(const Convolution& c);

// Each is false when there is no memory.
template <class T>
[[nodiscard]] bool direct_forward(T* y, const T* x, const T* filter, const T* bias, bool relu, const Convolution& c);
template <class T> [[nodiscard]] bool direct_by_input(T* dx, const T* dy, const T* filter, const Convolution& c);
template <class T> [[nodiscard]] bool direct_by_filter(T* dfilter, const T* x, const T* dy, const Convolution& c);

}  // namespace gradstep
