// Convolutions, pools and their gradients against plain loops, byte for byte, on every instruction set this machine has
// and on one to three threads. Arrays end where their page ends: reading or writing past one is a crash.
#include <math.h>
#include <stdio.h>

#include <vector>

#include "../drivers/convolution.h"
#include "../drivers/pools.h"
#include "../runtime/dispatch.h"
#include "../runtime/pool.h"
#include "check.h"
#include "guarded.h"

using namespace gradstep;

namespace {

std::mt19937 source(1);

size_t below(size_t n) { return source() % n; }

ConvolutionAxis some_axis(size_t most) {
  ConvolutionAxis axis = {};
  axis.size = 1 + below(most);
  axis.window = 1 + below(4);
  axis.stride = 1 + below(3);
  axis.dilation = 1 + below(3);
  axis.padding = below(4);
  const size_t behind = below(4), reach = (axis.window - 1) * axis.dilation + 1;
  const size_t padded = axis.size + axis.padding + behind;
  axis.outputs = padded < reach ? 0 : (padded - reach) / axis.stride + 1;
  return axis;
}

ptrdiff_t seen(const ConvolutionAxis& a, size_t output, size_t tap) {
  return ptrdiff_t(output * a.stride + tap * a.dilation) - ptrdiff_t(a.padding);
}

// f(image, i, j) for every position of so many by so many.
template <class F> void each(size_t images, size_t down, size_t across, F f) {
  for (size_t n = 0; n < images; ++n)
    for (size_t i = 0; i < down; ++i)
      for (size_t j = 0; j < across; ++j) f(n, i, j);
}

template <class T> struct Plain {
  const Convolution& c;
  const T *x, *filter, *dy;
  size_t channels = c.channels / c.groups, outputs = c.outputs / c.groups;

  static bool inside(const ConvolutionAxis& a, ptrdiff_t i) { return i >= 0 && i < ptrdiff_t(a.size); }
  T pixel(size_t n, ptrdiff_t i, ptrdiff_t j, size_t channel) const {
    if (!inside(c.down, i) || !inside(c.across, j)) return 0;
    return x[((n * c.down.size + size_t(i)) * c.across.size + size_t(j)) * c.channels + channel];
  }
  T gradient(size_t n, ptrdiff_t i, ptrdiff_t j, size_t output) const {
    if (i < 0 || j < 0 || i >= ptrdiff_t(c.down.outputs) || j >= ptrdiff_t(c.across.outputs)) return 0;
    return dy[((n * c.down.outputs + size_t(i)) * c.across.outputs + size_t(j)) * c.outputs + output];
  }
  size_t factor(size_t di, size_t dj, size_t channel, size_t output) const {
    return ((di * c.across.window + dj) * channels + channel) * c.outputs + output;
  }

  void forward(T* y, const T* bias, bool relu) const {
    each(c.images, c.down.outputs, c.across.outputs, [&](size_t n, size_t i, size_t j) {
      for (size_t o = 0; o < c.outputs; ++o, ++y) {
        T sum = 0;
        each(c.down.window, c.across.window, channels, [&](size_t di, size_t dj, size_t ch) {
          sum = fma(pixel(n, seen(c.down, i, di), seen(c.across, j, dj), o / outputs * channels + ch),
                    filter[factor(di, dj, ch, o)], sum);
        });
        if (bias) sum += bias[o];
        *y = relu && sum <= 0 ? T(0) : sum;
      }
    });
  }

  // The output into which pixel i went by tap t; false where there is none between two.
  static bool went(const ConvolutionAxis& a, size_t i, size_t t, ptrdiff_t& output) {
    const ptrdiff_t s = ptrdiff_t(a.stride), at = ptrdiff_t(i + a.padding) - ptrdiff_t(t * a.dilation);
    output = at / s;
    return at % s == 0;
  }

  void by_input(T* dx) const {
    each(c.images, c.down.size, c.across.size, [&](size_t n, size_t i, size_t j) {
      for (size_t ch = 0; ch < c.channels; ++ch, ++dx) {
        *dx = 0;
        if (c.down.outputs * c.across.outputs == 0) continue;
        each(c.down.window, c.across.window, outputs, [&](size_t up, size_t left, size_t o) {
          const size_t di = c.down.window - 1 - up, dj = c.across.window - 1 - left;
          const size_t output = ch / channels * outputs + o;
          ptrdiff_t down, across;
          if (!went(c.down, i, di, down) || !went(c.across, j, dj, across)) return;
          *dx = fma(gradient(n, down, across, output), filter[factor(di, dj, ch % channels, output)], *dx);
        });
      }
    });
  }

  void by_filter(T* df) const {
    each(c.down.window, c.across.window, channels, [&](size_t di, size_t dj, size_t ch) {
      for (size_t o = 0; o < c.outputs; ++o, ++df) {
        *df = 0;
        each(c.images, c.down.outputs, c.across.outputs, [&](size_t n, size_t i, size_t j) {
          *df = fma(pixel(n, seen(c.down, i, di), seen(c.across, j, dj), o / outputs * channels + ch),
                    gradient(n, ptrdiff_t(i), ptrdiff_t(j), o), *df);
        });
      }
    });
  }
};

void describe(const char* what, const char* how, size_t bits, const Convolution& c) {
  printf("FAILED %s %s f%zu images=%zu channels=%zu outputs=%zu groups=%zu", what, how, bits, c.images, c.channels,
         c.outputs, c.groups);
  for (const ConvolutionAxis& a : {c.down, c.across})
    printf("  size=%zu outputs=%zu window=%zu stride=%zu dilation=%zu padding=%zu", a.size, a.outputs, a.window,
           a.stride, a.dilation, a.padding);
  printf("\n");
}

// Runs on every instruction set, then on more threads.
template <class T, class Run>
void expect(const char* what, const Convolution& c, const std::vector<T>& expected, Run run) {
  Guarded<T> out(expected.size());
  const auto once = [&](const char* how) {
    for (size_t i = 0; i < expected.size(); ++i) out.data()[i] = T(7);
    if (run(out.data()) && same(out.data(), expected.data(), expected.size())) ++passed;
    else ++failed, describe(what, how, 8 * sizeof(T), c);
  };
  set_threads(1);
  for (const KernelTable* table : available_isas()) {
    use_isa(table->isa);
    once(table->isa);
  }
  use_isa(available_isas().tables[0]->isa);
  set_threads(2);
  once("2 threads");
  set_threads(3);
  once("3 threads");
}

struct ValuesOf { Values images, filter, gradient; };

template <class T> void check_convolution(const Convolution& c, const ValuesOf& values) {
  const size_t xs = c.images * c.down.size * c.across.size * c.channels;
  const size_t ys = c.images * c.down.outputs * c.across.outputs * c.outputs;
  const size_t fs = c.down.window * c.across.window * (c.channels / c.groups) * c.outputs;
  Guarded<T> x(xs), filter(fs), dy(ys), bias(c.outputs);
  fill(x.data(), xs, values.images, source);
  fill(filter.data(), fs, values.filter, source);
  fill(dy.data(), ys, values.gradient, source);
  fill(bias.data(), c.outputs, values.images, source);
  const Plain<T> plain = {c, x.data(), filter.data(), dy.data()};
  std::vector<T> y(ys), dx(xs), df(fs);
  const bool with_bias = below(2) == 0, relu = below(2) == 0;
  plain.forward(y.data(), with_bias ? bias.data() : nullptr, relu);
  expect("conv2d", c, y,
         [&](T* out) { return conv2d<T>(out, x.data(), filter.data(), with_bias ? bias.data() : nullptr, relu, c); });
  plain.by_input(dx.data());
  expect("input gradient", c, dx, [&](T* out) { return conv2d_input_gradient<T>(out, dy.data(), filter.data(), c); });
  plain.by_filter(df.data());
  expect("filter gradient", c, df, [&](T* out) { return conv2d_filter_gradient<T>(out, x.data(), dy.data(), c); });
  if (c.groups == 1 || c.groups != c.channels || c.outputs != c.channels) return;
  plain.forward(y.data(), nullptr, false);
  expect("depthwise", c, y, [&](T* out) { return depthwise<T>(out, x.data(), filter.data(), c), true; });
  expect("depthwise input gradient", c, dx,
         [&](T* out) { return depthwise_input_gradient<T>(out, dy.data(), filter.data(), c), true; });
  expect("depthwise filter gradient", c, df,
         [&](T* out) { return depthwise_filter_gradient<T>(out, x.data(), dy.data(), c); });
}

template <class T> void check_convolution(const Convolution& c, Values values) {
  check_convolution<T>(c, {values, values, values});
}

// f(offset) for what a window sees of image n, in order.
template <class F> void each_seen(const Convolution& c, size_t n, size_t i, size_t j, F f) {
  each(1, c.down.window, c.across.window, [&](size_t, size_t di, size_t dj) {
    const ptrdiff_t y = seen(c.down, i, di), x = seen(c.across, j, dj);
    if (y < 0 || x < 0 || y >= ptrdiff_t(c.down.size) || x >= ptrdiff_t(c.across.size)) return;
    f(((n * c.down.size + size_t(y)) * c.across.size + size_t(x)) * c.channels);
  });
}

template <class T> void check_pool(const Convolution& c, Values values) {
  const size_t xs = c.images * c.down.size * c.across.size * c.channels;
  const size_t ys = c.images * c.down.outputs * c.across.outputs * c.channels;
  Guarded<T> x(xs), dy(ys), pooled(ys);
  fill(x.data(), xs, values, source);
  fill(dy.data(), ys, values, source);
  for (size_t i = 0; i < xs; i += 3) x.data()[i] = round(x.data()[i]);  // so that some are equal
  std::vector<T> max(ys), mean(ys), max_dx(xs), mean_dx(xs);
  size_t at = 0;
  each(c.images, c.down.outputs, c.across.outputs, [&](size_t n, size_t i, size_t j) {
    for (size_t ch = 0; ch < c.channels; ++ch, ++at) {
      size_t best = SIZE_MAX, count = 0;
      T sum = 0;
      each_seen(c, n, i, j, [&](size_t offset) {
        const T value = x.data()[offset + ch];
        sum += value;
        ++count;
        if (best == SIZE_MAX || value > x.data()[best] || (isnan(value) && !isnan(x.data()[best]))) best = offset + ch;
      });
      max[at] = x.data()[best];
      mean[at] = sum / T(count);
      max_dx[best] += dy.data()[at];
      each_seen(c, n, i, j, [&](size_t offset) { mean_dx[offset + ch] += dy.data()[at] / T(count); });
    }
  });
  for (size_t i = 0; i < ys; ++i) pooled.data()[i] = max[i];
  expect("max pool", c, max, [&](T* out) { return pool<T>(PoolKind::max, out, x.data(), c), true; });
  expect("mean pool", c, mean, [&](T* out) { return pool<T>(PoolKind::mean, out, x.data(), c), true; });
  expect("max pool gradient", c, max_dx,
         [&](T* out) { return pool_gradient<T>(PoolKind::max, out, dy.data(), x.data(), pooled.data(), c), true; });
  for (size_t i = 0; i < xs; ++i) max_dx[i] = x.data()[i] > 0 ? max_dx[i] : T(0);
  expect("max pool gradient through relu", c, max_dx, [&](T* out) {
    return pool_gradient<T>(PoolKind::max_of_relu, out, dy.data(), x.data(), pooled.data(), c), true;
  });
  expect("mean pool gradient", c, mean_dx,
         [&](T* out) { return pool_gradient<T>(PoolKind::mean, out, dy.data(), nullptr, nullptr, c), true; });
}

ConvolutionAxis pool_axis(size_t most) {
  ConvolutionAxis axis = {};
  axis.size = 1 + below(most);
  axis.window = 1 + below(4);
  axis.stride = 1 + below(4);
  axis.dilation = 1;
  axis.padding = below(axis.window);
  const size_t padded = axis.size + axis.padding + below(axis.window);
  axis.outputs = padded < axis.window ? 0 : (padded - axis.window) / axis.stride + 1;
  return axis;
}

template <class T> void check_all() {
  const size_t channels[] = {0, 1, 2, 3, 5, 7, 8, 15, 16, 17, 31, 33, 64};
  for (size_t turn = 0; turn < cases(260); ++turn) {
    const Values values = turn % 4 == 3 ? Values::special : Values::ordinary;
    Convolution c = {1 + below(3), channels[below(13)],         channels[below(13)], 1,
                     some_axis(9), some_axis(turn % 5 ? 9 : 40)};
    if (turn % 6 == 1) c.groups = 1 + below(4), c.channels = c.groups * below(9), c.outputs = c.groups * below(9);
    if (turn % 6 == 2) c.groups = c.outputs = c.channels = 1 + below(40);
    if (turn % 13 == 0) c.images = 0;
    if (turn % 9 == 0) c.down = c.across = {5, 5, 1, 1, 1, 0};
    check_convolution<T>(c, values);
    check_pool<T>({1 + below(3), channels[below(13)], 0, 1, pool_axis(9), pool_axis(20)}, values);
  }
  // Several blocks of rows, of columns and of k.
  check_convolution<T>({2, 70, 130, 1, {9, 9, 3, 1, 1, 1}, {19, 19, 3, 1, 1, 1}}, Values::ordinary);
  check_convolution<T>({1, 150, 40, 1, {12, 6, 3, 2, 1, 0}, {23, 12, 3, 2, 1, 1}}, Values::ordinary);
  check_convolution<T>({1, 20, 1100, 1, {3, 3, 3, 1, 1, 1}, {5, 5, 3, 1, 1, 1}}, Values::ordinary);
  check_convolution<T>({3, 3, 16, 1, {24, 24, 5, 1, 1, 2}, {40, 40, 5, 1, 1, 2}}, Values::ordinary);
}

// Windows that see pixels a whole number of strides apart only: the others' gradients are zeros.
template <class T> void check_sparse_windows() {
  const auto some = [] {
    const size_t size = 1 + below(14), window = 1 + below(4) / 3, stride = 2 + below(2), padding = stride * below(2);
    const size_t reach = (window - 1) * stride + 1, padded = size + padding + below(3);
    return ConvolutionAxis{size, padded < reach ? 0 : (padded - reach) / stride + 1, window, stride, stride, padding};
  };
  for (size_t turn = 0; turn < cases(60); ++turn) {
    const size_t groups = 1 + turn % 4 / 3;
    check_convolution<T>({1 + below(4), groups * (9 + below(90)), groups * (1 + below(40)), groups, some(), some()},
                         turn % 5 == 4 ? Values::special : Values::ordinary);
  }
  check_convolution<T>({3, 64, 128, 1, {12, 6, 1, 2, 1, 0}, {13, 7, 1, 2, 1, 0}}, Values::ordinary);
  check_convolution<T>({2, 140, 20, 1, {30, 15, 1, 2, 1, 0}, {31, 16, 1, 2, 1, 0}}, Values::ordinary);
  check_convolution<T>({1, 9, 1100, 1, {8, 4, 1, 2, 1, 0}, {7, 3, 1, 3, 1, 0}}, Values::ordinary);
}

// Windows over images as they lie: edges, lines along rows, columns and images, strides, steps, panels of outputs. Few
// outputs, or channels back to the input: planes of several strips, and vectors that reach beyond the last image. What
// is not finite among factors that are multiplied with zeros counts.
template <class T> void check_direct() {
  const ConvolutionAxis same = {9, 9, 5, 1, 1, 2}, long_same = {14, 14, 5, 1, 1, 2}, short_same = {3, 3, 3, 1, 1, 1};
  const Convolution shapes[] = {
      {2, 16, 48, 1, same, long_same},
      {2, 17, 32, 1, long_same, same},
      {2, 16, 33, 1, same, long_same},
      {21, 16, 16, 1, short_same, short_same},
      {3, 1, 32, 1, {28, 28, 5, 1, 1, 2}, {28, 28, 5, 1, 1, 2}},
      {3, 3, 16, 1, {12, 10, 3, 1, 1, 0}, {12, 10, 3, 1, 1, 0}},
      {3, 16, 32, 1, {14, 7, 3, 2, 1, 1}, {15, 8, 3, 2, 1, 1}},
      {2, 32, 16, 1, {20, 9, 4, 2, 1, 0}, {25, 9, 2, 3, 1, 2}},
      {2, 16, 16, 1, {12, 10, 3, 1, 2, 1}, {12, 12, 3, 1, 1, 1}},
      {1, 16, 64, 1, {4, 10, 3, 1, 1, 4}, {4, 12, 3, 1, 1, 5}},
      {3, 1, 6, 1, {28, 28, 5, 1, 1, 2}, {28, 28, 5, 1, 1, 2}},
      {2, 6, 16, 1, {14, 10, 5, 1, 1, 0}, {14, 10, 5, 1, 1, 0}},
      {2, 3, 15, 1, {40, 20, 5, 2, 1, 2}, {33, 11, 3, 3, 2, 1}},
      {1, 200, 3, 1, {30, 30, 3, 1, 1, 1}, {20, 20, 3, 1, 2, 2}},
      {30, 2, 1, 1, {20, 21, 2, 1, 1, 1}, {19, 20, 2, 1, 1, 1}},
  };
  const Values ordinary = Values::ordinary, special = Values::special;
  for (const Convolution& c : shapes) {
    check_convolution<T>(c, ordinary);
    check_convolution<T>(c, {special, ordinary, ordinary});
    check_convolution<T>(c, {ordinary, special, ordinary});
    check_convolution<T>(c, {ordinary, ordinary, special});
  }
}

// A gradient by the filter that is summed in blocks is the same everywhere, and close to the sum in one.
template <class T> void check_blocks() {
  const Convolution c = {5, 3, 4, 1, {64, 64, 3, 1, 1, 1}, {64, 64, 3, 1, 1, 1}};
  const Convolution d = {5, 4, 4, 4, {64, 64, 3, 1, 1, 1}, {64, 64, 3, 1, 1, 1}};
  const size_t pixels = 5 * 64 * 64;
  Guarded<T> x(pixels * 4), dy(pixels * 4);
  fill(x.data(), pixels * 4, Values::ordinary, source);
  fill(dy.data(), pixels * 4, Values::ordinary, source);
  const auto check = [&](const char* what, const Convolution& shape, size_t elements, auto run) {
    std::vector<T> plain(elements), first(elements);
    Plain<T>{shape, x.data(), nullptr, dy.data()}.by_filter(plain.data());
    use_isa("scalar");
    set_threads(1);
    if (!run(first.data())) ++failed;
    for (size_t i = 0; i < elements; ++i) {
      if (!(fabs(double(first[i] - plain[i])) < 1e-2)) ++failed, describe(what, "blocks", 8 * sizeof(T), shape);
    }
    expect(what, shape, first, run);
  };
  check("filter gradient", c, 9 * 3 * 4,
        [&](T* out) { return conv2d_filter_gradient<T>(out, x.data(), dy.data(), c); });
  check("depthwise filter gradient", d, 9 * 4,
        [&](T* out) { return depthwise_filter_gradient<T>(out, x.data(), dy.data(), d); });
}

}  // namespace

int main() {
  check_all<float>();
  check_all<double>();
  check_sparse_windows<float>();
  check_sparse_windows<double>();
  check_direct<float>();
  check_direct<double>();
  check_blocks<float>();
  check_blocks<double>();
  return report();
}
