// Copies of many stretches of memory, shared out among threads.
#pragma once
#include <stddef.h>

#include "../runtime/buffer.h"

namespace gradstep {

class Copies {
 public:
  // One more; the two overlap neither each other nor another copy. False when there is no memory, with nothing added.
  [[nodiscard]] bool add(void* to, const void* from, size_t bytes);

  void run() const;

 private:
  struct Block {
    char* to;
    const char* from;
    size_t bytes;
  };

  Buffer<Block> blocks_;
};

}  // namespace gradstep
