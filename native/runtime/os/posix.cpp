// Linux and macOS.
#include "os.h"

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#if defined(__linux__)
#include <sched.h>
#endif

#include <algorithm>
#include <fstream>
#include <string>
#include <thread>

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

// The smallest quota from our cgroup (version 2) up to the root, in whole CPUs; SIZE_MAX when there is none.
size_t cgroup_quota() {
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

size_t affinity() { return 0; }
size_t cgroup_quota() { return SIZE_MAX; }

#endif

}  // namespace

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

void after_fork_in_child(void (*f)()) { pthread_atfork(nullptr, nullptr, f); }

size_t parallelism() {
  size_t count = affinity();
  if (count == 0) count = std::thread::hardware_concurrency();
  return std::max<size_t>(1, std::min(count, cgroup_quota()));
}

bool keep_library_loaded() {
  Dl_info library;
  static const char here = 0;  // an address inside this library
  if (dladdr(&here, &library) == 0) return false;
  // RTLD_NOLOAD finds the library that is already mapped; the handle is kept, never closed.
  return dlopen(library.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE) != nullptr;
}

}  // namespace gradstep::os
