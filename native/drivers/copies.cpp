#include "copies.h"

#include <string.h>

#include <algorithm>

#include "../runtime/pool.h"
#include "blocks.h"

namespace gradstep {

// Takes a fraction of a millisecond: in the background there is a pause after each.
constexpr size_t kBlockBytes = 1 << 20;

bool Copies::add(void* to, const void* from, size_t bytes) {
  const size_t first = blocks_.size();
  if (!blocks_.extend(blocks_of(bytes, kBlockBytes))) return false;
  for (size_t i = first; i < blocks_.size(); ++i) {
    const size_t at = (i - first) * kBlockBytes;
    blocks_[i] = {static_cast<char*>(to) + at, static_cast<const char*>(from) + at, std::min(kBlockBytes, bytes - at)};
  }
  return true;
}

void Copies::run() const {
  parallel_for(blocks_.size(), [this](size_t i) { memcpy(blocks_[i].to, blocks_[i].from, blocks_[i].bytes); });
}

}  // namespace gradstep
