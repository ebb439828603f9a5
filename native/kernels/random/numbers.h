// Random numbers of some distribution, each from one word of a draw, or two for double.
#pragma once
#include "../../simd/simd.h"
#include "philox.h"
#include "quantile.h"

namespace gradstep {
namespace SIMD_ISA {

// One vector of numbers from each 16 words, while there is room for all numbers of so many runs.
template <size_t runs, class V, class F>
static inline __attribute__((always_inline)) void whole_runs(const Philox& philox, typename V::Scalar*& out, size_t& n,
                                                             uint64_t& block, F f) {
  constexpr size_t kVectors = 2 * runs, kNumbers = kVectors * V::kLanes;
  for (; n >= kNumbers; n -= kNumbers, out += kNumbers, block += runs * Philox::kBlocks) {
    const Words<runs> words = philox.words<runs>(block);
    for (size_t i = 0; i < kVectors; ++i) store(out + i * V::kLanes, f(words.half[i]));
  }
}

// out[i] = f(the words of i)
template <class V, class F>
static inline __attribute__((always_inline)) void each_number(typename V::Scalar* out, const Draw& draw, size_t n,
                                                              F f) {
  const Philox philox(draw);
  uint64_t block = 0;
  whole_runs<Philox::kRunsAtATime, V>(philox, out, n, block, f);
  whole_runs<1, V>(philox, out, n, block, f);
  if (n == 0) return;
  const Words<1> words = philox.words<1>(block);
  for (const U64x8& half : words.half) {
    const V numbers = f(half);
    if (n < V::kLanes) return store(out, numbers, n);
    store(out, numbers);
    out += V::kLanes, n -= V::kLanes;
  }
}

// Words without a sign, the even ones and the odd ones: they become low bits of 2^52.
INL F64x8 even_words(U64x8 a) { return as_f64((a & U64x8(0xffffffffu)) | U64x8(0x4330000000000000)) - F64x8(0x1p52); }
INL F64x8 odd_words(U64x8 a) { return even_words(high_words(a)); }

// In [0, 1): the upper 24 or 53 bits.
INL F32x16 unit(U64x8 words, F32x16) { return words_f32(shift_words_right<8>(words)) * F32x16(0x1p-24f); }
INL F64x8 unit(U64x8 words, F64x8) {
  return fma(odd_words(words), F64x8(0x1p-32), even_words(shift_words_right<11>(words)) * F64x8(0x1p-53));
}

template <class V, class T = typename V::Scalar>
static void random_uniform(T* out, const Draw& draw, T low, T range, T last, size_t n) {
  const V lowest(low), width(range), highest(last);
  each_number<V>(out, draw, n, [=](U64x8 words) __attribute__((always_inline)) {
    return min(fma(unit(words, V()), width, lowest), highest);
  });
}

// Whole numbers of 31 or 63 bits, rounded.
INL F32x16 whole(U64x8 words, F32x16) { return words_f32(words); }
INL F64x8 whole(U64x8 words, F64x8) { return fma(odd_words(words), F64x8(0x1p32), even_words(words)); }

template <class V> struct Magnitude;
template <> struct Magnitude<F32x16> {
  static constexpr uint64_t kBits = 0x7fffffff7fffffff, kOne = 0x0000000100000001;
  static constexpr float kUnit = 0x1p-31f;
  INL F32x16 sign(U64x8 words) { return as_f32(words) & F32x16(-0.0f); }
};
template <> struct Magnitude<F64x8> {
  static constexpr uint64_t kBits = 0x7fffffffffffffff, kOne = 1;
  static constexpr double kUnit = 0x1p-63;
  INL F64x8 sign(U64x8 words) { return as_f64(words) & F64x8(-0.0); }
};

// mean + stddev z, z being a standard normal number up to some bound in size: one bit is z's sign, all others say where
// between 0 and the bound it lies. `half` is the probability of that, at most 1/2. Of an odd number m of 31 (63) bits,
// 2^31 - m has the same bits inverted but for the last, so both distances come with all their digits: from 0 and from
// the bound. Truncated as TensorFlow's: less than two standard deviations from the mean.
template <class V, class T = typename V::Scalar>
static void random_normal(T* out, const Draw& draw, double mean, double stddev, bool truncated, size_t n) {
  using M = Magnitude<V>;
  const double half = truncated ? 0.47724986805182079280 : 0.5;
  const T before_two = sizeof(T) == 4 ? T(0x1.fffffep0f) : T(0x1.fffffffffffffp0);
  const V limit(truncated ? before_two : Ieee<T>::kInfinity);
  const V centre_unit(T(half) * M::kUnit), least_tail(T(0.5 - half));
  const V m(static_cast<T>(mean)), s(static_cast<T>(stddev));
  each_number<V>(out, draw, n, [=](U64x8 words) __attribute__((always_inline)) {
    const U64x8 from_bound = (words & U64x8(M::kBits)) | U64x8(M::kOne);
    const U64x8 from_zero = from_bound ^ U64x8(M::kBits ^ M::kOne);
    const V tail = fma(whole(from_bound, V()), centre_unit, least_tail);
    const V z = min(normal_quantile(whole(from_zero, V()) * centre_unit, tail), limit);
    return fma(z | M::sign(words), s, m);
  });
}

}  // namespace SIMD_ISA
}  // namespace gradstep
