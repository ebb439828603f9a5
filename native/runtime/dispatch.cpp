#include "dispatch.h"

#include <string.h>

#include <mutex>

#include "cpu.h"
#include "os/os.h"

namespace gradstep {

namespace {

// With its intrinsics computed by SIMDe (a build for tests), AVX-512 needs no more than AVX2.
#ifdef GRADSTEP_EMULATE_AVX512
[[maybe_unused]] constexpr bool kEmulatesAvx512 = true;
#else
[[maybe_unused]] constexpr bool kEmulatesAvx512 = false;
#endif

IsaList detect_isas() {
  IsaList list = {};
  [[maybe_unused]] const Cpu cpu = detect_cpu();
#if defined(__x86_64__)
  if (cpu.avx512 || (kEmulatesAvx512 && cpu.avx2)) list.tables[list.count++] = &avx512::kTable;
  if (cpu.avx2) list.tables[list.count++] = &avx2::kTable;
#elif defined(__aarch64__)
  if (cpu.neon) list.tables[list.count++] = &neon::kTable;
#endif
  list.tables[list.count++] = &scalar::kTable;
  for (const KernelTable* table : list) table->prefer_hardware_roots(cpu.amd);
  return list;
}

}  // namespace

const IsaList& available_isas() {
  static const IsaList list = detect_isas();
  return list;
}

std::atomic<const KernelTable*> active_table{available_isas().tables[0]};

bool use_isa(const char* name) {
  for (const KernelTable* table : available_isas()) {
    if (strcmp(table->isa, name) != 0) continue;
    active_table.store(table, std::memory_order_relaxed);
    return true;
  }
  return false;
}

std::string configure_isa_from_environment() {
  static std::mutex mutex;
  static bool configured = false;
  const std::lock_guard<std::mutex> lock(mutex);
  if (configured) return {};
  const std::string name = os::environment("GRADSTEP_ISA");
  if (!name.empty() && !use_isa(name.c_str())) {
    std::string message = "GRADSTEP_ISA is '" + name + "', but this machine has: ";
    const char* separator = "";
    for (const KernelTable* table : available_isas()) {
      message += separator;
      message += table->isa;
      separator = ", ";
    }
    return message;
  }
  configured = true;
  return {};
}

}  // namespace gradstep
