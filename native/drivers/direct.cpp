#include "direct.h"

#include <algorithm>

#include "../runtime/buffer.h"
#include "../runtime/dispatch.h"
#include "../runtime/pool.h"
#include "blocks.h"
#include "edges.h"
#include "phases.h"
#include "planes.h"

namespace gradstep {
namespace {

constexpr size_t kMostImages = 16;              // at a time, of
constexpr size_t kNearElements = 65536;         // in all: they are read again for each panel
constexpr size_t kMostDepth = 2048;             // elements of a window: 256 KiB of a panel
constexpr double kLeastWork = double(1 << 16);  // multiplications

double work_of(const Convolution& c) {
  return double(c.images) * double(c.down.outputs) * double(c.across.outputs) * double(c.down.window) *
         double(c.across.window) * double(c.channels) * double(c.outputs);
}

bool is_pointwise(const ConvolutionAxis& axis) { return axis.window == 1; }

bool is_plain(const Convolution& c) {
  return c.groups == 1 && c.across.dilation == 1 && work_of(c) >= kLeastWork &&
         !(is_pointwise(c.down) && is_pointwise(c.across));
}

// Positions along an axis, or images.
struct Line { size_t count, x_step, y_step; };

// The rows of a product are positions along the axis that has most; a few suffice along a row of the image.
template <class T> void run_lines(GemmLine<T> g, const Line& images, const Line& down, const Line& across) {
  constexpr size_t kEnough = 8;
  const Line *row = &across, *outer = &images, *inner = &down;
  if (across.count < kEnough && std::max(down.count, images.count) > across.count) {
    row = down.count >= images.count ? &down : &images;
    outer = row == &down ? &images : &down, inner = &across;
  }
  const auto kernel = of<T>(kernels()).gemm_line;
  g.m = row->count, g.a_step = row->x_step, g.ldc = row->y_step;
  const T* const a = g.a;
  T* const c = g.c;
  for (size_t i = 0; i < outer->count; ++i) {
    for (size_t j = 0; j < inner->count; ++j) {
      g.a = a + i * outer->x_step + j * inner->x_step;
      g.c = c + i * outer->y_step + j * inner->y_step;
      kernel(g);
    }
  }
}

template <class T> void run_panel(const Windows<T>& w, size_t first_image, size_t images, size_t panel) {
  const size_t row = w.across.size * w.channels, image = w.down.size * row, begin = panel * kPanel;
  const size_t line = w.across.taps * w.channels;
  GemmLine<T> g = {};
  g.turns = 1;
  g.n = std::min(kPanel, w.n - begin);
  g.a_segment = static_cast<size_t>(w.down.step) * row;
  g.b_step = g.n, g.b_segment = line * g.n;
  g.bias = w.bias ? w.bias + begin : nullptr;
  g.activation = w.activation;
  each_stretch(w.down, [&](const Stretch& i) {
    each_stretch(w.across, [&](const Stretch& j) {
      GemmLine<T> part = g;
      part.segments = j.taps == 0 ? 0 : i.taps, part.k = j.taps * w.channels;
      const ptrdiff_t pixel = i.pixel * static_cast<ptrdiff_t>(w.across.size) + j.pixel;
      if (part.segments > 0) part.a = w.x + first_image * image + static_cast<size_t>(pixel) * w.channels;
      else part.a = w.x;
      part.b = w.b + begin * w.down.taps * line + (i.tap * line + j.tap * w.channels) * g.n;
      part.c = w.y + first_image * w.y_image + i.first * w.y_down + j.first * w.y_across + begin;
      run_lines(part, {images, image, w.y_image}, {i.count, static_cast<size_t>(w.down.stride) * row, w.y_down},
                {j.count, static_cast<size_t>(w.across.stride) * w.channels, w.y_across});
    });
  });
}

template <class T> void run_panels(const Windows<T>& w) {
  const size_t panels = blocks_of(w.n, kPanel), fair = w.images / (2 * threads());
  const size_t elements = w.down.size * w.across.size * w.channels;
  const size_t near = std::clamp<size_t>(kNearElements / elements, 1, kMostImages);
  const size_t chunk = threads() == 1 ? near : std::clamp<size_t>(fair, 1, near);
  parallel_for(blocks_of(w.images, chunk) * panels, [&](size_t unit) {
    const size_t first = unit / panels * chunk;
    run_panel(w, first, std::min(chunk, w.images - first), unit % panels);
  });
}

template <class T> bool run(const Windows<T>& w) {
  if (w.n < kGemmColumnStep) return run_planes(w);
  run_panels(w);
  return true;
}

// A filter's rows [rows, n] in panels.
template <class T> void pack_rows(T* to, const T* from, size_t rows, size_t n) {
  for (size_t begin = 0; begin < n; begin += kPanel) {
    const size_t width = std::min(kPanel, n - begin);
    for (size_t row = 0; row < rows; ++row, to += width) std::copy_n(from + row * n + begin, width, to);
  }
}

// Tap by tap, a row for each output, in the order in which the taps of a phase come.
template <class T>
void pack_turned(T* to, const T* filter, const Convolution& c, const PatchAxis& down, const PatchAxis& across) {
  const auto transpose = of<T>(kernels()).transpose;
  for (size_t begin = 0; begin < c.channels; begin += kPanel) {
    const size_t width = std::min(kPanel, c.channels - begin);
    for (size_t i = 0; i < down.taps; ++i) {
      for (size_t j = 0; j < across.taps; ++j, to += width * c.outputs) {
        const size_t tap = pixel_at(down, 0, i) * c.across.window + pixel_at(across, 0, j);
        transpose(to, width, filter + (tap * c.channels + begin) * c.outputs, c.outputs, width, c.outputs);
      }
    }
  }
}

size_t window_elements(const Convolution& c) { return c.down.window * c.across.window * c.channels; }

}  // namespace

bool is_direct_forward(const Convolution& c) {
  return is_plain(c) && c.outputs >= kGemmColumnStep && window_elements(c) <= kMostDepth;
}

bool is_planar_forward(const Convolution& c) {
  return c.groups == 1 && !has_phases(c) && !(is_pointwise(c.down) && is_pointwise(c.across)) &&
         is_by_planes(c.down, c.across, c.channels, c.outputs);
}

bool is_planar_by_input(const Convolution& c) {
  return c.groups == 1 && is_by_planes(c.down, c.across, c.outputs, c.channels);
}

bool is_direct_by_input(const Convolution& c) {
  return is_plain(c) && c.channels >= kGemmColumnStep && c.down.window * c.across.window * c.outputs <= kMostDepth;
}

// Sums are read and written once for each image: that has to be worth it.
bool is_direct_by_filter(const Convolution& c) {
  constexpr size_t kLeastPositions = 96;
  return is_plain(c) && c.down.outputs * c.across.outputs >= kLeastPositions;
}

template <class T>
bool direct_forward(T* y, const T* x, const T* filter, const T* bias, bool relu, const Convolution& c) {
  const size_t rows = window_elements(c);
  thread_local Buffer<T> panels;
  const bool is_panel = c.outputs < kGemmColumnStep || (c.outputs <= kPanel && c.outputs % kGemmColumnStep == 0);
  if (!is_panel) {
    if (!panels.resize(rows * c.outputs + kGemmColumnStep)) return false;
    pack_rows(panels.data(), filter, rows, c.outputs);
  }
  const size_t row = c.across.outputs * c.outputs;
  return run<T>({c.images, c.channels, window_of(c.down), window_of(c.across), x, is_panel ? filter : panels.data(), y,
                 c.outputs, c.down.outputs * row, row, c.outputs, bias, relu ? Activation::relu : Activation::none});
}

template <class T> bool direct_by_input(T* dx, const T* dy, const T* filter, const Convolution& c) {
  thread_local Buffer<T> panels;
  if (!panels.resize(window_elements(c) * c.outputs + kGemmColumnStep)) return false;
  const size_t row = c.across.size * c.channels;
  return each_phase(c, [&](const Phase& down, const Phase& across) {
    pack_turned(panels.data(), filter, c, down.of_filter, across.of_filter);
    return run<T>({c.images, c.outputs, down.of_gradient, across.of_gradient, dy, panels.data(),
                   dx + (down.first * c.across.size + across.first) * c.channels, c.channels, c.down.size * row,
                   c.down.stride * row, c.across.stride * c.channels, nullptr, Activation::none});
  });
}

// Vectors are read whole, those of an image's last position beyond it. What lies there changes nothing, but behind the
// last image may be no memory. It is copied then. Null when there is no memory.
template <class T> const T* with_memory_behind(const T* from, size_t elements, size_t n) {
  if (n % kGemmColumnStep == 0) return from;
  thread_local Buffer<T> copy;
  if (!copy.resize(elements + kGemmColumnStep)) return nullptr;
  std::copy_n(from, elements, copy.data());
  std::fill_n(copy.data() + elements, kGemmColumnStep, T(0));
  return copy.data();
}

template <class T> bool direct_by_filter(T* dfilter, const T* x, const T* dy, const Convolution& c) {
  const PatchAxis down = turned(window_of(c.down)), across = turned(window_of(c.across));
  const size_t row = c.across.size * c.channels, image = c.down.size * row;
  const size_t y_row = c.across.outputs * c.outputs, y_image = c.down.outputs * y_row;
  const size_t panels = blocks_of(c.outputs, kPanel), parts = threads() == 1 ? 1 : 2 * threads();
  const auto kernel = of<T>(kernels()).gemm_line;
  const T* const last = with_memory_behind(dy + (c.images - 1) * y_image, y_image, c.outputs);
  if (last == nullptr) return false;
  GemmLine<T> g = {};
  g.turns = 1;
  g.transpose_a = true;
  g.a_step = c.across.stride * c.channels, g.a_segment = c.down.stride * row;
  g.b_step = c.outputs, g.b_segment = y_row;
  g.ldc = c.outputs;
  // Of one tap down and those across that see the same positions, in a panel of outputs.
  const auto product = [&](size_t n, size_t tap, const Stretch& i, const Stretch& j, size_t panel) {
    GemmLine<T> part = g;
    part.m = j.count * c.channels, part.n = std::min(kPanel, c.outputs - panel * kPanel);
    part.segments = j.taps == 0 ? 0 : i.taps, part.k = j.taps;
    const ptrdiff_t pixel = i.pixel * static_cast<ptrdiff_t>(c.across.size) + j.pixel;
    part.a = part.segments > 0 ? x + n * image + static_cast<size_t>(pixel) * c.channels : x;
    part.b = (n + 1 == c.images ? last : dy + n * y_image) + i.tap * y_row + j.tap * c.outputs + panel * kPanel;
    part.c = dfilter + (tap * c.across.window + j.first) * c.channels * c.outputs + panel * kPanel;
    part.accumulate = n > 0;
    kernel(part);
  };
  parallel_for(parts, [&](size_t own) {
    for (size_t n = 0; n < c.images; ++n) {
      size_t number = 0;
      for (size_t tap = 0; tap < down.positions; ++tap) {
        const SeenTaps seen(down, tap);
        const Stretch i = {
            tap, 1, seen.first, seen.count,
            static_cast<ptrdiff_t>(tap) * down.stride + static_cast<ptrdiff_t>(seen.first) * down.step + down.origin};
        each_stretch(across, [&](const Stretch& j) {
          for (size_t panel = 0; panel < panels; ++panel, ++number)
            if (number % parts == own) product(n, tap, i, j, panel);
        });
      }
    }
  });
  return true;
}

#define GRADSTEP_INSTANTIATE(T)                                                                \
  template bool direct_forward<T>(T*, const T*, const T*, const T*, bool, const Convolution&); \
  template bool direct_by_input<T>(T*, const T*, const T*, const Convolution&);                \
  template bool direct_by_filter<T>(T*, const T*, const T*, const Convolution&);
GRADSTEP_INSTANTIATE(float)
GRADSTEP_INSTANTIATE(double)
#undef GRADSTEP_INSTANTIATE

}  // namespace gradstep
