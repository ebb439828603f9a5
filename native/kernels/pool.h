// Pools: the largest or the mean element that each window sees, channel by channel.
#pragma once
#include "../simd/simd.h"
#include "window_args.h"

namespace gradstep::SIMD_ISA {

// The taps of a window that see the image, and the pixels that they see.
struct PoolRange {
  static constexpr bool kIsWhole = false;
  size_t first, count;

  PoolRange(const PatchAxis& axis, size_t position) {
    const ptrdiff_t begin = static_cast<ptrdiff_t>(pixel_at(axis, position, 0));
    const ptrdiff_t end = begin + static_cast<ptrdiff_t>(axis.taps), size = static_cast<ptrdiff_t>(axis.size);
    first = static_cast<size_t>(begin > 0 ? begin : 0);
    count = static_cast<size_t>(end < size ? end : size) - first;
  }
};

// The same of windows that lie side by side and cover the image, whose size the compiler knows.
template <size_t kTaps> struct PoolTaps {
  static constexpr bool kIsWhole = true;
  static constexpr size_t count = kTaps;
  size_t first;

  PoolTaps(const PatchAxis&, size_t position) : first(position * kTaps) {}
};

// f(offset) for each pixel of a window, in order.
template <class Range, class F>
INL void pool_each(const Range& down, const Range& across, size_t width, size_t channels, F f) {
  for (size_t i = down.first; i < down.first + down.count; ++i)
    for (size_t j = across.first; j < across.first + across.count; ++j) f((i * width + j) * channels);
}

// Asks for the pixels that the next row of such windows will see: lines of an image's rows come in turns, which is more
// than the hardware foresees.
template <class Range, class T>
INL void pool_ahead(const Range& down, const Range& across, size_t width, size_t channels, T* pixels) {
  if constexpr (Range::kIsWhole) {
    pool_each(down, across, width, channels,
              [&](size_t at) ALWAYS_INLINE { __builtin_prefetch(pixels + at + Range::count * width * channels); });
  }
}

// f(begin, lanes...) for channels in vectors, the last one in part.
template <class V, class F> INL void pool_channels(size_t begin, size_t end, F f) {
  size_t c = begin;
  for (; c + V::kLanes <= end; c += V::kLanes) f(c);
  if (c < end) f(c, end - c);
}

namespace {  // lambdas of a member would be names for other instruction sets too

// The first of the largest; NaN where there is one. The gradient goes to the pixel that it came from.
template <class V> struct MaxOfPool {
  using T = typename V::Scalar;
  using Mask = typename V::Mask;

  template <class Range, class... Lanes>
  static ALWAYS_INLINE void forward(const Pool<T>& p, const T* x, T* y, const Range& down, const Range& across,
                                    Lanes... lanes) {
    pool_ahead<Range>(down, across, p.across.size, p.channels, x);
    V best = load(x + (down.first * p.across.size + across.first) * p.channels, lanes...);
    pool_each(down, across, p.across.size, p.channels, [&](size_t at) ALWAYS_INLINE {
      const V value = load(x + at, lanes...);
      best = select(is_nan(value), value, max(value, best));  // max is its second where they are equal, or one is NaN
    });
    store(y, best, lanes...);
  }

  template <class Range, class... Lanes>
  static ALWAYS_INLINE void backward(const Pool<T>& p, const T* x, const T* y, const T* dy, T* dx, const Range& down,
                                     const Range& across, bool apart, Lanes... lanes) {
    pool_ahead<Range>(down, across, p.across.size, p.channels, x);
    pool_ahead<Range>(down, across, p.across.size, p.channels, dx);
    const V best = load(y, lanes...), whole = load(dy, lanes...);
    const V gradient = p.is_rectified ? select(gt(best, V(0)), whole, V(0)) : whole;
    Mask open = eq(V(0), V(0));  // where the pixel has not been found yet
    pool_each(down, across, p.across.size, p.channels, [&](size_t at) ALWAYS_INLINE {
      const V value = load(x + at, lanes...);
      const Mask here = (eq(value, best) | is_nan(value)) & open;
      const V part = select(here, gradient, V(0));
      store(dx + at, (apart ? V(0) : load(dx + at, lanes...)) + part, lanes...);
      open = open & !here;
    });
  }
};

// The mean of what the window sees of the image.
template <class V> struct MeanOfPool {
  using T = typename V::Scalar;

  template <class Range, class... Lanes>
  static ALWAYS_INLINE void forward(const Pool<T>& p, const T* x, T* y, const Range& down, const Range& across,
                                    Lanes... lanes) {
    V sum = V(0);
    pool_each(down, across, p.across.size, p.channels,
              [&](size_t at) ALWAYS_INLINE { sum = sum + load(x + at, lanes...); });
    store(y, sum / V(static_cast<T>(down.count * across.count)), lanes...);
  }

  template <class Range, class... Lanes>
  static ALWAYS_INLINE void backward(const Pool<T>& p, const T*, const T*, const T* dy, T* dx, const Range& down,
                                     const Range& across, bool apart, Lanes... lanes) {
    const V part = load(dy, lanes...) / V(static_cast<T>(down.count * across.count));
    pool_each(down, across, p.across.size, p.channels, [&](size_t at) ALWAYS_INLINE {
      store(dx + at, (apart ? V(0) : load(dx + at, lanes...)) + part, lanes...);
    });
  }
};

}  // namespace

static inline bool pool_is_apart(const PatchAxis& axis) { return axis.stride >= static_cast<ptrdiff_t>(axis.taps); }
static inline bool pool_is_whole(const PatchAxis& axis) {
  return axis.origin == 0 && axis.stride == static_cast<ptrdiff_t>(axis.taps) &&
         axis.positions * axis.taps == axis.size;
}
static inline bool pool_is_halving(const PatchAxis& axis) { return pool_is_whole(axis) && axis.taps == 2; }

// `count` rows of windows from row `begin` on, rows being numbered through all images.
template <class V, template <class> class Kind, class Range>
static void pool_rows_of(const Pool<typename V::Scalar>& p, size_t begin, size_t count) {
  const size_t image = p.down.size * p.across.size * p.channels;
  auto* y = p.y + begin * p.across.positions * p.channels;
  for (size_t row = begin; row < begin + count; ++row) {
    const auto* const x = p.x + row / p.down.positions * image;
    const Range down(p.down, row % p.down.positions);
    for (size_t j = 0; j < p.across.positions; ++j, y += p.channels) {
      const Range across(p.across, j);
      pool_channels<V>(0, p.channels, [&](size_t c, auto... lanes) ALWAYS_INLINE {
        Kind<V>::forward(p, x + c, y + c, down, across, lanes...);
      });
    }
  }
}
template <class V, template <class> class Kind>
static void pool_rows(const Pool<typename V::Scalar>& p, size_t begin, size_t count) {
  const bool halves = !kForSize && pool_is_halving(p.down) && pool_is_halving(p.across);
  if (halves) pool_rows_of<V, Kind, PoolTaps<2>>(p, begin, count);
  else pool_rows_of<V, Kind, PoolRange>(p, begin, count);
}

// Channels [begin, end) of one image.
template <class V, template <class> class Kind, class Range>
static void pool_gradient_of(const Pool<typename V::Scalar>& p, size_t image, size_t begin, size_t end, bool apart) {
  const size_t channels = p.channels, pixels = p.down.size * p.across.size;
  const auto* const x = p.x + image * pixels * channels;
  auto* const dx = p.dx + image * pixels * channels;
  size_t at = image * p.down.positions * p.across.positions * channels;
  for (size_t i = 0; i < p.down.positions; ++i) {
    const Range down(p.down, i);
    for (size_t j = 0; j < p.across.positions; ++j, at += channels) {
      const Range across(p.across, j);
      pool_channels<V>(begin, end, [&](size_t c, auto... lanes) ALWAYS_INLINE {
        Kind<V>::backward(p, x + c, p.y + at + c, p.dy + at + c, dx + c, down, across, apart, lanes...);
      });
    }
  }
}
template <class V, template <class> class Kind>
static void pool_gradient(const Pool<typename V::Scalar>& p, size_t image, size_t begin, size_t end) {
  const size_t pixels = p.down.size * p.across.size, channels = p.channels;
  auto* const dx = p.dx + image * pixels * channels;
  if (!kForSize && pool_is_halving(p.down) && pool_is_halving(p.across))
    return pool_gradient_of<V, Kind, PoolTaps<2>>(p, image, begin, end, true);
  if (!pool_is_whole(p.down) || !pool_is_whole(p.across)) {
    for (size_t i = 0; i < pixels; ++i)
      pool_channels<V>(begin, end,
                       [&](size_t c, auto... lanes) ALWAYS_INLINE { store(dx + i * channels + c, V(0), lanes...); });
  }
  pool_gradient_of<V, Kind, PoolRange>(p, image, begin, end, pool_is_apart(p.down) && pool_is_apart(p.across));
}

template <class V> static void max_pool(const Pool<typename V::Scalar>& p, size_t begin, size_t count) {
  pool_rows<V, MaxOfPool>(p, begin, count);
}
template <class V> static void avg_pool(const Pool<typename V::Scalar>& p, size_t begin, size_t count) {
  pool_rows<V, MeanOfPool>(p, begin, count);
}
template <class V>
static void max_pool_gradient(const Pool<typename V::Scalar>& p, size_t image, size_t begin, size_t end) {
  pool_gradient<V, MaxOfPool>(p, image, begin, end);
}
template <class V>
static void avg_pool_gradient(const Pool<typename V::Scalar>& p, size_t image, size_t begin, size_t end) {
  pool_gradient<V, MeanOfPool>(p, image, begin, end);
}

}  // namespace gradstep::SIMD_ISA
