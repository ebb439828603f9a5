// A file of its own, so that a test that defines these functions itself can make memory run out when it likes.
#include <stdlib.h>

#include "os.h"

namespace gradstep::os {

void* allocate(size_t bytes) {
  void* memory = nullptr;
  return posix_memalign(&memory, 64, bytes > 0 ? bytes : 1) == 0 ? memory : nullptr;
}

void release(void* memory) { free(memory); }

}  // namespace gradstep::os
