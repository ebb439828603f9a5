// Where a fixed number of threads meet, in memory that they share: each brings something, all look at what all have
// brought, and nobody goes before the last is done. They meet all or not at all.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "waiting.h"

namespace gradstep {

class Meeting {
 public:
  static constexpr size_t kMaxSize = 256;
  // What a thread can leave there of what it brings: then nobody has to wait until it has been looked at.
  static constexpr size_t kNoteBytes = 512;

  // How much memory it takes, 8-byte aligned.
  static size_t bytes_for(size_t size) { return sizeof(Meeting) + 2 * size * (sizeof(uint64_t) + kNoteBytes); }

  // Makes one of zeroed memory. False for memory that is too little, and a size that is not from 1 to kMaxSize.
  [[nodiscard]] static bool make(void* memory, size_t bytes, size_t size);
  // The one that was made there, or nullptr: anybody can write to shared memory.
  static Meeting* at(void* memory, size_t bytes);

  enum class Outcome { kMet, kBroken, kImpatient };

  // Where a thread may put what it brings to the next meeting, if it is small. It stays until the meeting after that.
  void* note(size_t rank);

  // Waits for all others. kMet: all have come, each after the memory that it brings was written; `leave` must follow,
  // if anybody looks at what was brought. kBroken: somebody has broken the meeting. kImpatient: patience was over, and
  // this has broken the meeting. In both, nobody comes to look at what this thread brought.
  Outcome arrive(size_t rank, const void* brought, const Patience& patience);

  // What a rank has brought to the meeting that has come about. Until this thread arrives at the next but one.
  const void* brought_by(size_t rank) const;
  // Whether that is in its note.
  bool is_noted(size_t rank) const;

  // Waits for the others to be done, too: all of them have met, so that they come for certain.
  void leave();

  // No one meets here any more; who waits goes. Those who have met are not disturbed. `reason` is kept from the first
  // call only; not 0.
  void break_up(uint32_t reason);

  // Why the meeting is broken, or 0.
  uint32_t reason() const { return load(&words_.reason); }
  // Waits for it where the meeting is broken: a thread whose patience was over tells when it ends, which it is about
  // to. Not for longer than a second.
  void wait_for_reason() const;
  size_t size() const { return words_.size; }

 private:
  // One word, so that whether all have come or the meeting is broken is decided once: threads here (bits 0-14), broken
  // (15), how many times all have met (16-31).
  static constexpr uint32_t kOne = 1, kHere = 0x7FFF, kBrokenBit = 0x8000, kOneTime = 0x10000, kTimes = 0xFFFF0000;

  // Each on a cache line of its own, where the memory starts on one.
  struct Words {
    uint32_t mark, size, reason, unused_here[13];
    uint32_t gate, unused_there[15];
    uint32_t gone, unused[15];  // threads that are done (bits 0-15), how many times all were (16-31)
  };

  // Of this time and of the next in turn: who is ahead writes where nobody reads any more.
  uint64_t* slots(uint32_t gate) const;
  char* notes(uint32_t gate) const;
  bool come_away(uint32_t times);

  Words words_;
};

}  // namespace gradstep
