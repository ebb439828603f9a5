#include "pool.h"

#include <stdint.h>
#include <stdlib.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "cpu.h"
#include "os/os.h"

namespace gradstep {
namespace {

// Longer than the pauses between the parallel calls of a training step, so that workers stay awake from one call to the
// next: waking one takes 15 us. After the last step they sleep.
constexpr std::chrono::microseconds kSpin{100};

constexpr size_t kStackBytes = 512 * 1024;  // blocks keep their big buffers on the heap

std::atomic<size_t> wanted_threads{0};  // 0: nobody has asked yet
thread_local size_t threads_here = 0;   // 0: as many as the process has

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

template <class Ready> bool spin_until(Ready ready) {
  if (threads() > available_parallelism()) return ready();  // spinning would keep the thread we wait for off its CPU
  const auto deadline = std::chrono::steady_clock::now() + kSpin;
  do {
    for (int i = 0; i < 8; ++i, pause()) {
      if (ready()) return true;
    }
  } while (std::chrono::steady_clock::now() < deadline);
  return false;
}

// True on a thread that is inside a block. Workers never run anything else.
thread_local bool inside_block = false;

// Whoever turns it from false to true has the pool. It is not a member: a child forked while the pool is being made
// must find it without waiting for the maker.
std::atomic<bool> pool_busy{false};

struct Job {
  BlockFn fn;
  void* context;
  size_t blocks;
};

// A caller writes the job, opens the gate with a number of seats, takes blocks itself, closes the gate when none are
// left and waits for those inside. So it never waits for a worker that is slow to wake, and a worker that comes late
// finds the gate closed and never looks at the job. Any worker may take any seat: lowering threads() needs no goodbye.
class Pool {
 public:
  Pool() {
    // A forked child has no workers. A pool that stays busy makes every call there run serially.
    os::after_fork_in_child([] { pool_busy.store(true); });
  }

  // Never destroyed: workers sleep on these members until the process ends, after static destructors have run.
  static Pool& instance() {
    static Pool* const pool = new Pool;
    return *pool;
  }

  void run(const Job& job, size_t workers) {
    start(workers);
    job_ = job;
    next_.store(0, std::memory_order_relaxed);
    open(std::min(workers, started_));
    take_blocks();
    close();
  }

 private:
  // The gate is one word: workers inside (bits 0-14), whether the caller sleeps (15), free seats (16-31) and the
  // number of the job (32-63), which tells a worker that it has already been here.
  static constexpr uint64_t kOneInside = 1, kInside = 0x7FFF, kCallerSleeps = 0x8000;
  static constexpr uint64_t kOneSeat = 0x10000, kSeats = 0xFFFF0000;
  static uint64_t job_number(uint64_t gate) { return gate >> 32; }

  void start(size_t workers);
  void open(size_t seats);
  void close();
  bool enter();
  void wake(size_t workers);
  void leave();
  void take_blocks();
  void wait_for_job_after(uint64_t seen);
  [[noreturn]] void work();

  Job job_ = {};
  size_t attempted_ = 0, started_ = 0;
  alignas(64) std::atomic<uint64_t> gate_{0};
  alignas(64) std::atomic<size_t> next_{0};  // the first block nobody has taken

  alignas(64) std::mutex mutex_;
  std::condition_variable job_opened_, all_left_;
  std::atomic<size_t> sleepers_{0};
};

void Pool::start(size_t workers) {
  // A thread the system refuses is not asked for again: there are fewer workers then.
  const auto work = [](void* pool) { static_cast<Pool*>(pool)->work(); };
  for (; attempted_ < workers; ++attempted_) started_ += os::start_thread("gradstep", kStackBytes, work, this);
}

void Pool::open(size_t seats) {
  // Nobody else writes a closed and empty gate. This store and the load of sleepers_ mirror wait_for_job_after, which
  // counts itself and then looks at the gate: one of the two sees the other, so no sleeper is overlooked.
  gate_.store((job_number(gate_.load()) + 1) << 32 | seats * kOneSeat);
  if (seats > 0) wake(1);
}

bool Pool::enter() {
  uint64_t gate = gate_.load();
  do {
    if (!(gate & kSeats)) return false;
  } while (!gate_.compare_exchange_weak(gate, gate - kOneSeat + kOneInside));
  // Each wakes two more, so that the caller pays for one and many workers are up after few wake-ups in a row.
  const size_t seats_left = (gate & kSeats) / kOneSeat - 1;
  wake(std::min<size_t>(seats_left, 2));
  return true;
}

void Pool::wake(size_t workers) {
  if (workers == 0 || sleepers_.load() == 0) return;
  { const std::lock_guard<std::mutex> lock(mutex_); }  // past this, a worker that counted itself is waiting
  for (size_t i = 0; i < workers; ++i) job_opened_.notify_one();
}

void Pool::leave() {
  const uint64_t before = gate_.fetch_sub(kOneInside);
  if ((before & kInside) != kOneInside || !(before & kCallerSleeps)) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  all_left_.notify_one();
}

void Pool::close() {
  gate_.fetch_and(~kSeats);
  const auto empty = [this] { return (gate_.load() & kInside) == 0; };
  if (spin_until(empty)) return;
  std::unique_lock<std::mutex> lock(mutex_);
  gate_.fetch_or(kCallerSleeps);
  all_left_.wait(lock, empty);
  gate_.fetch_and(~kCallerSleeps);
}

void Pool::take_blocks() {
  const Job job = job_;
  for (;;) {
    const size_t index = next_.fetch_add(1, std::memory_order_relaxed);
    if (index >= job.blocks) return;
    job.fn(job.context, index);
  }
}

void Pool::wait_for_job_after(uint64_t seen) {
  const auto opened = [&] { return job_number(gate_.load()) != seen; };
  if (spin_until(opened)) return;
  std::unique_lock<std::mutex> lock(mutex_);
  ++sleepers_;
  job_opened_.wait(lock, opened);
  --sleepers_;
}

void Pool::work() {
  inside_block = true;
  for (uint64_t seen = 0;;) {
    wait_for_job_after(seen);
    seen = job_number(gate_.load());
    if (!enter()) continue;
    take_blocks();
    leave();
  }
}

}  // namespace

size_t threads() {
  if (threads_here != 0) return threads_here;
  const size_t wanted = wanted_threads.load(std::memory_order_relaxed);
  return wanted != 0 ? wanted : std::min(available_parallelism(), kMaxThreads);
}

void set_threads(size_t n) { wanted_threads.store(std::clamp<size_t>(n, 1, kMaxThreads), std::memory_order_relaxed); }

void set_threads_here(size_t n) { threads_here = std::min(n, kMaxThreads); }

std::string configure_threads_from_environment() {
  static std::mutex mutex;
  static bool configured = false;
  const std::lock_guard<std::mutex> lock(mutex);
  if (configured) return {};
  const std::string text = os::environment("GRADSTEP_THREADS");
  if (!text.empty()) {
    const bool digits = text.find_first_not_of("0123456789") == std::string::npos;
    const unsigned long n = digits ? strtoul(text.c_str(), nullptr, 10) : 0;  // ULONG_MAX when it does not fit
    if (n < 1 || n > kMaxThreads) return "GRADSTEP_THREADS must be an integer from 1 to 256, got '" + text + "'";
    set_threads(n);
  }
  configured = true;
  return {};
}

void parallel_for(size_t blocks, void* context, BlockFn fn) {
  if (blocks == 1) return fn(context, 0);
  if (blocks == 0) return;
  const bool nested = inside_block;
  const size_t sharers = std::min(threads(), blocks);
  inside_block = true;
  if (!nested && sharers > 1 && !pool_busy.exchange(true, std::memory_order_acquire)) {
    Pool::instance().run({fn, context, blocks}, sharers - 1);
    pool_busy.store(false, std::memory_order_release);
  } else {
    for (size_t index = 0; index < blocks; ++index) fn(context, index);
  }
  inside_block = nested;
}

}  // namespace gradstep
