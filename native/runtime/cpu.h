#pragma once
#include <stddef.h>

namespace gradstep {

// Vector extensions this CPU has and whose registers the operating system saves between threads.
struct Cpu {
  bool avx2 = false;    // AVX2 and FMA
  bool avx512 = false;  // the above and AVX-512 F, BW, DQ, VL
  bool neon = false;
  bool amd = false;
};

Cpu detect_cpu();

// os::parallelism(), asked once.
size_t available_parallelism();

}  // namespace gradstep
