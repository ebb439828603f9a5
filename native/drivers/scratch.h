// Memory that each thread has for the blocks that it computes.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "../runtime/buffer.h"
#include "../runtime/pool.h"

namespace gradstep {

// The calling thread's own, on a cache line; nullptr when there is none. It holds anything, and until the next call.
char* thread_scratch(size_t bytes);

constexpr size_t round_to_line(size_t bytes) { return (bytes + 63) / 64 * 64; }

// Calls f(block, memory) for each block, over the threads of the pool, with so many bytes each. False, with nothing
// called, when there is no memory; a thread that finds none leaves its blocks to the caller.
template <class F> [[nodiscard]] bool parallel_with_scratch(size_t blocks, size_t bytes, F f) {
  if (blocks == 0) return true;
  char* const own = thread_scratch(bytes);
  if (own == nullptr) return false;
  if (blocks == 1) return f(size_t{0}, own), true;
  thread_local Buffer<uint8_t> left;
  if (!left.resize(blocks)) return false;
  uint8_t* const is_left = left.data();
  parallel_for(blocks, [&](size_t block) {
    char* const memory = thread_scratch(bytes);
    is_left[block] = memory == nullptr;
    if (memory != nullptr) f(block, memory);
  });
  for (size_t block = 0; block < blocks; ++block) {
    if (is_left[block]) f(block, own);
  }
  return true;
}

}  // namespace gradstep
