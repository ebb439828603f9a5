#include "scratch.h"

namespace gradstep {

char* thread_scratch(size_t bytes) {
  thread_local Buffer<char> memory;
  return memory.reserve(bytes) ? memory.data() : nullptr;
}

}  // namespace gradstep
