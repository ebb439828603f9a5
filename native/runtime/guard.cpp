#include "guard.h"

#include "os/os.h"

namespace gradstep {

bool Guard::lock(const Patience& patience) {
  uint32_t was = 0;
  if (exchange(&lock_, was, 1)) return true;
  for (;;) {
    was = __atomic_exchange_n(&lock_, 2, __ATOMIC_SEQ_CST);
    if (was == 0) return true;
    if (wait_for_change(&lock_, 2, 2, patience) == 2 && patience.over()) return false;
  }
}

void Guard::unlock() {
  if (__atomic_exchange_n(&lock_, 0, __ATOMIC_SEQ_CST) == 2) os::wake_all(&lock_);
}

void Guard::wait(uint32_t seen) const { os::wait_while(&version_, seen, kNapMilliseconds); }

bool Guard::count(uint32_t limit) {
  uint32_t version = load(&version_);
  do {
    if (version >= limit) return false;
  } while (!exchange(&version_, version, version + 1));
  os::wake_all(&version_);
  return true;
}

}  // namespace gradstep
