#include "pools.h"

#include <algorithm>

#include "../runtime/buffer.h"
#include "../runtime/dispatch.h"
#include "../runtime/pool.h"
#include "blocks.h"
#include "phases.h"

namespace gradstep {
namespace {

// f(first row, count) for blocks of rows whose work is so many elements each; rows are numbered through all images.
template <class F> void each_block_of_rows(size_t rows, size_t elements, F f) {
  const size_t per_block = std::max<size_t>(1, kBlockElements / std::max<size_t>(1, elements));
  if (rows <= per_block) return f(size_t(0), rows);
  parallel_for(blocks_of(rows, per_block), [&](size_t block) {
    const size_t row = block * per_block;
    f(row, std::min(per_block, rows - row));
  });
}

size_t taps(const Convolution& c) { return c.down.window * c.across.window; }

template <class T> Depthwise<T> depthwise_of(const Convolution& c) {
  Depthwise<T> d = {};
  d.down = window_of(c.down), d.across = window_of(c.across);
  d.filter_down = {c.down.window, 1, c.down.window, 0, 0, 1};
  d.filter_across = {c.across.window, 1, c.across.window, 0, 0, 1};
  d.channels = c.channels;
  const size_t row = c.across.outputs * c.channels;
  d.placement = {c.across.outputs, c.down.outputs, c.channels, row, c.down.outputs * row, 0};
  return d;
}

template <class T> void run_depthwise(const Depthwise<T>& d, size_t images) {
  const auto kernel = of<T>(kernels()).depthwise;
  each_block_of_rows(images * d.down.positions, d.across.positions * d.channels * d.down.taps * d.across.taps,
                     [&](size_t row, size_t count) { kernel(d, row, count); });
}

}  // namespace

template <class T> void pool(PoolKind kind, T* y, const T* x, const Convolution& c) {
  if (c.images * c.down.outputs * c.across.outputs * c.channels == 0) return;
  Pool<T> p = {};
  p.down = window_of(c.down), p.across = window_of(c.across), p.channels = c.channels;
  p.x = x, p.y = y;
  const auto kernel = kind == PoolKind::max ? of<T>(kernels()).max_pool : of<T>(kernels()).avg_pool;
  each_block_of_rows(c.images * c.down.outputs, c.across.outputs * c.channels * taps(c),
                     [&](size_t row, size_t count) { kernel(p, row, count); });
}

template <class T> void pool_gradient(PoolKind kind, T* dx, const T* dy, const T* x, const T* y, const Convolution& c) {
  const size_t elements = c.images * c.down.size * c.across.size * c.channels;
  if (elements == 0) return;
  if (c.down.outputs * c.across.outputs == 0) return std::fill(dx, dx + elements, T(0));
  Pool<T> p = {};
  p.down = window_of(c.down), p.across = window_of(c.across), p.channels = c.channels;
  p.dx = dx, p.dy = dy;
  const bool is_mean = kind == PoolKind::mean;
  p.x = is_mean ? dx : x, p.y = const_cast<T*>(is_mean ? dy : y);
  p.is_rectified = kind == PoolKind::max_of_relu;
  const Kernels<T>& table = of<T>(kernels());
  const auto kernel = is_mean ? table.avg_pool_gradient : table.max_pool_gradient;
  constexpr size_t kChannels = 64;  // at a time
  const size_t parts = blocks_of(c.channels, kChannels);
  const auto run = [&](size_t index) {
    const size_t begin = index % parts * kChannels;
    kernel(p, index / parts, begin, std::min(begin + kChannels, c.channels));
  };
  if (elements >= kBlockElements) return parallel_for(c.images * parts, run);
  for (size_t index = 0; index < c.images * parts; ++index) run(index);
}

template <class T> void depthwise(T* y, const T* x, const T* filter, const Convolution& c) {
  if (c.images * c.down.outputs * c.across.outputs * c.channels == 0) return;
  Depthwise<T> d = depthwise_of<T>(c);
  d.x = x, d.filter = filter, d.y = y;
  run_depthwise(d, c.images);
}

template <class T> void depthwise_input_gradient(T* dx, const T* dy, const T* filter, const Convolution& c) {
  const size_t elements = c.images * c.down.size * c.across.size * c.channels;
  if (elements == 0) return;
  if (c.down.outputs * c.across.outputs * taps(c) == 0) return std::fill(dx, dx + elements, T(0));
  const size_t row = c.across.size * c.channels;
  each_phase(c, [&](const Phase& down, const Phase& across) {
    Depthwise<T> d = {};
    d.down = down.of_gradient, d.across = across.of_gradient;
    d.filter_down = down.of_filter, d.filter_across = across.of_filter;
    d.channels = c.channels;
    d.x = dy, d.filter = filter, d.y = dx + (down.first * c.across.size + across.first) * c.channels;
    d.placement = {d.across.positions,  d.down.positions,  c.across.stride * c.channels,
                   c.down.stride * row, c.down.size * row, 0};
    run_depthwise(d, c.images);
    return true;
  });
}

template <class T> bool depthwise_filter_gradient(T* dfilter, const T* x, const T* dy, const Convolution& c) {
  const size_t elements = taps(c) * c.channels, rows = c.images * c.down.outputs;
  if (elements == 0) return true;
  if (rows == 0 || c.across.outputs == 0) return std::fill(dfilter, dfilter + elements, T(0)), true;
  Depthwise<T> d = depthwise_of<T>(c);
  d.x = x, d.dy = dy;
  const auto kernel = of<T>(kernels()).depthwise_filter_gradient;
  // As of conv2d's filter: a sum over each of some blocks of positions, and these added in order.
  const size_t per_block = std::max<size_t>(1, 8192 / std::max<size_t>(1, c.across.outputs));
  const size_t blocks = std::min<size_t>(64, std::max<size_t>(1, rows / per_block));
  thread_local Buffer<T> sums;
  if (!sums.resize((blocks - 1) * elements)) return false;
  T* const others = sums.data();
  const size_t part = rows / blocks;
  parallel_for(blocks, [&](size_t block) {
    Depthwise<T> some = d;
    some.dfilter = block == 0 ? dfilter : others + (block - 1) * elements;
    std::fill(some.dfilter, some.dfilter + elements, T(0));
    kernel(some, block * part, block + 1 == blocks ? rows - block * part : part);
  });
  for (size_t other = 0; other + 1 < blocks; ++other)
    of<T>(kernels()).add_scaled(dfilter, others + other * elements, 1.0, elements);
  return true;
}

#define GRADSTEP_INSTANTIATE(T)                                                                   \
  template void pool<T>(PoolKind, T*, const T*, const Convolution&);                              \
  template void pool_gradient<T>(PoolKind, T*, const T*, const T*, const T*, const Convolution&); \
  template void depthwise<T>(T*, const T*, const T*, const Convolution&);                         \
  template void depthwise_input_gradient<T>(T*, const T*, const T*, const Convolution&);          \
  template bool depthwise_filter_gradient<T>(T*, const T*, const T*, const Convolution&);
GRADSTEP_INSTANTIATE(float)
GRADSTEP_INSTANTIATE(double)
#undef GRADSTEP_INSTANTIATE

}  // namespace gradstep
