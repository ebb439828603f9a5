#include "convolution.h"

#include <algorithm>
#include <atomic>

#include "../runtime/buffer.h"
#include "../runtime/dispatch.h"
#include "../runtime/pool.h"
#include "blocks.h"
#include "gemm.h"
#include "phases.h"

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

// The products of a phase's pixels: what they went into, times what it was multiplied by there.
template <class T>
Gemm<T> phase_product(T* dx, const T* dy, const T* filter, const Convolution& c, const Phase& down,
                      const Phase& across) {
  const size_t channels = c.channels / c.groups, outputs = c.outputs / c.groups;
  Gemm<T> g = {};
  g.m = c.images * down.of_gradient.positions * across.of_gradient.positions;
  g.n = channels;
  g.k = down.of_gradient.taps * across.of_gradient.taps * outputs;
  g.a_patches = {dy, outputs, c.outputs, down.of_gradient, across.of_gradient, 0, 0};
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

// Of few channels, vectors along which would be empty for the most part: the products of each output with the whole
// filter, added to the pixels that the filter was laid on.
bool is_by_patches(const Convolution& c) { return c.groups == 1 && c.channels <= 8; }

template <class T> bool input_gradient_by_patches(T* dx, const T* dy, const T* filter, const Convolution& c) {
  constexpr size_t kElements = size_t(1) << 16;  // of products at a time
  const size_t elements = patch_elements(c), line = c.across.outputs, image = c.down.outputs * line;
  const size_t rows = std::max<size_t>(1, kElements / (line * elements)) * line;
  const size_t pixels = c.down.size * c.across.size * c.channels;
  const Patches<T> patches = {dx, c.channels, c.channels, window_of(c.down), window_of(c.across), 0, 0};
  std::atomic<bool> found_memory{true};
  parallel_for(c.images, [&](size_t n) {
    thread_local Buffer<T> products;
    bool good = products.resize(std::min(rows, image) * elements);
    std::fill(dx + n * pixels, dx + (n + 1) * pixels, T(0));
    for (size_t row = 0; row < image && good; row += rows) {
      Gemm<T> g = {};
      g.m = std::min(rows, image - row), g.n = elements, g.k = c.outputs;
      g.a = dy + (n * image + row) * c.outputs, g.lda = c.outputs;
      g.b = filter, g.ldb = c.outputs, g.transpose_b = true;
      g.c = products.data(), g.ldc = elements;
      good = gemm(g);
      if (good) of<T>(kernels()).add_patches(dx, products.data(), patches, n * image + row, g.m);
    }
    if (!good) found_memory = false;
  });
  return found_memory;
}

}  // namespace

template <class T> bool conv2d(T* y, const T* x, const T* filter, const T* bias, bool relu, const Convolution& c) {
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
}

template <class T> bool conv2d_input_gradient(T* dx, const T* dy, const T* filter, const Convolution& c) {
  const size_t elements = c.images * c.down.size * c.across.size * c.channels;
  if (elements == 0) return true;
  if (positions(c) * c.outputs == 0 || patch_elements(c) == 0) {
    std::fill(dx, dx + elements, T(0));
    return true;
  }
  if (is_pointwise(c)) return pointwise_input_gradient(dx, dy, filter, c);
  if (is_by_patches(c)) return input_gradient_by_patches(dx, dy, filter, c);
  return each_phase(c, [&](const Phase& down, const Phase& across) {
    return each_group(c, [&](size_t group) {
      Gemm<T> g = phase_product(dx, dy, filter, c, down, across);
      g.a_patches.images += group * (c.outputs / c.groups);
      g.b_patches.images += group * (c.outputs / c.groups);
      g.c += group * (c.channels / c.groups);
      return gemm(g);
    });
  });
}

template <class T> bool conv2d_filter_gradient(T* dfilter, const T* x, const T* dy, const Convolution& c) {
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

#define GRADSTEP_INSTANTIATE(T)                                                        \
  template bool conv2d<T>(T*, const T*, const T*, const T*, bool, const Convolution&); \
  template bool conv2d_input_gradient<T>(T*, const T*, const T*, const Convolution&);  \
  template bool conv2d_filter_gradient<T>(T*, const T*, const T*, const Convolution&);
GRADSTEP_INSTANTIATE(float)
GRADSTEP_INSTANTIATE(double)
#undef GRADSTEP_INSTANTIATE

}  // namespace gradstep
