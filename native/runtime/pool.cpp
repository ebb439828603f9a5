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
#include "pause.h"

namespace gradstep {
namespace {

// Longer than the pauses between the parallel calls of a training step, so that workers stay awake from one call to the
// next: waking one takes 15 us. After the last step they sleep.
constexpr std::chrono::microseconds kSpin{100};

constexpr size_t kStackBytes = 512 * 1024;  // blocks keep their big buffers on the heap

std::atomic<size_t> wanted_threads{0};  // 0: nobody has asked yet
thread_local size_t threads_here = 0;   // 0: as many as the process has
std::atomic<size_t> calls_open{0};      // parallel_fors that have workers

template <class Ready> bool spin_until(Ready ready) {
  // Spinning would keep the thread we wait for off its processor.
  if (threads() > available_parallelism() || calls_open.load(std::memory_order_relaxed) > 1) return ready();
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
thread_local bool in_background = false;

// So many calls may be under way at a time; each further one does all of its blocks itself.
constexpr size_t kCalls = 16;

// So many of them find as many workers as they ask for: the step in flight and what the event loop computes meanwhile.
// More at once share those: where every thread of a program computes, processors are what there is too little of.
constexpr size_t kCallsWithWorkersOfTheirOwn = 2;

// Not members: a child forked while the pool is being made must find these without waiting for the maker.
std::atomic<bool> has_pool{false};   // or it is being made
std::atomic<bool> is_serial{false};  // in a forked child, which has no workers

struct Job {
  BlockFn fn;
  void* context;
  size_t blocks;
  bool is_background;

  void run(size_t index) const {
    fn(context, index);
    if (is_background) os::yield();
  }
};

// One parallel_for. Its caller writes the job, opens the gate with a number of seats, takes blocks itself, closes the
// gate when none are left and waits for those inside. So it never waits for a worker that is slow to wake, and a worker
// that comes late finds no seat and never looks at the job. Any worker may take any seat: lowering threads() needs no
// goodbye.
class alignas(64) Call {
 public:
  // Whoever turns it from false to true has the call.
  bool claim() {
    return !is_claimed_.load(std::memory_order_relaxed) && !is_claimed_.exchange(true, std::memory_order_acquire);
  }
  void give_back() { is_claimed_.store(false, std::memory_order_release); }

  void open(const Job& job, size_t seats);
  void take_blocks();
  void close();

  // Of workers. False when no seat is free.
  bool enter();
  void leave();
  size_t free_seats() const { return gate_.load() / kOneSeat; }

 private:
  // The gate is one word: workers inside (bits 0-14), whether the caller sleeps (15), free seats (16-31).
  static constexpr uint32_t kOneInside = 1, kInside = 0x7FFF, kCallerSleeps = 0x8000;
  static constexpr uint32_t kOneSeat = 0x10000, kSeats = 0xFFFF0000;

  Job job_ = {};
  std::atomic<bool> is_claimed_{false};
  alignas(64) std::atomic<uint32_t> gate_{0};
  alignas(64) std::atomic<size_t> next_{0};  // the first block nobody has taken
  alignas(64) std::mutex mutex_;
  std::condition_variable all_left_;
};

void Call::open(const Job& job, size_t seats) {
  job_ = job;
  next_.store(0, std::memory_order_relaxed);
  gate_.store(static_cast<uint32_t>(seats) * kOneSeat);  // nobody else writes a closed and empty gate
}

bool Call::enter() {
  uint32_t gate = gate_.load();
  do {
    if (!(gate & kSeats)) return false;
  } while (!gate_.compare_exchange_weak(gate, gate - kOneSeat + kOneInside));
  return true;
}

// Nobody leaves while there are blocks: a seat that is still free is of no use to anybody.
void Call::leave() {
  uint32_t gate = gate_.load();
  while (!gate_.compare_exchange_weak(gate, (gate & ~kSeats) - kOneInside)) {}
  if ((gate & kInside) != kOneInside || !(gate & kCallerSleeps)) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  all_left_.notify_one();
}

void Call::close() {
  gate_.fetch_and(~kSeats);
  const auto empty = [this] { return (gate_.load() & kInside) == 0; };
  if (spin_until(empty)) return;
  std::unique_lock<std::mutex> lock(mutex_);
  gate_.fetch_or(kCallerSleeps);
  all_left_.wait(lock, empty);
  gate_.fetch_and(~kCallerSleeps);
}

void Call::take_blocks() {
  const Job job = job_;
  for (;;) {
    const size_t index = next_.fetch_add(1, std::memory_order_relaxed);
    if (index >= job.blocks) return;
    job.run(index);
  }
}

class Pool {
 public:
  Pool() {
    os::after_fork_in_child([] { is_serial.store(has_pool.load()); });
  }

  // Never destroyed: workers sleep on these members until the process ends, after static destructors have run.
  static Pool& instance() {
    static Pool* const pool = new Pool;
    return *pool;
  }

  // False when as many calls as there may be are under way.
  bool run(const Job& job, size_t workers);

 private:
  Call* claim();
  size_t start(size_t workers, size_t open_calls);
  void wake(size_t seats, size_t most);
  bool serve();
  void wait_for_call_after(uint64_t seen);
  [[noreturn]] void work();

  Call calls_[kCalls];
  alignas(64) std::atomic<uint64_t> opened_{0};  // how many calls there have been
  alignas(64) std::atomic<size_t> spinners_{0}, sleepers_{0};
  std::atomic<size_t> attempted_{0}, started_{0};
  std::mutex start_mutex_, mutex_;
  std::condition_variable call_opened_;
};

bool Pool::run(const Job& job, size_t workers) {
  Call* const call = claim();
  if (call == nullptr) return false;
  const size_t seats = start(workers, calls_open.fetch_add(1) + 1);
  call->open(job, seats);
  // This and the load of spinners_ and sleepers_ mirror wait_for_call_after, which counts itself and then looks at
  // opened_: one of the two sees the other, so no sleeper is overlooked.
  opened_.fetch_add(1);
  wake(seats, 1);
  call->take_blocks();
  call->close();
  calls_open.fetch_sub(1);
  call->give_back();
  return true;
}

Call* Pool::claim() {
  for (Call& call : calls_) {
    if (call.claim()) return &call;
  }
  return nullptr;
}

// Returns how many of these workers there can be: a thread the system refuses is not asked for again.
size_t Pool::start(size_t workers, size_t open_calls) {
  const size_t times = std::min(open_calls, kCallsWithWorkersOfTheirOwn);
  const size_t wanted = std::min(workers * times, kMaxThreads);
  if (attempted_.load(std::memory_order_acquire) < wanted) {
    const std::lock_guard<std::mutex> lock(start_mutex_);
    const auto work = [](void* pool) { static_cast<Pool*>(pool)->work(); };
    for (size_t n = attempted_.load(); n < wanted; ++n) {
      started_.fetch_add(os::start_thread("gradstep", kStackBytes, work, this) ? 1 : 0);
      attempted_.store(n + 1, std::memory_order_release);
    }
  }
  return std::min(workers, started_.load());
}

// Wakes workers for free seats, unless enough of them are about to come by themselves. Each that enters wakes two more,
// so that the caller pays for one and many are up after few wake-ups in a row.
void Pool::wake(size_t seats, size_t most) {
  const size_t coming = spinners_.load();
  if (seats <= coming || sleepers_.load() == 0) return;
  { const std::lock_guard<std::mutex> lock(mutex_); }  // past this, a worker that counted itself is waiting
  for (size_t i = std::min(seats - coming, most); i > 0; --i) call_opened_.notify_one();
}

// Takes part in a call that has a seat. False when there is none.
bool Pool::serve() {
  for (Call& call : calls_) {
    if (!call.enter()) continue;
    // Another call that was opened at the same time may have counted on this thread as well.
    size_t free_seats = call.free_seats();
    if (calls_open.load() > 1) {
      free_seats = 0;
      for (const Call& each : calls_) free_seats += each.free_seats();
    }
    wake(free_seats, 2);
    call.take_blocks();
    call.leave();
    return true;
  }
  return false;
}

void Pool::wait_for_call_after(uint64_t seen) {
  const auto opened = [&] { return opened_.load() != seen; };
  // As many spin as a call asks for; further ones would take processors from those.
  const bool spins = spinners_.fetch_add(1) < threads() - 1;
  const bool is_opened = spins && spin_until(opened);
  spinners_.fetch_sub(1);
  if (is_opened) return;
  std::unique_lock<std::mutex> lock(mutex_);
  ++sleepers_;
  call_opened_.wait(lock, opened);
  --sleepers_;
}

void Pool::work() {
  inside_block = true;
  for (;;) {
    const uint64_t seen = opened_.load();
    if (!serve()) wait_for_call_after(seen);
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
  const Job job = {fn, context, blocks, in_background && !nested};
  bool is_done = false;
  if (!nested && sharers > 1 && !is_serial.load(std::memory_order_relaxed)) {
    has_pool.store(true, std::memory_order_relaxed);
    is_done = Pool::instance().run(job, sharers - 1);
  }
  for (size_t index = 0; !is_done && index < blocks; ++index) job.run(index);
  inside_block = nested;
}

Background::Background() : before_(in_background) { in_background = true; }
Background::~Background() { in_background = before_; }
bool Background::is_here() { return in_background; }

}  // namespace gradstep
