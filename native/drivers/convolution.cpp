#include "convolution.h"

#include <algorithm>
#include <atomic>

#include "../runtime/buffer.h"
#include "../runtime/dispatch.h"
#include "../runtime/pool.h"
#include "blocks.h"
#include "direct.h"
#include "gemm.h"
#include "phases.h"
#include "product.h"

namespace gradstep {
namespace {

// An array without elements may lie nowhere. Matrices of patches lie somewhere.
template <class T> const T* present(const T* array) {
  static const T none = 0;
  return array != nullptr ? array : &none;
}

bool is_pointwise(const ConvolutionAxis& axis) {
  return axis.window == 1 && axis.stride == 1 && axis.padding == 0 && axis.size == axis.outputs;
}

// Whether every position sees its own pixel: patches are the images themselves.
bool is_pointwise(const Convolution& c) { return is_pointwise(c.down) && is_pointwise(c.across); }

size_t positions(const Convolution& c) { return c.images * c.down.outputs * c.across.outputs; }

// One group after the other, each on all threads; or groups on threads.
template <class F> bool each_group(const Convolution& c, F f) {
  if (c.groups == 1 || c.groups < threads()) {
    for (size_t group = 0; group < c.groups; ++group) {
      if (!f(group)) return false;
    }
    return true;
  }
  std::atomic<bool> found_memory{true};
  parallel_for(c.groups, [&](size_t group) {
    if (!f(group)) found_memory = false;
  });
  return found_memory;
}

// What is laid on the windows of a group.
template <class T> void take_patches(Gemm<T>& g, const T* x, const Convolution& c, size_t group) {
  const size_t channels = c.channels / c.groups;
  const T* const first = present(x) + group * channels;
  if (is_pointwise(c)) g.a = first, g.lda = c.channels;
  else g.a_patches = {first, channels, c.channels, window_of(c.down), window_of(c.across), 0, 0};
}

size_t patch_elements(const Convolution& c) { return c.down.window * c.across.window * (c.channels / c.groups); }

// Images of few channels are soon copied, with their zeros around them: then no patch needs a look at where it ends.
bool is_worth_padding(const Convolution& c) {
  constexpr size_t kFewChannels = 4, kMostElements = size_t(1) << 22;
  const auto most = [](const ConvolutionAxis& a) { return a.size + 2 * a.window * a.dilation; };
  return c.channels <= kFewChannels && !is_pointwise(c) && c.images > 0 &&
         (Product(c.images) * most(c.down) * most(c.across) * c.channels).at_most(kMostElements);
}

// The axis of such images.
ConvolutionAxis padded(const ConvolutionAxis& axis) {
  const size_t reach = (axis.outputs - 1) * axis.stride + (axis.window - 1) * axis.dilation + 1;
  ConvolutionAxis result = axis;
  result.size = std::max(axis.padding + axis.size, reach);
  result.padding = 0;
  return result;
}

// Calls f(images, what they are convolved by), with copies where these are worth it.
template <class T, class F> bool with_zeros_around(const T* x, const Convolution& c, F f) {
  if (positions(c) == 0 || !is_worth_padding(c)) return f(x, c);
  Convolution wide = c;
  wide.down = padded(c.down), wide.across = padded(c.across);
  const size_t row = wide.across.size * c.channels, image = wide.down.size * row, line = c.across.size * c.channels;
  thread_local Buffer<T> copies;
  if (!copies.resize(c.images * image)) return false;
  T* const to = copies.data();
  const size_t per_block = std::max<size_t>(1, kBlockElements / std::max<size_t>(1, image));
  parallel_for(blocks_of(c.images, per_block), [&](size_t block) {
    const size_t first = block * per_block, last = std::min(c.images, first + per_block);
    std::fill(to + first * image, to + last * image, T(0));
    for (size_t n = first; n < last; ++n)
      for (size_t i = 0; i < c.down.size; ++i)
        std::copy_n(x + (n * c.down.size + i) * line, line,
                    to + n * image + (i + c.down.padding) * row + c.across.padding * c.channels);
  });
  return f(static_cast<const T*>(to), wide);
}

// Whether no product with zeros is NaN.
template <class T> bool are_finite(const T* x, size_t n) {
  const auto kernel = of<T>(kernels()).all_finite;
  std::atomic<bool> finite{true};
  parallel_for(blocks_of(n), [&](size_t block) {
    const size_t begin = block * kBlockElements;
    if (!kernel(x + begin, std::min(kBlockElements, n - begin))) finite.store(false, std::memory_order_relaxed);
  });
  return finite;
}

// How many blocks of positions a gradient by the filter is summed over: a power of two, of so many positions at least
// and in not much memory.
size_t position_blocks(const Convolution& c) {
  constexpr size_t kLeastPositions = 8192, kMostElements = size_t(1) << 20;
  const size_t elements = patch_elements(c) * c.outputs;
  size_t blocks = 1;
  while (blocks < 64 && positions(c) / (2 * blocks) >= kLeastPositions && 2 * blocks * elements <= kMostElements)
    blocks *= 2;
  return blocks;
}

// The part of the sum that a block has.
template <class T>
bool filter_gradient(T* out, const T* x, const T* dy, const Convolution& c, size_t begin, size_t count) {
  const size_t image = c.down.outputs * c.across.outputs;
  if (is_direct_by_filter(c) && begin % image == 0 && count % image == 0 &&
      (c.down.padding + c.across.padding == 0 || are_finite(dy + begin * c.outputs, count * c.outputs))) {
    Convolution part = c;
    part.images = count / image;
    const T* const first = x + begin / image * c.down.size * c.across.size * c.channels;
    return direct_by_filter(out, first, dy + begin * c.outputs, part);
  }
  return each_group(c, [&](size_t group) {
    const size_t outputs = c.outputs / c.groups;
    Gemm<T> g = {};
    g.m = patch_elements(c), g.n = outputs, g.k = count;
    take_patches(g, x, c, group);
    if (g.a_patches.images) g.a_patches.row = begin;
    else g.a += begin * g.lda;
    g.transpose_a = true;
    g.b = present(dy) + begin * c.outputs + group * outputs, g.ldb = c.outputs;
    g.c = out + group * outputs, g.ldc = c.outputs;
    return gemm(g);
  });
}

template <class T> bool filter_gradient_in_blocks(T* dfilter, const T* x, const T* dy, const Convolution& c) {
  const size_t elements = patch_elements(c) * c.outputs, blocks = position_blocks(c), count = positions(c);
  if (elements == 0) return true;
  if (blocks == 1) return filter_gradient(dfilter, x, dy, c, 0, count);
  thread_local Buffer<T> sums;
  if (!sums.resize((blocks - 1) * elements)) return false;
  T* const others = sums.data();
  const size_t part = count / blocks;
  std::atomic<bool> found_memory{true};
  parallel_for(blocks, [&](size_t block) {
    T* const out = block == 0 ? dfilter : others + (block - 1) * elements;
    const size_t begin = block * part, end = block + 1 == blocks ? count : begin + part;
    if (!filter_gradient(out, x, dy, c, begin, end - begin)) found_memory = false;
  });
  if (!found_memory) return false;
  const auto add = of<T>(kernels()).add_scaled;
  parallel_for(blocks_of(elements), [&](size_t block) {
    const size_t begin = block * kBlockElements, n = std::min(kBlockElements, elements - begin);
    for (size_t other = 0; other + 1 < blocks; ++other) add(dfilter + begin, others + other * elements + begin, 1.0, n);
  });
  return true;
}

// For more channels a gradient that could be read where it lies is copied: rows of the copy do not share places of the
// cache.
constexpr size_t kReadInPlace = 128;

// Whether the phase's pixels went into one output each, the first into the first, and all outputs are there: a matrix
// as it lies.
bool is_whole(const Phase& phase) {
  const PatchAxis& axis = phase.of_gradient;
  return axis.taps == 1 && axis.origin == 0 && axis.positions == axis.size;
}

// The products of a phase's pixels: what they went into, times what it was multiplied by there.
template <class T>
Gemm<T> phase_product(T* dx, const T* dy, const T* filter, const Convolution& c, const Phase& down,
                      const Phase& across) {
  const size_t channels = c.channels / c.groups, outputs = c.outputs / c.groups;
  Gemm<T> g = {};
  g.m = c.images * down.of_gradient.positions * across.of_gradient.positions;
  g.n = channels;
  g.k = down.of_gradient.taps * across.of_gradient.taps * outputs;
  if (is_whole(down) && is_whole(across) && channels <= kReadInPlace) g.a = dy, g.lda = c.outputs;
  else g.a_patches = {dy, outputs, c.outputs, down.of_gradient, across.of_gradient, 0, 0};
  // The filter, transposed tap by tap: a row for each channel.
  const PatchAxis& taps = across.of_filter;
  const ptrdiff_t step = static_cast<ptrdiff_t>(channels);
  const PatchAxis rows = {taps.size * channels, channels, taps.taps, 1, taps.origin * step, taps.step * step};
  g.transpose_b = true;
  g.b_patches = {filter, outputs, c.outputs, down.of_filter, rows, 0, 0};
  g.c = dx + (down.first * c.across.size + across.first) * c.channels, g.ldc = c.channels;
  if (has_phases(c)) {
    const size_t row = c.across.size * c.channels;
    g.placement = {across.of_gradient.positions, down.of_gradient.positions, c.across.stride * c.channels,
                   c.down.stride * row,          c.down.size * row,          0};
  }
  return g;
}

bool is_empty(const Phase& down, const Phase& across) {
  return down.of_gradient.taps == 0 || across.of_gradient.taps == 0;
}

// The pixels that the first phase's positions have to themselves.
PixelCell cell_of(const ConvolutionAxis& axis) { return {axis.stride, (axis.size - 1) % axis.stride + 1}; }

template <class T> bool pointwise_input_gradient(T* dx, const T* dy, const T* filter, const Convolution& c) {
  return each_group(c, [&](size_t group) {
    const size_t channels = c.channels / c.groups, outputs = c.outputs / c.groups;
    Gemm<T> g = {};
    g.m = positions(c), g.n = channels, g.k = outputs;
    g.a = dy + group * outputs, g.lda = c.outputs;
    g.b = filter + group * outputs, g.ldb = c.outputs, g.transpose_b = true;
    g.c = dx + group * channels, g.ldc = c.channels;
    return gemm(g);
  });
}

}  // namespace

template <class T>
bool conv2d(T* y, const T* images, const T* filter, const T* bias, bool relu, const Convolution& given) {
  if (is_planar_forward(given) ||
      (is_direct_forward(given) && are_finite(filter, patch_elements(given) * given.outputs)))
    return direct_forward(y, images, filter, bias, relu, given);
  return with_zeros_around(images, given, [&](const T* x, const Convolution& c) {
    return each_group(c, [&](size_t group) {
      const size_t outputs = c.outputs / c.groups;
      Gemm<T> g = {};
      g.m = positions(c), g.n = outputs, g.k = patch_elements(c);
      take_patches(g, x, c, group);
      g.b = present(filter) + group * outputs, g.ldb = c.outputs;
      g.c = y + group * outputs, g.ldc = c.outputs;
      g.bias = bias ? bias + group * outputs : nullptr;
      g.activation = relu ? Activation::relu : Activation::none;
      return gemm(g);
    });
  });
}

template <class T> bool conv2d_input_gradient(T* dx, const T* dy, const T* filter, const Convolution& c) {
  const size_t elements = c.images * c.down.size * c.across.size * c.channels;
  if (elements == 0) return true;
  if (positions(c) * c.outputs == 0 || patch_elements(c) == 0) {
    std::fill(dx, dx + elements, T(0));
    return true;
  }
  if (is_pointwise(c)) return pointwise_input_gradient(dx, dy, filter, c);
  if (is_planar_by_input(c) || (is_direct_by_input(c) && are_finite(filter, patch_elements(c) * c.outputs)))
    return direct_by_input(dx, dy, filter, c);
  // Pixels that went into nothing: a phase without taps. Where only the first has some, its products' rows bring zeros
  // for the others with them: each position has a cell of pixels of its own. With more channels than positions threads
  // share columns, and would write by turns along each row of pixels.
  size_t empty = 0, phases = 0;
  (void)each_phase(c, [&](const Phase& down, const Phase& across) {
    empty += is_empty(down, across), ++phases;
    return true;
  });
  const bool is_first_alone = empty > 0 && empty + 1 == phases && positions(c) > c.channels / c.groups &&
                              !is_empty(phase_of(c.down, 0), phase_of(c.across, 0));
  if (empty > 0 && !is_first_alone) {
    parallel_for(blocks_of(elements), [&](size_t block) {
      T* const first = dx + block * kBlockElements;
      std::fill(first, first + std::min(kBlockElements, elements - block * kBlockElements), T(0));
    });
  }
  return each_phase(c, [&](const Phase& down, const Phase& across) {
    if (is_empty(down, across)) return true;
    return each_group(c, [&](size_t group) {
      Gemm<T> g = phase_product(dx, dy, filter, c, down, across);
      if (is_first_alone) g.placement.cell_down = cell_of(c.down), g.placement.cell_across = cell_of(c.across);
      (g.a_patches.images ? g.a_patches.images : g.a) += group * (c.outputs / c.groups);
      g.b_patches.images += group * (c.outputs / c.groups);
      g.c += group * (c.channels / c.groups);
      return gemm(g);
    });
  });
}

template <class T> bool conv2d_filter_gradient(T* dfilter, const T* images, const T* dy, const Convolution& given) {
  return with_zeros_around(
      images, given, [&](const T* x, const Convolution& c) { return filter_gradient_in_blocks(dfilter, x, dy, c); });
}

#define GRADSTEP_INSTANTIATE(T)                                                        \
  template bool conv2d<T>(T*, const T*, const T*, const T*, bool, const Convolution&); \
  template bool conv2d_input_gradient<T>(T*, const T*, const T*, const Convolution&);  \
  template bool conv2d_filter_gradient<T>(T*, const T*, const T*, const Convolution&);
GRADSTEP_INSTANTIATE(float)
GRADSTEP_INSTANTIATE(double)
#undef GRADSTEP_INSTANTIATE

}  // namespace gradstep
