#include "random.h"

#include <math.h>
#include <string.h>

#include <algorithm>
#include <limits>
#include <type_traits>

#include "../runtime/dispatch.h"
#include "each_block.h"

namespace gradstep {
namespace {

// f(begin, count, draw) for blocks of n elements that take so many words each, with the part of the draw that is
// theirs.
template <class F> void each_part(const Draw& draw, size_t words, size_t n, F f) {
  static_assert(kBlockElements % kWordsPerBlock == 0, "parts begin with a block of words");
  each_block(n, [&](size_t begin, size_t count) {
    f(begin, count, Draw{draw.key, draw.stream, draw.counter + begin / kWordsPerBlock * words});
  });
}

constexpr double kWords = 4294967296.0;  // that there are

double threshold_of(double probability) { return floor(probability * kWords + 0.5); }

// The greatest number below this one, which is finite. (The C library's would be one function more that systems must
// have.)
template <class T> T number_before(T x) {
  if (x == 0) return -std::numeric_limits<T>::denorm_min();
  std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t> bits;
  memcpy(&bits, &x, sizeof bits);
  if (x > 0) --bits;
  else ++bits;
  memcpy(&x, &bits, sizeof bits);
  return x;
}

}  // namespace

template <class T> void random_uniform(T* out, const Draw& draw, T low, T high, size_t n) {
  const auto kernel = of<T>(kernels()).random_uniform;
  const T last = number_before(high);
  each_part(draw, kWordsPerNumber<T>, n, [=](size_t begin, size_t count, const Draw& part) {
    kernel(out + begin, part, low, high - low, last, count);
  });
}

template <class T> void random_normal(T* out, const Draw& draw, double mean, double stddev, bool truncated, size_t n) {
  const auto kernel = of<T>(kernels()).random_normal;
  each_part(draw, kWordsPerNumber<T>, n, [=](size_t begin, size_t count, const Draw& part) {
    kernel(out + begin, part, mean, stddev, truncated, count);
  });
}

template <class T> void random_bernoulli(T* out, const Draw& draw, double probability, size_t n) {
  const double threshold = threshold_of(probability);
  if (threshold == kWords) {  // which no word is
    std::fill(out, out + n, T(1));
    return;
  }
  const auto kernel = of<T>(kernels()).random_bernoulli;
  each_part(draw, 1, n, [=](size_t begin, size_t count, const Draw& part) {
    kernel(out + begin, part, static_cast<uint32_t>(threshold), count);
  });
}

template <class T> void dropout(T* out, const T* x, const Draw& draw, double rate, size_t n) {
  const auto kernel = of<T>(kernels()).dropout;
  const uint32_t threshold = dropout_threshold(rate);
  each_part(draw, 1, n, [=](size_t begin, size_t count, const Draw& part) {
    kernel(out + begin, x + begin, part, threshold, 1 / (1 - rate), count);
  });
}

uint32_t dropout_threshold(double rate) { return static_cast<uint32_t>(std::min(threshold_of(rate), kWords - 1)); }

#define GRADSTEP_INSTANTIATE(T)                                                  \
  template void random_uniform<T>(T*, const Draw&, T, T, size_t);                \
  template void random_normal<T>(T*, const Draw&, double, double, bool, size_t); \
  template void random_bernoulli<T>(T*, const Draw&, double, size_t);            \
  template void dropout<T>(T*, const T*, const Draw&, double, size_t);
GRADSTEP_INSTANTIATE(float)
GRADSTEP_INSTANTIATE(double)

}  // namespace gradstep
