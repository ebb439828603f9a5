#include "waiting.h"

#include <chrono>

#include "cpu.h"
#include "os/os.h"
#include "pause.h"

namespace gradstep {
namespace {

// What two threads that do the same work come later than each other; being woken takes another 50 us.
constexpr std::chrono::microseconds kSpin{100};

// Whether waiting on the CPU has been worth it of late in this thread. Where the CPUs are busy with other work it is
// not: it keeps the very thread off that is waited for.
class Hope {
 public:
  bool is_there() { return left_ > 0 || ++without_ % 16 == 0; }
  void was_right() { left_ = left_ < 8 ? left_ + 1 : 8; }
  void was_wrong() { left_ = left_ > 2 ? left_ - 2 : 0; }

 private:
  int left_ = 4;
  unsigned without_ = 0;
};

thread_local Hope hope;

uint32_t spin(const uint32_t* word, uint32_t seen) {
  const auto deadline = std::chrono::steady_clock::now() + kSpin;
  do {
    for (int i = 0; i < 16; ++i, pause()) {
      const uint32_t now = load(word);
      if (now != seen) return now;
    }
  } while (std::chrono::steady_clock::now() < deadline);
  return seen;
}

}  // namespace

uint32_t wait_for_change(const uint32_t* word, uint32_t seen, uint32_t sharers, const Patience& patience) {
  if (load(word) == seen && sharers <= available_parallelism() && hope.is_there()) {
    const uint32_t now = spin(word, seen);
    if (now != seen) return hope.was_right(), now;
    hope.was_wrong();
  }
  for (;;) {
    const uint32_t now = load(word);
    if (now != seen || patience.over()) return now;
    os::wait_while(word, seen, kNapMilliseconds);
  }
}

}  // namespace gradstep
