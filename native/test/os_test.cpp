// What the operating system is asked for.
#include "../runtime/os/os.h"
#include "check.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

using namespace gradstep;

// So that impossible sizes are answered as they are without a sanitizer.
extern "C" __attribute__((visibility("default"), used)) const char* __asan_default_options() {
  return "allocator_may_return_null=1";
}
extern "C" __attribute__((visibility("default"), used)) const char* __tsan_default_options() {
  return "allocator_may_return_null=1";
}

namespace {

void memory_is_aligned_or_not_there() {
  for (const size_t bytes : {size_t(0), size_t(1), size_t(63), size_t(64), size_t(1000), size_t(1) << 20}) {
    void* const memory = os::allocate(bytes);
    check(memory != nullptr && reinterpret_cast<uintptr_t>(memory) % 64 == 0, "memory starts on a cache line");
    if (memory != nullptr) memset(memory, 1, bytes);
    os::release(memory);
  }
  os::release(nullptr);
  check(os::allocate(SIZE_MAX / 2) == nullptr && os::allocate(SIZE_MAX) == nullptr, "impossible sizes find no memory");
}

struct Seen {
  std::atomic<bool> done{false};
  bool blocks_signals = false;
  char name[32] = {};
};

void a_thread_has_a_name_and_no_signals() {
  Seen seen;
  const auto run = [](void* context) {
    Seen& result = *static_cast<Seen*>(context);
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    result.blocks_signals = sigismember(&mask, SIGTERM) && sigismember(&mask, SIGINT);
    pthread_getname_np(pthread_self(), result.name, sizeof result.name);
    result.done = true;
  };
  check(os::start_thread("a name of more than 15 characters", 256 * 1024, run, &seen), "a thread starts");
  while (!seen.done) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  check(seen.blocks_signals, "it leaves signals to others");
  check(strcmp(seen.name, "a name of more ") == 0, "it has the start of its name");
  sigset_t mask;
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  check(!sigismember(&mask, SIGTERM), "who started it still gets signals");
}

std::atomic<bool> is_child{false};

void a_forked_child_is_told() {
  os::after_fork_in_child([] { is_child = true; });
  const pid_t child = fork();
  if (child == 0) _exit(is_child ? 0 : 1);
  int status = 1;
  waitpid(child, &status, 0);
  check(status == 0 && !is_child, "a forked child is told, its parent is not");
}

}  // namespace

int main() {
  memory_is_aligned_or_not_there();
  a_thread_has_a_name_and_no_signals();
  a_forked_child_is_told();
  check(os::parallelism() >= 1, "there is a CPU");
  check(!os::keep_library_loaded(), "a program is no library to be kept");
  return report();
}
