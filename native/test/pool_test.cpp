// The thread pool: every block once, in every situation a Node process can bring about.
#include "../runtime/pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "../runtime/cpu.h"
#include "check.h"

using namespace gradstep;

namespace {

bool each_index_runs_once(size_t blocks) {
  std::vector<std::atomic<int>> runs(blocks);
  parallel_for(blocks, [&](size_t index) { ++runs[index]; });
  for (const auto& count : runs) {
    if (count != 1) return false;
  }
  return true;
}

void reads_the_thread_count_from_the_environment() {
  for (const char* bad : {"0", "257", "x", "3x", " 3", "-1", "+3", "2.0", "99999999999999999999999"}) {
    setenv("GRADSTEP_THREADS", bad, 1);
    const std::string expected = std::string("GRADSTEP_THREADS must be an integer from 1 to 256, got '") + bad + "'";
    check(configure_threads_from_environment() == expected, "refuses GRADSTEP_THREADS=" + std::string(bad));
  }
  check(threads() == available_parallelism(), "starts at the available parallelism");
  setenv("GRADSTEP_THREADS", "3", 1);
  check(configure_threads_from_environment().empty() && threads() == 3, "takes GRADSTEP_THREADS");
  setenv("GRADSTEP_THREADS", "5", 1);
  check(configure_threads_from_environment().empty() && threads() == 3, "reads the environment once");
}

void runs_every_index_exactly_once() {
  for (size_t count : {1, 2, 3, 8, 2}) {
    set_threads(count);
    check(threads() == count, "remembers the thread count");
    for (size_t blocks : {0, 1, 2, 3, 100, 10000}) {
      check(each_index_runs_once(blocks), std::to_string(blocks) + " blocks on " + std::to_string(count) + " threads");
    }
  }
}

// Each block waits until as many blocks are running as there are threads: it hangs unless they really run at once.
void really_runs_in_parallel() {
  set_threads(4);
  std::atomic<int> running{0};
  parallel_for(4, [&](size_t) {
    ++running;
    while (running < 4) std::this_thread::yield();
  });
  check(running == 4, "four blocks on four threads run at the same time");
}

void workers_leave_signals_to_the_process() {
  set_threads(4);
  std::atomic<int> arrived{0}, blocking{0};
  parallel_for(4, [&](size_t) {
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    blocking += sigismember(&mask, SIGTERM) && sigismember(&mask, SIGINT);
    ++arrived;
    while (arrived < 4) std::this_thread::yield();
  });
  check(blocking == 3, "three workers block signals, the caller does not");
}

void runs_in_order_on_one_thread() {
  set_threads(1);
  const std::thread::id caller = std::this_thread::get_id();
  std::vector<size_t> order;
  bool same_thread = true;
  parallel_for(100, [&](size_t index) {
    order.push_back(index);
    same_thread &= std::this_thread::get_id() == caller;
  });
  bool ascending = order.size() == 100;
  for (size_t i = 0; ascending && i < 100; ++i) ascending = order[i] == i;
  check(ascending && same_thread, "one thread runs the blocks itself, in order");
}

void nested_calls_run_serially_and_in_order() {
  set_threads(3);
  std::atomic<int> wrong{0}, inner{0};
  parallel_for(50, [&](size_t) {
    size_t expected = 0;
    const std::thread::id outer = std::this_thread::get_id();
    parallel_for(20, [&](size_t index) {
      wrong += index != expected++ || std::this_thread::get_id() != outer;
      parallel_for(2, [&](size_t) { ++inner; });
    });
    wrong += expected != 20;
  });
  check(wrong == 0 && inner == 50 * 20 * 2, "nested calls run serially and in order on the thread of their block");
  check(each_index_runs_once(1000), "the pool serves again after nested calls");
}

// What Node worker_threads do, while somebody sets runtime.threads.
void survives_many_callers_and_a_changing_thread_count() {
  std::atomic<bool> ok{true}, stop{false};
  std::thread setter([&] {
    for (size_t n = 0; !stop; ++n) {
      set_threads(1 + n % 8);
      std::this_thread::yield();
    }
  });
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 8; ++caller) {
    callers.emplace_back([&] {
      for (size_t round = 0; round < 200; ++round) {
        if (!each_index_runs_once(round % 70)) ok = false;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  stop = true;
  setter.join();
  check(ok, "8 threads call at once while the thread count changes");
}

void many_tiny_calls_lose_no_wake_up() {
  for (size_t count : {2, 8}) {
    set_threads(count);
    std::atomic<size_t> total{0};
    const auto start = std::chrono::steady_clock::now();
    for (int call = 0; call < 50000; ++call) parallel_for(3, [&](size_t index) { total += index; });
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    check(total == 50000 * 3, "50000 calls on " + std::to_string(count) + " threads");
    printf("%zu threads: %.2f us per parallel_for(3)\n", count, seconds / 50000 * 1e6);
  }
  // Pauses around the length of the spin: workers are caught falling asleep.
  set_threads(2);
  std::atomic<size_t> total{0};
  for (int call = 0; call < 2000; ++call) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(call % 40);
    while (std::chrono::steady_clock::now() < until) {}
    parallel_for(2, [&](size_t) { ++total; });
  }
  check(total == 4000, "calls that find workers falling asleep");
}

// A step off the event loop is one call, what the event loop computes meanwhile another: it hangs unless all four
// blocks run at once.
void two_calls_have_workers_of_their_own() {
  set_threads(2);
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> running{0};
    const auto call = [&] {
      parallel_for(2, [&](size_t) {
        ++running;
        while (running < 4) std::this_thread::yield();
      });
    };
    std::thread other(call);
    call();
    other.join();
    check(running == 4, "two calls run on two threads each");
  }
}

// More than there are seats for: those that find none do their blocks themselves.
void more_calls_than_there_are_seats_for_are_done_too() {
  set_threads(2);
  std::atomic<int> inside{0};
  std::atomic<size_t> blocks{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 20; ++caller) {
    callers.emplace_back([&] {
      std::atomic<bool> has_arrived{false};
      parallel_for(3, [&](size_t) {
        if (!has_arrived.exchange(true)) ++inside;
        while (inside < 20) std::this_thread::yield();
        ++blocks;
      });
    });
  }
  for (std::thread& caller : callers) caller.join();
  check(blocks == 20 * 3, "twenty calls at once do all of their blocks");
  check(each_index_runs_once(1000), "the pool serves again after twenty calls at once");
}

void a_long_block_on_a_worker_is_waited_for() {
  set_threads(2);
  bool ok = true;
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> done{0};
    parallel_for(2, [&](size_t) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      ++done;
    });
    ok &= done == 2;
  }
  check(ok, "the caller sleeps until the last worker has left");
}

void a_forked_child_runs_serially() {
  set_threads(3);
  each_index_runs_once(100);
  const pid_t child = fork();
  if (child == 0) _exit(each_index_runs_once(100) ? 0 : 1);
  int status = 1;
  waitpid(child, &status, 0);
  check(status == 0, "a forked child does its blocks without workers");
}

}  // namespace

int main() {
  reads_the_thread_count_from_the_environment();
  runs_every_index_exactly_once();
  really_runs_in_parallel();
  workers_leave_signals_to_the_process();
  runs_in_order_on_one_thread();
  nested_calls_run_serially_and_in_order();
  survives_many_callers_and_a_changing_thread_count();
  many_tiny_calls_lose_no_wake_up();
  two_calls_have_workers_of_their_own();
  more_calls_than_there_are_seats_for_are_done_too();
  a_long_block_on_a_worker_is_waited_for();
  a_forked_child_runs_serially();
  set_threads(0);
  check(threads() == 1, "clamps the thread count to 1");
  set_threads(100000);
  check(threads() == kMaxThreads, "clamps the thread count to kMaxThreads");
  return report();
}
