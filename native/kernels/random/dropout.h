// Decisions, each by one word of a draw, whatever the type of the elements: float and double are dropped alike.
#pragma once
#include "../../simd/simd.h"
#include "philox.h"

namespace gradstep {
namespace SIMD_ISA {

// What 16 words below the threshold are to vectors of elements, of which there may be two.
INL M32x16 part_of(M32x16 chosen, size_t, F32x16) { return chosen; }
INL M64x8 part_of(M32x16 chosen, size_t part, F64x8) {
  const F32x16 flags = select(chosen, F32x16(1), F32x16(0));
  return gt(part == 0 ? lower_f64(flags) : upper_f64(flags), F64x8(0));
}

// f(i, mask) for each vector of elements, while there are as many as so many runs have words.
template <size_t runs, class V, class F>
static inline __attribute__((always_inline)) void whole_decisions(const Philox& philox, U64x8 limit, size_t& i,
                                                                  uint64_t& block, size_t n, F f) {
  for (; i + runs * Philox::kWords <= n; block += runs * Philox::kBlocks) {
    const Words<runs> words = philox.words<runs>(block);
    for (const U64x8& half : words.half) {
      const M32x16 below = words_lt(half, limit);
      for (size_t part = 0; part < 16 / V::kLanes; ++part, i += V::kLanes) f(i, part_of(below, part, V()));
    }
  }
}

// f(i, mask, lanes...) for each vector of elements, the mask being on where the element's word is below the threshold.
template <class V, class F>
static inline __attribute__((always_inline)) void each_decision(const Draw& draw, uint32_t threshold, size_t n, F f) {
  const Philox philox(draw);
  const U64x8 limit(threshold | uint64_t(threshold) << 32);
  uint64_t block = 0;
  size_t i = 0;
  whole_decisions<Philox::kRunsAtATime, V>(philox, limit, i, block, n, f);
  whole_decisions<1, V>(philox, limit, i, block, n, f);
  if (i == n) return;
  const Words<1> words = philox.words<1>(block);
  for (const U64x8& half : words.half) {
    const M32x16 below = words_lt(half, limit);
    for (size_t part = 0; part < 16 / V::kLanes && i < n; ++part, i += V::kLanes) {
      const typename V::Mask mask = part_of(below, part, V());
      if (n - i >= V::kLanes) f(i, mask);
      else f(i, mask, n - i);
    }
  }
}

template <class V, class T = typename V::Scalar>
static void random_bernoulli(T* out, const Draw& draw, uint32_t threshold, size_t n) {
  each_decision<V>(draw, threshold, n, [=](size_t i, auto is_one, auto... lanes) __attribute__((always_inline)) {
    store(out + i, select(is_one, V(1), V(0)), lanes...);
  });
}

// What is dropped is 0, whatever it was.
template <class V, class T = typename V::Scalar>
static void dropout(T* out, const T* x, const Draw& draw, uint32_t threshold, double scale, size_t n) {
  const V factor(static_cast<T>(scale));
  each_decision<V>(draw, threshold, n, [=](size_t i, auto is_dropped, auto... lanes) __attribute__((always_inline)) {
    store(out + i, select(is_dropped, V(0), load(x + i, lanes...) * factor), lanes...);
  });
}

}  // namespace SIMD_ISA
}  // namespace gradstep
