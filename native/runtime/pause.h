// For loops that wait on the CPU.
#pragma once

namespace gradstep {

// Leaves the processor's units to another thread of its core for a moment.
inline void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

}  // namespace gradstep
