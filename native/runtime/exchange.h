// What adds up memory over all ranks, threads or processes that run the same program, for native code that does not
// know how it comes from one to the other.
#pragma once
#include <stddef.h>

#include "../kernels/formats.h"
#include "waiting.h"

namespace gradstep {

// What is done as soon as it is certain that a call is made by all ranks.
struct WhenCertain {
  void (*run)(void* context);
  void* context;
};

// A rank's part of memory that all ranks get, one part after the other. It may lie where it goes.
struct Piece {
  const void* values;
  size_t bytes;
  void* out;
  size_t out_bytes;  // of all parts
};

// One for each rank. All ranks call `start_...` and `wait` in the same order, with the same numbers of elements and
// bytes; each from one thread at a time.
class Exchange {
 public:
  virtual size_t rank() const = 0;
  virtual size_t size() const = 0;

  // Begins to put the sum over all ranks, in the order of ranks, in the place of `values`, which nobody reads or writes
  // until `wait`.
  virtual void start_sum(void* values, size_t count, Format format) = 0;
  // Begins to gather: `out` gets all ranks' `bytes` bytes, one after another in the order of ranks. They do not
  // overlap, unless the values lie where they go, and nobody writes either, or reads `out`, until `wait`.
  virtual void start_gather(const void* values, size_t bytes, void* out) = 0;
  // Waits for all that was started. nullptr, or why it was not made: then none of what was started may be used, here or
  // at any other rank. The text stays until the next call.
  virtual const char* wait() = 0;

  // Waits for all ranks, then makes what is gathered, then gathers: once all have come here nothing can keep them from
  // going on, so `make` runs on all of them or on none. It may write the parts, whose lengths differ between ranks; it
  // runs on this thread. Not while anything is started. nullptr, or why it was not made, as `wait`.
  virtual const char* gather_made(const WhenCertain& make, const Piece* pieces, size_t count) = 0;

  // What `wait` asks now and then; when that is over it waits for nobody any more. Until it is told otherwise: endless.
  virtual void have_patience(const Patience&) {}

 protected:
  ~Exchange() = default;
};

}  // namespace gradstep
