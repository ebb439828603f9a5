#include "meeting.h"

#include "os/os.h"

namespace gradstep {
namespace {

constexpr uint32_t kMark = 0x6d656574;

bool is_aligned(const void* memory) { return reinterpret_cast<uintptr_t>(memory) % alignof(uint64_t) == 0; }

}  // namespace

bool Meeting::make(void* memory, size_t bytes, size_t size) {
  if (size < 1 || size > kMaxSize || bytes < bytes_for(size) || !is_aligned(memory)) return false;
  Meeting& meeting = *static_cast<Meeting*>(memory);
  meeting.words_.size = static_cast<uint32_t>(size);
  __atomic_store_n(&meeting.words_.mark, kMark, __ATOMIC_SEQ_CST);
  return true;
}

Meeting* Meeting::at(void* memory, size_t bytes) {
  Meeting* const meeting = static_cast<Meeting*>(memory);
  if (bytes < sizeof(Meeting) || !is_aligned(memory)) return nullptr;
  const bool is_one =
      load(&meeting->words_.mark) == kMark && meeting->words_.size >= 1 && meeting->words_.size <= kMaxSize;
  return is_one && bytes >= bytes_for(meeting->words_.size) ? meeting : nullptr;
}

uint64_t* Meeting::slots(uint32_t gate) const {
  return reinterpret_cast<uint64_t*>(const_cast<Meeting*>(this) + 1) + (gate & kOneTime ? words_.size : 0);
}

char* Meeting::notes(uint32_t gate) const {
  char* const first =
      reinterpret_cast<char*>(reinterpret_cast<uint64_t*>(const_cast<Meeting*>(this) + 1) + 2 * words_.size);
  return first + (gate & kOneTime ? words_.size * kNoteBytes : 0);
}

void* Meeting::note(size_t rank) { return notes(load(&words_.gate)) + rank * kNoteBytes; }

// All have met as often as the gate says, and have not met again without this thread.
const void* Meeting::brought_by(size_t rank) const {
  const uint32_t last = load(&words_.gate) - kOneTime;
  return reinterpret_cast<const void*>(static_cast<uintptr_t>(__atomic_load_n(slots(last) + rank, __ATOMIC_SEQ_CST)));
}

bool Meeting::is_noted(size_t rank) const {
  return brought_by(rank) == notes(load(&words_.gate) - kOneTime) + rank * kNoteBytes;
}

Meeting::Outcome Meeting::arrive(size_t rank, const void* brought, const Patience& patience) {
  uint32_t gate = load(&words_.gate);
  const uint64_t address = static_cast<uint64_t>(reinterpret_cast<uintptr_t>(brought));
  __atomic_store_n(slots(gate) + rank, address, __ATOMIC_SEQ_CST);
  bool is_last;
  uint32_t next;
  do {
    if (gate & kBrokenBit) return Outcome::kBroken;
    is_last = (gate & kHere) + 1 >= words_.size;
    next = is_last ? (gate & kTimes) + kOneTime : gate + kOne;
  } while (!exchange(&words_.gate, gate, next));
  if (is_last) {
    os::wake_all(&words_.gate);
    return Outcome::kMet;
  }
  const uint32_t times = gate & kTimes;
  for (uint32_t now = next;;) {
    if ((now & kTimes) != times) return Outcome::kMet;
    if (now & kBrokenBit) return Outcome::kBroken;
    const uint32_t later = wait_for_change(&words_.gate, now, words_.size, patience);
    if (later == now && come_away(times)) return Outcome::kImpatient;
    now = later == now ? load(&words_.gate) : later;
  }
}

// Breaks the meeting, unless all have come meanwhile or somebody else has broken it.
bool Meeting::come_away(uint32_t times) {
  uint32_t gate = load(&words_.gate);
  do {
    if ((gate & kTimes) != times || (gate & kBrokenBit)) return false;
  } while (!exchange(&words_.gate, gate, gate | kBrokenBit));
  os::wake_all(&words_.gate);
  return true;
}

void Meeting::leave() {
  const uint32_t gone = __atomic_add_fetch(&words_.gone, 1, __ATOMIC_SEQ_CST), times = gone & kTimes;
  if ((gone & ~kTimes) == words_.size) {
    // Nobody else adds to it: who is done waits for this.
    __atomic_store_n(&words_.gone, times + kOneTime, __ATOMIC_SEQ_CST);
    os::wake_all(&words_.gone);
    return;
  }
  for (uint32_t now = gone; (now & kTimes) == times;) now = wait_for_change(&words_.gone, now, words_.size, kEndless);
}

void Meeting::break_up(uint32_t reason) {
  uint32_t none = 0;
  exchange(&words_.reason, none, reason);
  uint32_t gate = load(&words_.gate);
  while (!(gate & kBrokenBit) && !exchange(&words_.gate, gate, gate | kBrokenBit)) {}
  os::wake_all(&words_.gate);
  os::wake_all(&words_.reason);
}

void Meeting::wait_for_reason() const {
  uint32_t naps = 1000 / kNapMilliseconds;
  const Patience patience = {[](void* left) { return (*static_cast<uint32_t*>(left))-- == 0; }, &naps};
  wait_for_change(&words_.reason, 0, words_.size, patience);
}

}  // namespace gradstep
