// Threads of a test, as ranks of a meeting.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include <thread>
#include <vector>

#include "../runtime/meeting.h"

namespace gradstep {

// A meeting of so many, in memory of its own.
class MeetingPlace {
 public:
  explicit MeetingPlace(size_t size)
      : memory_(Meeting::bytes_for(size) / sizeof(uint64_t) + 8), is_made_(Meeting::make(start(), bytes(), size)) {}

  bool is_made() const { return is_made_; }
  void* start() { return memory_.data(); }
  Meeting& meeting() { return *Meeting::at(start(), bytes()); }

 private:
  size_t bytes() const { return memory_.size() * sizeof(uint64_t); }

  std::vector<uint64_t> memory_;
  const bool is_made_;
};

// f(rank) on a thread for each.
template <class F> void on_threads(size_t count, F f) {
  std::vector<std::thread> threads;
  for (size_t rank = 0; rank < count; ++rank) threads.emplace_back([=] { f(rank); });
  for (std::thread& thread : threads) thread.join();
}

}  // namespace gradstep
