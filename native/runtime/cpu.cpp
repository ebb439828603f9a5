#include "cpu.h"

#include <stdint.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "os/os.h"

namespace gradstep {

#if defined(__x86_64__)

namespace {

// Which register files the operating system saves: bits 1-2 xmm and ymm, bits 5-7 opmask and both parts of zmm.
// (macOS sets bits 5-7 only after a thread's first AVX-512 instruction, so there we settle for AVX2.)
uint64_t saved_state() {
  uint32_t low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return uint64_t(high) << 32 | low;
}

bool has_all(uint64_t value, uint64_t mask) { return (value & mask) == mask; }

}  // namespace

Cpu detect_cpu() {
  constexpr uint32_t kFma = 1u << 12, kOsxsave = 1u << 27, kAvx = 1u << 28;                           // leaf 1, ecx
  constexpr uint32_t kAvx2 = 1u << 5, kF = 1u << 16, kDq = 1u << 17, kBw = 1u << 30, kVl = 1u << 31;  // leaf 7, ebx
  constexpr uint64_t kYmm = 0x06, kZmm = 0xE6;
  Cpu cpu;
  uint32_t eax, ebx, ecx, edx;
  // Without OSXSAVE the xgetbv instruction itself would fault.
  if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !has_all(ecx, kFma | kOsxsave | kAvx)) return cpu;
  if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) return cpu;
  uint32_t vendor = 0, highest, rest[2];
  __get_cpuid(0, &highest, &vendor, &rest[0], &rest[1]);
  cpu.amd = vendor == 0x68747541;  // "Auth" of "AuthenticAMD"
  const uint64_t saved = saved_state();
  cpu.avx2 = has_all(ebx, kAvx2) && has_all(saved, kYmm);
  cpu.avx512 = cpu.avx2 && has_all(ebx, kF | kDq | kBw | kVl) && has_all(saved, kZmm);
  return cpu;
}

#else

Cpu detect_cpu() {
  Cpu cpu;
#if defined(__aarch64__)
  cpu.neon = true;  // part of the base architecture
#endif
  return cpu;
}

#endif

size_t available_parallelism() {
  static const size_t cpus = os::parallelism();
  return cpus;
}

}  // namespace gradstep
