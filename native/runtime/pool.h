#pragma once
#include <stddef.h>

#include <memory>
#include <string>
#include <type_traits>

namespace gradstep {

constexpr size_t kMaxThreads = 256;

// Threads that share the blocks of a parallel_for: the caller and threads() - 1 workers, for the whole process.
size_t threads();

// Takes effect with the next parallel_for; may be called at any time. `n` is clamped to [1, kMaxThreads].
void set_threads(size_t n);

// For calls of this thread alone, in place of that; 0: as many as the process has.
void set_threads_here(size_t n);

// Applies GRADSTEP_THREADS, once per process: later calls leave threads() alone. Empty means unset, and then
// threads() is available_parallelism(). Returns what is wrong with it, or an empty string.
std::string configure_threads_from_environment();

using BlockFn = void (*)(void* context, size_t index);  // must not throw

// Calls fn(context, i) once for every i in [0, blocks), in any order on any thread, and returns when all are done.
// Up to 16 calls of different threads share them at a time, each with workers of its own: two find as many as they ask
// for, more share those. A call made from inside a block runs its own blocks itself, in order, and so does a 17th.
// With one block this is a plain call of fn: what fn calls may use the pool.
void parallel_for(size_t blocks, void* context, BlockFn fn);

template <class F> void parallel_for(size_t blocks, F&& f) {
  using Body = std::remove_reference_t<F>;
  void* context = const_cast<void*>(static_cast<const void*>(std::addressof(f)));
  parallel_for(blocks, context, [](void* body, size_t index) { (*static_cast<Body*>(body))(index); });
}

// While one is alive, the thread that made it computes in the background: between blocks its parallel_fors leave their
// processors to threads that wait for one, such as that of the event loop, which else may wait for a whole time slice.
class Background {
 public:
  Background();
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  static bool is_here();  // on this thread

 private:
  const bool before_;
};

}  // namespace gradstep
