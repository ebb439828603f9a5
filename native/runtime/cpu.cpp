#include "cpu.h"

#include <stdint.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <thread>

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__linux__)
#include <sched.h>
#endif

namespace gradstep {

#if defined(__x86_64__)

// Which register files the operating system saves: bits 1-2 xmm and ymm, bits 5-7 opmask and both parts of zmm.
// (macOS sets bits 5-7 only after a thread's first AVX-512 instruction, so there we settle for AVX2.)
static uint64_t saved_state() {
  uint32_t low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return uint64_t(high) << 32 | low;
}

static bool has_all(uint64_t value, uint64_t mask) { return (value & mask) == mask; }

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

#if defined(__linux__)

static size_t affinity() {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? size_t(CPU_COUNT(&set)) : 0;
}

// The smallest quota from our cgroup (version 2) up to the root, in whole CPUs; SIZE_MAX when there is none.
static size_t cgroup_quota() {
  size_t cpus = SIZE_MAX;
  std::string path;  // "0::/user.slice/app.scope" -> "/user.slice/app.scope"
  std::ifstream groups("/proc/self/cgroup");
  while (std::getline(groups, path) && path.compare(0, 3, "0::") != 0) {}
  if (path.compare(0, 3, "0::") != 0) return cpus;
  path.erase(0, 3);
  if (path == "/") path.clear();
  for (;;) {
    std::ifstream file("/sys/fs/cgroup" + path + "/cpu.max");  // "200000 100000": quota and period, or "max 100000"
    uint64_t quota, period;
    if (file >> quota >> period && quota > 0 && period > 0) {
      cpus = std::min<size_t>(cpus, (quota + period - 1) / period);
    }
    if (path.empty()) return cpus;
    const size_t slash = path.rfind('/');
    path.resize(slash == std::string::npos ? 0 : slash);
  }
}

#else

static size_t affinity() { return 0; }
static size_t cgroup_quota() { return SIZE_MAX; }

#endif

size_t available_parallelism() {
  static const size_t cpus = [] {
    size_t count = affinity();
    if (count == 0) count = std::thread::hardware_concurrency();
    return std::max<size_t>(1, std::min(count, cgroup_quota()));
  }();
  return cpus;
}

}  // namespace gradstep
