#include "planes.h"

#include <algorithm>

#include "../runtime/dispatch.h"
#include "../runtime/pool.h"
#include "blocks.h"
#include "scratch.h"

namespace gradstep {
namespace {

constexpr size_t kStripElements = 1 << 15;  // of its planes and results: 128 KiB
constexpr size_t kLeastRows = 4;

// Pixels between what the first and the last tap see.
size_t reach_of(const PatchAxis& axis) { return axis.taps == 0 ? 0 : (axis.taps - 1) * static_cast<size_t>(axis.step); }

// From one plane to the next: a vector more, and an odd number of them, so that planes do not share places of the
// cache.
size_t plane_step(size_t elements) { return ((elements / kGemmColumnStep + 2) | 1) * kGemmColumnStep; }

// Pixels one after the other to planes that lie `to_step` apart.
template <class T> void to_planes(T* to, size_t to_step, const T* from, size_t channels, size_t positions) {
  if (channels == 1) std::copy_n(from, positions, to);
  else of<T>(kernels()).transpose(to, to_step, from, channels, positions, channels);
}

// Planes that lie `from_step` apart to pixels that lie `to_step` apart.
template <class T>
void from_planes(T* to, size_t to_step, const T* from, size_t from_step, size_t n, size_t positions) {
  if (n == 1 && to_step == 1) std::copy_n(from, positions, to);
  else of<T>(kernels()).transpose(to, to_step, from, from_step, n, positions);
}

template <class T> class Strips {
 public:
  explicit Strips(const Windows<T>& windows)
      : w(windows), width(w.across.positions + reach_of(w.across)), reach(reach_of(w.down)) {
    const size_t in_memory = kStripElements / ((w.channels + w.n) * width);
    const size_t wanted = blocks_of(2 * threads(), w.images);
    const size_t fair = threads() == 1 ? w.down.positions : blocks_of(w.down.positions, wanted);
    const size_t most = std::max(kLeastRows, std::min(fair, in_memory > reach ? in_memory - reach : 0));
    per_image = blocks_of(w.down.positions, most);
    rows = blocks_of(w.down.positions, per_image);
    plane = plane_step((rows + reach) * width);
    result = plane_step(rows * width);
  }

  size_t count() const { return w.images * per_image; }
  size_t bytes() const { return (w.channels * plane + w.n * result) * sizeof(T); }

  void run(size_t strip, T* planes) const {
    const size_t image = strip / per_image, first = strip % per_image * rows;
    const size_t count = std::min(rows, w.down.positions - first);
    T* const results = planes + w.channels * plane;
    copy(planes, image, first, count + reach);
    multiply(results, planes, count);
    for (size_t i = 0; i < count; ++i)
      from_planes(w.y + image * w.y_image + (first + i) * w.y_down, w.y_across, results + i * width, result, w.n,
                  w.across.positions);
  }

 private:
  // Rows of pixels that the taps of these positions see; zeros where there are none, and behind.
  void copy(T* planes, size_t image, size_t first, size_t count) const {
    const size_t line = w.across.size * w.channels;
    const T* const x = w.x + image * w.down.size * line;
    // Of a plane's row, pixels [begin, end) are there.
    const ptrdiff_t origin = w.across.origin, size = static_cast<ptrdiff_t>(w.across.size);
    const size_t begin = std::min(width, static_cast<size_t>(std::max<ptrdiff_t>(0, -origin)));
    const size_t end = std::clamp(static_cast<size_t>(std::max<ptrdiff_t>(0, size - origin)), begin, width);
    std::fill(planes, planes + w.channels * plane, T(0));
    for (size_t i = 0; i < count && begin < end; ++i) {
      const size_t y = pixel_at(w.down, first + i, 0);
      if (y >= w.down.size) continue;
      const T* const from = x + y * line + static_cast<size_t>(static_cast<ptrdiff_t>(begin) + origin) * w.channels;
      to_planes(planes + i * width + begin, plane, from, w.channels, end - begin);
    }
  }

  void multiply(T* results, const T* planes, size_t count) const {
    if (w.down.taps * w.across.taps == 0) {
      std::fill(results, results + w.n * result, T(0));
      return;
    }
    const size_t elements = w.channels * w.n;
    GemmLine<T> g = {};
    g.m = w.n, g.n = count * width - reach_of(w.across);
    g.turns = w.down.taps, g.segments = w.across.taps, g.k = w.channels;
    g.transpose_a = true;
    g.a = w.b, g.a_step = w.n, g.a_segment = elements, g.a_turn = w.across.taps * elements;
    g.b = planes, g.b_step = plane;
    g.b_segment = static_cast<size_t>(w.across.step), g.b_turn = static_cast<size_t>(w.down.step) * width;
    g.c = results, g.ldc = result;
    g.bias = w.bias, g.bias_per_row = true, g.activation = w.activation;
    of<T>(kernels()).gemm_line(g);
  }

  const Windows<T>& w;
  const size_t width, reach;  // of a row of a plane; rows that the windows of a strip see more than it has
  size_t per_image, rows, plane, result;
};

}  // namespace

bool is_by_planes(const ConvolutionAxis& down, const ConvolutionAxis& across, size_t channels, size_t n) {
  constexpr size_t kMostElements = size_t(1) << 18;  // of the planes of a strip
  const double width = double(across.size) + double(across.outputs) + double(across.window) * double(across.dilation);
  const double height = double(kLeastRows) + double(down.window) * double(down.dilation);
  return n > 0 && n < kGemmColumnStep && channels > 0 && width * height * double(channels) <= double(kMostElements);
}

template <class T> bool run_planes(const Windows<T>& w) {
  if (w.images * w.down.positions * w.across.positions == 0) return true;
  const Strips<T> strips(w);
  return parallel_with_scratch(strips.count(), strips.bytes(),
                               [&](size_t strip, char* memory) { strips.run(strip, reinterpret_cast<T*>(memory)); });
}

template bool run_planes<float>(const Windows<float>&);
template bool run_planes<double>(const Windows<double>&);

}  // namespace gradstep
