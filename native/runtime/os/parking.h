// Waiting for a word to change where the system has no call for it: threads sleep in a few lots, by the word's address.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace gradstep::os {

struct Lot {
  std::mutex mutex;
  std::condition_variable changed;
};

// Never destroyed: threads may sleep here until the process ends.
inline Lot& lot_of(const uint32_t* word) {
  constexpr size_t kLots = 64;
  static Lot* const lots = new Lot[kLots];
  return lots[(reinterpret_cast<uintptr_t>(word) >> 6) % kLots];
}

inline void park(const uint32_t* word, uint32_t seen, uint32_t milliseconds) {
  Lot& lot = lot_of(word);
  std::unique_lock<std::mutex> lock(lot.mutex);
  // Looked at with the lock held: whoever changes the word takes it before waking, and so finds us asleep.
  if (__atomic_load_n(word, __ATOMIC_SEQ_CST) != seen) return;
  lot.changed.wait_for(lock, std::chrono::milliseconds(milliseconds));
}

inline void unpark(const uint32_t* word) {
  Lot& lot = lot_of(word);
  { const std::lock_guard<std::mutex> lock(lot.mutex); }
  lot.changed.notify_all();
}

}  // namespace gradstep::os
