// Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", 2011), eight blocks at a
// time: a bijection of counters, so that any part of a draw can be made without what comes before it.
#pragma once
#include "../../simd/simd.h"
#include "draw.h"

namespace gradstep {
namespace SIMD_ISA {

// What eight blocks make: 32 words, in their order.
struct Words { U64x8 half[2]; };

// Which of eight blocks each lane has: the order that two zips undo.
INL U64x8 blocks_of_lanes() {
  static const uint64_t kBlocks[8] = {0, 4, 1, 5, 2, 6, 3, 7};
  return load(kBlocks);
}

class Philox {
 public:
  static constexpr size_t kBlocks = 8, kWords = kBlocks * kWordsPerBlock;

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

  // Blocks [block, block + 8). A block has a lane, in whose lower half each of its words lies; what is in the upper
  // half does not matter.
  ALWAYS_INLINE Words operator()(uint64_t block) const {
    const U64x8 multiplier_0(0xd2511f53u), multiplier_2(0xcd9e8d57u);
    U64x8 word_0 = U64x8(counter_ + block) + blocks_of_lanes(), word_1 = high_words(word_0);
    U64x8 word_2 = stream_, word_3 = high_stream_;
    for (size_t round = 0; round < kRounds; ++round) {
      const U64x8 product_0 = multiply_words(word_0, multiplier_0), product_2 = multiply_words(word_2, multiplier_2);
      word_0 = high_words(product_2) ^ (word_1 ^ low_keys_[round]);
      word_1 = product_2;
      word_2 = high_words(product_0) ^ (word_3 ^ high_keys_[round]);
      word_3 = product_0;
    }
    const U64x8 lower = join_words(word_0, word_1), upper = join_words(word_2, word_3);
    return {{zip_lower(lower, upper), zip_upper(lower, upper)}};
  }

 private:
  static constexpr size_t kRounds = 10;
  uint64_t counter_;
  U64x8 stream_, high_stream_, low_keys_[kRounds], high_keys_[kRounds];
};

}  // namespace SIMD_ISA
}  // namespace gradstep
