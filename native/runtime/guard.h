// What steps of several threads over the same memory have in common: a lock, and how many have been made.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "waiting.h"

namespace gradstep {

// Two words of shared memory, zeroed to begin with. Locked and unlocked within one native call, so that no thread ends
// while it has the lock.
class Guard {
 public:
  static constexpr size_t kBytes = 8;

  static Guard* at(void* memory, size_t bytes) {
    const bool fits = bytes >= kBytes && reinterpret_cast<uintptr_t>(memory) % alignof(uint32_t) == 0;
    return fits ? static_cast<Guard*>(memory) : nullptr;
  }

  // False when patience was over first.
  bool lock(const Patience& patience);
  void unlock();

  // Sleeps until there has been another step, or for a while.
  void wait(uint32_t seen) const;
  uint32_t version() const { return load(&version_); }
  // One more, unless there are `limit` already.
  bool count(uint32_t limit);
  // Takes that back.
  void discount() { __atomic_sub_fetch(&version_, 1, __ATOMIC_SEQ_CST); }

 private:
  uint32_t lock_;  // 0: free; 1: taken; 2: taken, and somebody may wait
  uint32_t version_;
};

}  // namespace gradstep
