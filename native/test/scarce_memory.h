// Memory that runs out when a test likes: os::allocate and os::release of a program that includes this, in place of
// those that the library brings.
#pragma once
#include <stdlib.h>

#include <atomic>

#include "../runtime/os/os.h"

namespace scarce_memory {

inline std::atomic<size_t> allocations{0}, allowed{SIZE_MAX};

inline void allow(size_t count) { allowed = count; }
inline void allow_all() { allowed = SIZE_MAX; }

}  // namespace scarce_memory

namespace gradstep::os {

void* allocate(size_t bytes) {
  using namespace scarce_memory;
  ++allocations;
  size_t left = allowed;
  while (left != SIZE_MAX && left > 0 && !allowed.compare_exchange_weak(left, left - 1)) {}
  void* memory = nullptr;
  if (left == 0 || bytes > (size_t(1) << 40)) return nullptr;
  return posix_memalign(&memory, 64, bytes > 0 ? bytes : 1) == 0 ? memory : nullptr;
}

void release(void* memory) { free(memory); }

}  // namespace gradstep::os
