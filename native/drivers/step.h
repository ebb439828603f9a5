// One step of one update rule over any number of ranges, each with the hyperparameters of its group.
#pragma once
#include "../kernels/table.h"
#include "../runtime/buffer.h"
#include "each_block.h"

namespace gradstep {

// The elements [begin, end) of a range.
template <class T> Range<T> part(const Range<T>& range, size_t begin, size_t end) {
  Range<T> result = range;
  result.param += begin;
  if (result.gradient != nullptr) result.gradient += begin;
  for (T*& slot : result.slots) {
    if (slot != nullptr) slot += begin;
  }
  result.count = end - begin;
  return result;
}

// Steps ranges with a rule that is not measured, over the thread pool. `ends` tells where each range ends when all are
// laid end to end. Ranges of one group should follow each other: they are then handed to the kernel together.
template <class T>
void run_ranges(const Kernels<T>& table, size_t rule, const Range<T>* ranges, const double* const* hyper,
                const size_t* ends, size_t count);

// A measured rule needs each range to be a whole variable. Ranges of one group should follow each other: they are then
// handed to the kernel together.
template <class T> class StepRanges {
 public:
  void clear() {
    ranges_.clear();
    hyper_.clear();
  }
  bool empty() const { return ranges_.empty(); }

  // False when there is no memory, as prepare().
  [[nodiscard]] bool reserve(size_t more) {
    return ranges_.reserve(ranges_.size() + more) && hyper_.reserve(hyper_.size() + more);
  }
  [[nodiscard]] bool add(const Range<T>& range, const double* hyper) { return ranges_.add(range) && hyper_.add(hyper); }
  void add_reserved(const Range<T>& range, const double* hyper) {
    ranges_.add_reserved(range);
    hyper_.add_reserved(hyper);
  }

  // Takes the memory that run() needs; no range is added after it.
  [[nodiscard]] bool prepare(size_t rule);

  // Steps the ranges, over the thread pool.
  void run(size_t rule);

 private:
  void measure(const Kernels<T>& table, size_t rule);

  Buffer<Range<T>> ranges_;
  Buffer<const double*> hyper_;  // one for each range
  Buffer<size_t> ends_;          // where each range ends when all are laid end to end
  Blocks blocks_;
  Buffer<SumsOfSquares> partial_;
};

}  // namespace gradstep
