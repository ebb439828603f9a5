// Which kernels a machine gets, and how that is changed.
#include "../runtime/dispatch.h"

#include <stdlib.h>

#include <string>
#include <thread>
#include <vector>

#include "../runtime/cpu.h"
#include "check.h"

using namespace gradstep;

namespace {

std::string names() {
  std::string list;
  for (const KernelTable* table : available_isas()) list += (list.empty() ? "" : ", ") + std::string(table->isa);
  return list;
}

void offers_what_the_cpu_can_run() {
  const Cpu cpu = detect_cpu();
  std::string expected;
#ifdef GRADSTEP_EMULATE_AVX512
  if (cpu.avx2) expected += "avx512, ";
#else
  if (cpu.avx512) expected += "avx512, ";
#endif
  if (cpu.avx2) expected += "avx2, ";
  if (cpu.neon) expected += "neon, ";
  check(names() == expected + "scalar", "lists the tables best first, scalar last");
  check(&kernels() == available_isas().tables[0], "starts with the best table");
  check(available_parallelism() >= 1, "there is at least one CPU");
#if defined(__x86_64__)
  // The compiler's runtime asks the same questions its own way.
  check(cpu.avx2 == (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")),
        "agrees with the compiler on AVX2");
  check(cpu.avx512 == (cpu.avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                       __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")),
        "agrees with the compiler on AVX-512");
#elif defined(__aarch64__)
  check(cpu.neon, "every aarch64 has NEON");
#endif
}

void reads_the_isa_from_the_environment() {
  const KernelTable* before = &kernels();
  setenv("GRADSTEP_ISA", "foo", 1);
  check(configure_isa_from_environment() == "GRADSTEP_ISA is 'foo', but this machine has: " + names(),
        "names the choices");
  check(&kernels() == before, "an unknown GRADSTEP_ISA changes nothing");
  setenv("GRADSTEP_ISA", "scalar", 1);
  check(configure_isa_from_environment().empty() && &kernels() == &scalar::kTable, "takes GRADSTEP_ISA");
  setenv("GRADSTEP_ISA", "foo", 1);
  check(configure_isa_from_environment().empty() && &kernels() == &scalar::kTable, "reads the environment once");
}

void switches_only_to_what_is_there() {
  for (const KernelTable* table : available_isas()) {
    check(use_isa(table->isa) && &kernels() == table, "switches to " + std::string(table->isa));
  }
  for (const char* unknown : {"", "AVX2", "avx", "sse", "scalar "}) {
    check(!use_isa(unknown) && &kernels() == &scalar::kTable, "refuses '" + std::string(unknown) + "'");
  }
  for (const char* known : {"avx512", "avx2", "neon", "scalar"}) {
    const bool listed = (", " + names() + ",").find(", " + std::string(known) + ",") != std::string::npos;
    check(use_isa(known) == listed, std::string(known) + " can be used exactly when it is listed");
  }
}

void may_be_switched_from_any_thread() {
  std::vector<std::thread> threads;
  for (int caller = 0; caller < 4; ++caller) {
    threads.emplace_back([] {
      for (int i = 0; i < 1000; ++i) {
        for (const KernelTable* table : available_isas()) use_isa(table->isa);
        configure_isa_from_environment();
        if (!kernels().isa) abort();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  check(&kernels() == &scalar::kTable, "every thread ended on the same table");
}

}  // namespace

int main() {
  offers_what_the_cpu_can_run();
  reads_the_isa_from_the_environment();
  switches_only_to_what_is_there();
  may_be_switched_from_any_thread();
  return report();
}
