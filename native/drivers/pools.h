// Pools and depthwise convolutions of images [images, height, width, channels], and their gradients.
#pragma once
#include "../kernels/table.h"
#include "convolution.h"

namespace gradstep {

// Of a window everywhere, channel by channel. `outputs`, `groups` and dilations mean nothing.
enum class PoolKind { max, mean, max_of_relu };  // in the order of the options of tasks
template <class T> void pool(PoolKind kind, T* y, const T* x, const Convolution& c);
// x and y are not read for `mean`. That of max_of_relu, which is one of gradients only, goes through the relu too that
// x came of: it is 0 where x is not positive.
template <class T> void pool_gradient(PoolKind kind, T* dx, const T* dy, const T* x, const T* y, const Convolution& c);

// A convolution with as many groups as channels and outputs; the filter is [height, width, channels].
template <class T> void depthwise(T* y, const T* x, const T* filter, const Convolution& c);
template <class T> void depthwise_input_gradient(T* dx, const T* dy, const T* filter, const Convolution& c);
// False when there is no memory.
template <class T>
[[nodiscard]] bool depthwise_filter_gradient(T* dfilter, const T* x, const T* dy, const Convolution& c);

}  // namespace gradstep
