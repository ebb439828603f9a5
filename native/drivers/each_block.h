// Lists of arrays, whatever holds them, cut into blocks of equal size from each array's own start.
#pragma once
#include <algorithm>
#include <vector>

#include "../runtime/pool.h"
#include "blocks.h"

namespace gradstep {

// Blocks are numbered through the whole list: array i has those from [i] up to [i + 1]. Valid until the next call.
template <class Array> const std::vector<size_t>& number_blocks(const Array* arrays, size_t count) {
  thread_local std::vector<size_t> first_block;
  first_block.resize(count + 1);
  first_block[0] = 0;
  for (size_t i = 0; i < count; ++i) first_block[i + 1] = first_block[i] + blocks_of(arrays[i].count);
  return first_block;
}

// Calls f(array, offset, n, block) for every block of every array, over the thread pool.
template <class Array, class F>
void each_block(const Array* arrays, size_t count, const std::vector<size_t>& first_block, F f) {
  constexpr size_t kBlocksPerPiece = 4;  // so that a list of many small arrays does not pay for each of them
  const size_t total = first_block[count];
  parallel_for(blocks_of(total, kBlocksPerPiece), [&](size_t piece) {
    size_t block = piece * kBlocksPerPiece;
    const size_t end = std::min(total, block + kBlocksPerPiece);
    size_t i =
        static_cast<size_t>(std::upper_bound(first_block.begin(), first_block.end(), block) - first_block.begin()) - 1;
    for (; block < end; ++block) {
      while (block >= first_block[i + 1]) ++i;
      const size_t offset = (block - first_block[i]) * kBlockElements;
      f(arrays[i], offset, std::min(kBlockElements, arrays[i].count - offset), block);
    }
  });
}

}  // namespace gradstep
