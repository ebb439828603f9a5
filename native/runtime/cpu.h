#pragma once
#include <stddef.h>

namespace gradstep {

/** Vector extensions this CPU has and whose registers the operating system saves between threads. */
struct Cpu {
  bool avx2 = false;    // AVX2 and FMA
  bool avx512 = false;  // the above and AVX-512 F, BW, DQ, VL
  bool neon = false;
  bool amd = false;
};

Cpu detect_cpu();

/** CPUs this process may use, at least 1: its affinity mask, and on Linux its cgroup's quota rounded up. Read once. */
size_t available_parallelism();

}  // namespace gradstep
