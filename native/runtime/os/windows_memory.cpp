// A file of its own, as posix_memory.cpp.
#include <malloc.h>

#include "os.h"

namespace gradstep::os {

void* allocate(size_t bytes) { return _aligned_malloc(bytes > 0 ? bytes : 1, 64); }

void release(void* memory) { _aligned_free(memory); }

}  // namespace gradstep::os
