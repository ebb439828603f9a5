// Linux and macOS.
#include "os.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#if defined(__linux__)
#include <linux/futex.h>
#include <linux/prctl.h>
#include <sys/syscall.h>
#else
#include "parking.h"
#endif

#include <algorithm>

namespace gradstep::os {
namespace {

struct Start {
  void (*run)(void* context);
  void* context;
  char name[16];
};

void* enter(void* memory) {
  const Start start = *static_cast<Start*>(memory);
  release(memory);
#if defined(__APPLE__)
  pthread_setname_np(start.name);
#else
  pthread_setname_np(pthread_self(), start.name);
#endif
  start.run(start.context);
  return nullptr;
}

#if defined(__linux__)

size_t affinity() {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? size_t(CPU_COUNT(&set)) : 0;
}

// Our cgroup (version 2): "0::/user.slice/app.scope" gives "/user.slice/app.scope". False when there is none.
// (stdio and no stream: what C++ streams bring along is half a megabyte, and a newer C library than we ask for.)
bool find_cgroup(std::string& path) {
  FILE* const groups = fopen("/proc/self/cgroup", "re");
  if (groups == nullptr) return false;
  char line[4096];
  bool found = false;
  while (!found && fgets(line, sizeof line, groups) != nullptr) found = strncmp(line, "0::", 3) == 0;
  fclose(groups);
  if (found) path.assign(line + 3, strcspn(line + 3, "\n"));
  return found;
}

// The quota in such a file, "200000 100000" (quota and period) or "max 100000", in whole CPUs; SIZE_MAX when there is
// none.
size_t read_quota(const std::string& file_name) {
  FILE* const file = fopen(file_name.c_str(), "re");
  if (file == nullptr) return SIZE_MAX;
  unsigned long long quota = 0, period = 0;
  const bool limited = fscanf(file, "%llu %llu", &quota, &period) == 2 && quota > 0 && period > 0;
  fclose(file);
  return limited ? size_t((quota + period - 1) / period) : SIZE_MAX;
}

// The smallest quota from our cgroup up to the root.
size_t cgroup_quota() {
  size_t cpus = SIZE_MAX;
  std::string path;
  if (!find_cgroup(path)) return cpus;
  if (path == "/") path.clear();
  for (;;) {
    cpus = std::min(cpus, read_quota("/sys/fs/cgroup" + path + "/cpu.max"));
    if (path.empty()) return cpus;
    const size_t slash = path.rfind('/');
    path.resize(slash == std::string::npos ? 0 : slash);
  }
}

#else

size_t affinity() { return 0; }
size_t cgroup_quota() { return SIZE_MAX; }

#endif

}  // namespace

std::string environment(const char* name) {
  const char* value = getenv(name);
  return value != nullptr ? value : "";
}

bool start_thread(const char* name, size_t stack_bytes, void (*run)(void* context), void* context) {
  auto* const start = static_cast<Start*>(allocate(sizeof(Start)));
  if (start == nullptr) return false;
  *start = {run, context, {}};
  for (size_t i = 0; i + 1 < sizeof start->name && name[i] != 0; ++i) start->name[i] = name[i];
  // A thread inherits this mask.
  sigset_t all, previous;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &previous);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, stack_bytes);
  pthread_t thread;
  const bool started = pthread_create(&thread, &attributes, enter, start) == 0;
  pthread_attr_destroy(&attributes);
  pthread_sigmask(SIG_SETMASK, &previous, nullptr);
  if (!started) release(start);
  return started;
}

void yield() { sched_yield(); }

void after_fork_in_child(void (*f)()) { pthread_atfork(nullptr, nullptr, f); }

size_t parallelism() {
  size_t count = affinity();
  if (count == 0) count = size_t(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));
  return std::max<size_t>(1, std::min(count, cgroup_quota()));
}

#if defined(__linux__)

void wait_while(const uint32_t* word, uint32_t seen, uint32_t milliseconds) {
  const timespec most = {static_cast<time_t>(milliseconds / 1000), static_cast<long>(milliseconds % 1000) * 1000000};
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, &most, nullptr, 0);
}

void wake_all(const uint32_t* word) { syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT32_MAX, nullptr, nullptr, 0); }

#else

// Other systems' own functions for this are newer than the oldest that we run on.
void wait_while(const uint32_t* word, uint32_t seen, uint32_t milliseconds) { park(word, seen, milliseconds); }
void wake_all(const uint32_t* word) { unpark(word); }

#endif

bool keep_library_loaded() {
  Dl_info library;
  static const char here = 0;  // an address inside this library
  if (dladdr(&here, &library) == 0) return false;
  // RTLD_NOLOAD finds the library that is already mapped; the handle is kept, never closed.
  return dlopen(library.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE) != nullptr;
}

void* open_library(const char* name, bool for_all, std::string& why) {
  void* const library = dlopen(name, RTLD_NOW | (for_all ? RTLD_GLOBAL : RTLD_LOCAL));
  const char* const said = library == nullptr ? dlerror() : nullptr;
  if (said != nullptr) why = said;
  return library;
}

void close_library(void* library) { dlclose(library); }

void* symbol(void* library, const char* name) { return dlsym(library, name); }

std::string file_of(const void* address) {
  Dl_info library;
  return dladdr(address, &library) != 0 && library.dli_fname != nullptr ? library.dli_fname : "";
}

void sleep_microseconds(uint32_t microseconds) {
  const timespec time = {static_cast<time_t>(microseconds / 1000000), static_cast<long>(microseconds % 1000000) * 1000};
  nanosleep(&time, nullptr);
}

void sleep_precisely() {
#if defined(__linux__)
  syscall(SYS_prctl, PR_SET_TIMERSLACK, 1000UL, 0UL, 0UL, 0UL);  // nanoseconds, of 50000
#endif
}

void report(const std::string& text) {
  const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
  static_cast<void>(written);
}

void end_process(int code) { _exit(code); }

}  // namespace gradstep::os
