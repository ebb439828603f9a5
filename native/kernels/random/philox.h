// Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", 2011), eight blocks at a
// time: a bijection of counters, so that any part of a draw can be made without what comes before it.
#pragma once
#include "../../simd/simd.h"
#include "draw.h"

namespace gradstep {
namespace SIMD_ISA {

// What runs of eight blocks make: 32 words of each, in their order.
template <size_t runs> struct Words { U64x8 half[2 * runs]; };

// Which of eight blocks each lane has: the order that two zips undo.
INL U64x8 blocks_of_lanes() {
  static const uint64_t kBlocks[8] = {0, 4, 1, 5, 2, 6, 3, 7};
  return load(kBlocks);
}

class Philox {
 public:
  static constexpr size_t kBlocks = 8, kWords = kBlocks * kWordsPerBlock;  // of a run
#ifdef __OPTIMIZE_SIZE__
  static constexpr size_t kRunsAtATime = 1;
#else
  // On Zen 5, where one run takes 0.28 ns a word (AVX2: 0.63), four at a time take 0.19 (0.45).
  static constexpr size_t kRunsAtATime = 4;
#endif

  ALWAYS_INLINE explicit Philox(const Draw& draw)
      : counter_(draw.counter), stream_(draw.stream), high_stream_(draw.stream >> 32) {
    uint32_t low = uint32_t(draw.key), high = uint32_t(draw.key >> 32);
    for (size_t round = 0; round < kRounds; ++round) {
      low_keys_[round] = U64x8(low);
      high_keys_[round] = U64x8(high);
      low += 0x9e3779b9u;   // the golden ratio
      high += 0xbb67ae85u;  // the root of 3, less 1
    }
  }

  // Blocks [block, block + 8 runs). A block has a lane, in whose lower half each of its words lies; what is in the
  // upper half does not matter. A round waits for the one before it, and the rounds of other runs fill the time. Not
  // inlined, as it is long and every kernel has it.
  template <size_t runs> __attribute__((noinline)) Words<runs> words(uint64_t block) const {
    const U64x8 multiplier_0(0xd2511f53u), multiplier_2(0xcd9e8d57u);
    U64x8 word_0[runs], word_1[runs], word_2[runs], word_3[runs];
    for (size_t i = 0; i < runs; ++i) {
      word_0[i] = U64x8(counter_ + block + i * kBlocks) + blocks_of_lanes();
      word_1[i] = high_words(word_0[i]);
      word_2[i] = stream_;
      word_3[i] = high_stream_;
    }
#pragma GCC unroll 10
    for (size_t round = 0; round < kRounds; ++round) {
#pragma GCC unroll 4
      for (size_t i = 0; i < runs; ++i) {
        const U64x8 product_0 = multiply_words(word_0[i], multiplier_0);
        const U64x8 product_2 = multiply_words(word_2[i], multiplier_2);
        word_0[i] = high_words(product_2) ^ (word_1[i] ^ low_keys_[round]);
        word_1[i] = product_2;
        word_2[i] = high_words(product_0) ^ (word_3[i] ^ high_keys_[round]);
        word_3[i] = product_0;
      }
    }
    Words<runs> result;
    for (size_t i = 0; i < runs; ++i) {
      const U64x8 lower = join_words(word_0[i], word_1[i]), upper = join_words(word_2[i], word_3[i]);
      result.half[2 * i] = zip_lower(lower, upper);
      result.half[2 * i + 1] = zip_upper(lower, upper);
    }
    return result;
  }

 private:
  static constexpr size_t kRounds = 10;
  uint64_t counter_;
  U64x8 stream_, high_stream_, low_keys_[kRounds], high_keys_[kRounds];
};

}  // namespace SIMD_ISA
}  // namespace gradstep
