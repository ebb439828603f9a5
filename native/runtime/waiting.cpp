#include "waiting.h"

#include <chrono>

#include "cpu.h"
#include "os/os.h"

namespace gradstep {
namespace {

// What two threads that do the same work come later than each other; being woken takes another 50 us.
constexpr std::chrono::microseconds kSpin{200};

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

}  // namespace

uint32_t wait_for_change(const uint32_t* word, uint32_t seen, uint32_t sharers, const Patience& patience) {
  if (sharers <= available_parallelism()) {
    const auto deadline = std::chrono::steady_clock::now() + kSpin;
    do {
      for (int i = 0; i < 16; ++i, pause()) {
        const uint32_t now = load(word);
        if (now != seen) return now;
      }
    } while (std::chrono::steady_clock::now() < deadline);
  }
  for (;;) {
    const uint32_t now = load(word);
    if (now != seen || patience.over()) return now;
    os::wait_while(word, seen, kNapMilliseconds);
  }
}

}  // namespace gradstep
