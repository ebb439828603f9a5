// One step of one update rule over any number of ranges, each with the hyperparameters of its group.
#pragma once
#include "../kernels/table.h"
#include "../runtime/buffer.h"
#include "../runtime/dispatch.h"
#include "each_block.h"

namespace gradstep {

// The elements of a column from `begin` on.
inline const void* column_at(const void* column, Format format, size_t begin) {
  return static_cast<const char*>(column) + begin * kFormatBytes[static_cast<size_t>(format)];
}
inline void* column_at(void* column, Format format, size_t begin) {
  return static_cast<char*>(column) + begin * kFormatBytes[static_cast<size_t>(format)];
}

// result = the elements [begin, end) of a range, but for its gradient. Field by field: a copy with some of its pointers
// replaced is read again as whole vectors, before the processor has written them.
inline void set_part(Range& result, const Range& range, size_t begin, size_t end) {
  result.param = column_at(range.param, range.formats.param, begin);
  for (size_t k = 0; k < kMaxSlots; ++k) {
    void* const slot = range.slots[k];
    result.slots[k] = slot == nullptr ? nullptr : column_at(slot, range.formats.slots[k], begin);
  }
  result.factor = range.factor;
  result.count = end - begin;
  result.formats = range.formats;
  result.stored = range.stored;
}

// The elements [begin, end) of a range.
inline Range part(const Range& range, size_t begin, size_t end) {
  Range result;
  set_part(result, range, begin, end);
  const void* const gradient = range.gradient;
  result.gradient = gradient == nullptr ? nullptr : column_at(gradient, range.formats.gradient, begin);
  return result;
}

// The kernels of a rule in the instruction set in use.
inline const RuleKernels& rule_kernels(Arithmetic arithmetic, size_t rule) {
  const KernelTable& table = kernels();
  switch (arithmetic) {
#define GRADSTEP_KERNELS(name, type) \
  case Arithmetic::name: return table.name.rules[rule];
    GRADSTEP_ARITHMETICS(GRADSTEP_KERNELS)
#undef GRADSTEP_KERNELS
  }
  __builtin_unreachable();
}

// Steps ranges of one arithmetic, over the thread pool. `sums` has those of each range's variable for a measured rule,
// and is null for others. `ends` tells where each range ends when all are laid end to end. Ranges of one group should
// follow each other: they are then handed to the kernel together.
void run_ranges(const RuleKernels& kernels, const Range* ranges, const double* const* hyper, const SumsOfSquares* sums,
                const size_t* ends, size_t count);

// Ranges that are stepped in one arithmetic. A measured rule needs each range to be a whole variable. Ranges of one
// group should follow each other: they are then handed to the kernel together.
class StepRanges {
 public:
  explicit StepRanges(Arithmetic arithmetic) : arithmetic_(arithmetic) {}

  void clear() {
    ranges_.clear();
    hyper_.clear();
  }
  bool empty() const { return ranges_.empty(); }

  // False when there is no memory, as prepare().
  [[nodiscard]] bool reserve(size_t more) {
    return ranges_.reserve(ranges_.size() + more) && hyper_.reserve(hyper_.size() + more);
  }
  [[nodiscard]] bool add(const Range& range, const double* hyper) { return ranges_.add(range) && hyper_.add(hyper); }
  void add_reserved(const Range& range, const double* hyper) {
    ranges_.add_reserved(range);
    hyper_.add_reserved(hyper);
  }
  Range& add_reserved(const double* hyper) {  // to be written
    hyper_.add_reserved(hyper);
    return *ranges_.extend_reserved(1);
  }

  // Takes the memory that run() needs; no range is added after it.
  [[nodiscard]] bool prepare(size_t rule);

  // Steps the ranges, over the thread pool.
  void run(size_t rule);

 private:
  void measure(const RuleKernels& kernels);

  const Arithmetic arithmetic_;
  Buffer<Range> ranges_;
  Buffer<const double*> hyper_;  // one for each range
  Buffer<size_t> ends_;          // where each range ends when all are laid end to end
  // Of measured rules only.
  Blocks blocks_;
  Buffer<SumsOfSquares> partial_, sums_;  // of each block, of each range
};

}  // namespace gradstep
