// Words that threads of one process share and wait for: first a little while on the CPU, then asleep.
#pragma once
#include <stdint.h>

namespace gradstep {

// What a thread that waits is asked now and then: whether it is to stop waiting. Not from another thread.
struct Patience {
  bool (*is_over)(void* context);
  void* context;

  bool over() const { return is_over != nullptr && is_over(context); }
};

constexpr Patience kEndless = {nullptr, nullptr};

// As long as a thread sleeps at most before it asks whether its patience is over.
constexpr uint32_t kNapMilliseconds = 50;

// Waits until *word is not `seen`. Returns it, or `seen` when patience was over first.
// `sharers`: how many threads are at it. Where the machine has fewer CPUs nobody waits on one.
uint32_t wait_for_change(const uint32_t* word, uint32_t seen, uint32_t sharers, const Patience& patience);

inline uint32_t load(const uint32_t* word) { return __atomic_load_n(word, __ATOMIC_SEQ_CST); }

// Whether *word was `expected`, which then is `wanted`; otherwise `expected` becomes what it is.
inline bool exchange(uint32_t* word, uint32_t& expected, uint32_t wanted) {
  return __atomic_compare_exchange_n(word, &expected, wanted, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

}  // namespace gradstep
