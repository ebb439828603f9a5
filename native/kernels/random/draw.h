// Where random numbers come from: a stretch of counters under a key. A kernel's numbers are a function of this alone.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace gradstep {

// Block b of a draw is Philox4x32-10 of the counter (counter + b, stream) under the key: four words of 32 bits, each
// 64-bit number being two words, the lower one first. Word i of the draw is word i % 4 of block i / 4.
struct Draw { uint64_t key, stream, counter; };

constexpr size_t kWordsPerBlock = 4;

}  // namespace gradstep
