// How a thread waits for what no word in memory tells: messages of MPI's, which it must ask for.
#pragma once
#include <stdint.h>

#include <algorithm>
#include <chrono>

#include "../runtime/os/os.h"
#include "../runtime/pause.h"
#include "watchdog.h"

namespace gradstep::mpi {

inline Milliseconds now() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<Milliseconds>(std::chrono::duration_cast<std::chrono::milliseconds>(since).count());
}

inline uint64_t microseconds() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(since).count());
}

// How a thread waits for what it must look for again and again: on its CPU for a while, which others get that want it,
// then asleep for longer and longer.
class Pace {
 public:
  explicit Pace(uint64_t on_cpu) : began_(microseconds()), on_cpu_(on_cpu) {}

  void rest() {
    const uint64_t waited = microseconds() - began_;
    if (waited < on_cpu_) {
      if (waited < 20) pause();
      else os::yield();
      return;
    }
    os::sleep_microseconds(nap_);
    // Not for longer: MPICH moves what is under way only when it is asked often. With a millisecond ranks did not hear
    // of each other for seconds.
    nap_ = std::min<uint32_t>(nap_ * 2, waited < 20000 ? 40 : 100);
  }

 private:
  const uint64_t began_, on_cpu_;
  uint32_t nap_ = 5;
};

}  // namespace gradstep::mpi
