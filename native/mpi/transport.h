// Bytes from one rank to another, for algorithms that do not know how they get there.
#pragma once
#include <stddef.h>

#include "../kernels/formats.h"

namespace gradstep::mpi {

// Of one rank. Between two ranks messages arrive in the order in which they were begun, with the same numbers of bytes
// on both sides, at most kMostBytes. False: it has failed for good, and memory that it was to write holds anything.
class Transport {
 public:
  static constexpr size_t kMostBytes = size_t{1} << 28, kBatches = 3;

  virtual size_t rank() const = 0;
  virtual size_t size() const = 0;

  // Each begins something in a batch; the memory is the transport's until that is over.
  [[nodiscard]] virtual bool send(size_t batch, const void* data, size_t bytes, size_t to) = 0;
  [[nodiscard]] virtual bool receive(size_t batch, void* data, size_t bytes, size_t from) = 0;
  // Waits for all of a batch.
  [[nodiscard]] virtual bool wait(size_t batch) = 0;

  // The sum over all ranks in whatever order is fastest.
  [[nodiscard]] virtual bool sum(void* values, size_t count, Format format) = 0;
  // This rank's part of such a sum, of `count` elements: `values` has as many for each rank, one after the other, and
  // nothing in common with `out`. All parts together are at most kMostSummed.
  [[nodiscard]] virtual bool sum_part(const void* values, void* out, size_t count, Format format) = 0;
  static constexpr size_t kMostSummed = size_t{1} << 27;

 protected:
  ~Transport() = default;
};

}  // namespace gradstep::mpi
