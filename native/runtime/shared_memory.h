// Memory that other threads may be writing: what is read from it is copied once, then checked, then used.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace gradstep {

inline void copy_shared(int32_t* to, const int32_t* from, size_t count) {
  for (size_t i = 0; i < count; ++i) to[i] = __atomic_load_n(from + i, __ATOMIC_RELAXED);
}

}  // namespace gradstep
