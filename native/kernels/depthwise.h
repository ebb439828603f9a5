// Convolutions of each channel with a filter of its own.
#pragma once
#include "../simd/simd.h"
#include "pool.h"
#include "window_args.h"

namespace gradstep::SIMD_ISA {

constexpr size_t kDepthwisePixels = 4;  // at a time: a factor is read once for them

// `count` pixels of a row from pixel j on, in the channels from `c` on.
template <class V, size_t kPixels, class... Lanes>
INL void depthwise_pixels(const Depthwise<typename V::Scalar>& d, const typename V::Scalar* image,
                          typename V::Scalar* y, size_t i, size_t j, size_t c, Lanes... lanes) {
  V sum[kPixels];
  for (V& s : sum) s = V(0);
  for (size_t down = 0; down < d.down.taps; ++down) {
    const size_t row = pixel_at(d.down, i, down);
    const auto* const x = row < d.down.size ? image + row * d.across.size * d.channels + c : nullptr;
    const auto* const line = d.filter + pixel_at(d.filter_down, 0, down) * d.filter_across.size * d.channels + c;
    for (size_t across = 0; across < d.across.taps; ++across) {
      const V factor = load(line + pixel_at(d.filter_across, 0, across) * d.channels, lanes...);
      const size_t first = pixel_at(d.across, j, across), step = static_cast<size_t>(d.across.stride);
#pragma GCC unroll 4
      for (size_t q = 0; q < kPixels; ++q) {
        const size_t at = first + q * step;
        const bool sees = x != nullptr && at < d.across.size;
        sum[q] = fma(sees ? load(x + at * d.channels, lanes...) : V(0), factor, sum[q]);
      }
    }
  }
#pragma GCC unroll 4
  for (size_t q = 0; q < kPixels; ++q) store(y + q * d.placement.step + c, sum[q], lanes...);
}

// `count` rows of positions from row `begin` on, rows being numbered through all images.
template <class V> static void depthwise(const Depthwise<typename V::Scalar>& d, size_t begin, size_t count) {
  const size_t pixels = d.down.size * d.across.size, positions = d.across.positions;
  for (size_t row = begin; row < begin + count; ++row) {
    const size_t i = row % d.down.positions, image = row / d.down.positions;
    const auto* const x = d.x + image * pixels * d.channels;
    auto* const y = d.y + image * d.placement.image_step + i * d.placement.row_step;
    pool_channels<V>(0, d.channels, [&](size_t c, auto... lanes) ALWAYS_INLINE {
      size_t j = 0;
      for (; j + kDepthwisePixels <= positions; j += kDepthwisePixels)
        depthwise_pixels<V, kDepthwisePixels>(d, x, y + j * d.placement.step, i, j, c, lanes...);
      for (; j < positions; ++j) depthwise_pixels<V, 1>(d, x, y + j * d.placement.step, i, j, c, lanes...);
    });
  }
}

// Adds what these rows of positions come to.
template <class V>
static void depthwise_filter_gradient(const Depthwise<typename V::Scalar>& d, size_t begin, size_t count) {
  const size_t pixels = d.down.size * d.across.size, positions = d.across.positions;
  for (size_t row = begin; row < begin + count; ++row) {
    const size_t i = row % d.down.positions;
    const auto* const image = d.x + row / d.down.positions * pixels * d.channels;
    const auto* const dy = d.dy + row * positions * d.channels;
    for (size_t tap = 0; tap < d.down.taps * d.across.taps; ++tap) {
      const size_t line = pixel_at(d.down, i, tap / d.across.taps);
      const auto* const x = line < d.down.size ? image + line * d.across.size * d.channels : nullptr;
      pool_channels<V>(0, d.channels, [&](size_t c, auto... lanes) ALWAYS_INLINE {
        auto* const to = d.dfilter + tap * d.channels + c;
        V sum = load(to, lanes...);
        for (size_t j = 0; j < positions; ++j) {
          const size_t at = pixel_at(d.across, j, tap % d.across.taps);
          const V value = x != nullptr && at < d.across.size ? load(x + at * d.channels + c, lanes...) : V(0);
          sum = fma(value, load(dy + j * d.channels + c, lanes...), sum);
        }
        store(to, sum, lanes...);
      });
    }
  }
}

}  // namespace gradstep::SIMD_ISA
