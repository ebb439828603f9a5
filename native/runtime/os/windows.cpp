// Windows 10 and later.
#include "os.h"

#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>

#include <stdint.h>
#include <stdlib.h>

#include <algorithm>

#include "parking.h"

namespace gradstep::os {
namespace {

struct Start {
  void (*run)(void* context);
  void* context;
  wchar_t name[16];
};

// The name is for debuggers. Early versions of Windows 10 have this function in one library only.
void name_this_thread(const wchar_t* name) {
  using SetDescription = HRESULT(WINAPI*)(HANDLE, PCWSTR);
  const FARPROC found = GetProcAddress(GetModuleHandleW(L"kernelbase.dll"), "SetThreadDescription");
  if (found == nullptr) return;
  reinterpret_cast<SetDescription>(reinterpret_cast<void*>(found))(GetCurrentThread(), name);
}

DWORD WINAPI enter(void* memory) {
  const Start start = *static_cast<Start*>(memory);
  release(memory);
  name_this_thread(start.name);
  start.run(start.context);
  return 0;
}

size_t count_bits(DWORD_PTR mask) {
  size_t count = 0;
  for (; mask != 0; mask &= mask - 1) ++count;
  return count;
}

// 0 when the process has threads in several groups of 64 processors: no mask describes it then.
size_t affinity() {
  DWORD_PTR process = 0, system = 0;
  return GetProcessAffinityMask(GetCurrentProcess(), &process, &system) ? count_bits(process) : 0;
}

// A container's quota is its job's: a hard limit in hundredths of a percent of all processors.
size_t job_quota(size_t processors) {
  JOBOBJECT_CPU_RATE_CONTROL_INFORMATION rate = {};
  if (!QueryInformationJobObject(nullptr, JobObjectCpuRateControlInformation, &rate, sizeof rate, nullptr))
    return SIZE_MAX;
  constexpr DWORD kHardLimit = JOB_OBJECT_CPU_RATE_CONTROL_ENABLE | JOB_OBJECT_CPU_RATE_CONTROL_HARD_CAP;
  if ((rate.ControlFlags & kHardLimit) != kHardLimit) return SIZE_MAX;
  return (size_t(rate.CpuRate) * processors + 9999) / 10000;
}

}  // namespace

// Not getenv: the C library of Node is another than ours, and each keeps a copy of its own.
std::string environment(const char* name) {
  std::string value(GetEnvironmentVariableA(name, nullptr, 0), 0);  // with the 0 at its end
  value.resize(value.empty() ? 0 : GetEnvironmentVariableA(name, &value[0], DWORD(value.size())));
  return value;
}

bool start_thread(const char* name, size_t stack_bytes, void (*run)(void* context), void* context) {
  auto* const start = static_cast<Start*>(allocate(sizeof(Start)));
  if (start == nullptr) return false;
  *start = {run, context, {}};
  for (size_t i = 0; i + 1 < sizeof start->name / sizeof *start->name && name[i] != 0; ++i)
    start->name[i] = wchar_t(name[i]);
  // Windows delivers no signals to threads. Without the flag the size would be that of what is committed at once.
  const HANDLE thread = CreateThread(nullptr, stack_bytes, enter, start, STACK_SIZE_PARAM_IS_A_RESERVATION, nullptr);
  if (thread == nullptr) {
    release(start);
    return false;
  }
  CloseHandle(thread);
  return true;
}

void yield() { SwitchToThread(); }

void after_fork_in_child(void (*)()) {}  // nothing forks

size_t parallelism() {
  const size_t processors = GetActiveProcessorCount(ALL_PROCESSOR_GROUPS), allowed = affinity();
  const size_t count = allowed != 0 ? allowed : processors;
  return std::max<size_t>(1, std::min(count, job_quota(processors)));
}

void wait_while(const uint32_t* word, uint32_t seen, uint32_t milliseconds) { park(word, seen, milliseconds); }
void wake_all(const uint32_t* word) { unpark(word); }

bool keep_library_loaded() {
  HMODULE library = nullptr;
  static const char here = 0;  // an address inside this library
  return GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN,
                            reinterpret_cast<LPCWSTR>(&here), &library) != 0;
}

void* open_library(const char*, bool, std::string& why) {
  why = "libraries are not looked for on Windows";
  return nullptr;
}

void close_library(void*) {}
void* symbol(void*, const char*) { return nullptr; }
std::string file_of(const void*) { return {}; }

void sleep_microseconds(uint32_t microseconds) { Sleep(microseconds / 1000 + 1); }
void sleep_precisely() {}
void report(const std::string&) {}
void end_process(int) { abort(); }

}  // namespace gradstep::os
