#pragma once
#include <atomic>
#include <string>

#include "../kernels/table.h"

namespace gradstep {

// The tables this machine can run, best first; the last one is always `scalar`.
struct IsaList {
  const KernelTable* tables[3];
  size_t count;
  const KernelTable* const* begin() const { return tables; }
  const KernelTable* const* end() const { return tables + count; }
};
const IsaList& available_isas();

// Never changed but by use_isa; the best table from the moment the library is loaded.
extern std::atomic<const KernelTable*> active_table;

// The table in use, for the whole process. A driver asks once per call and keeps to that table.
inline const KernelTable& kernels() {
  return *active_table.load(std::memory_order_relaxed);  // relaxed: tables are constants, nothing else is published
}

// Switches the process to the named table. False, with nothing changed, when this machine has no such table.
bool use_isa(const char* name);

// Applies GRADSTEP_ISA, once per process: later calls leave the table alone. Empty means unset.
// Returns what is wrong with it, or an empty string.
std::string configure_isa_from_environment();

}  // namespace gradstep
