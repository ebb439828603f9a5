#include "step.h"

#include <algorithm>
#include <vector>

#include "../runtime/dispatch.h"
#include "../runtime/pool.h"
#include "blocks.h"
#include "each_block.h"

namespace gradstep {

// Below this a second thread costs more than it gives.
constexpr size_t kParallelElements = 2 * kBlockElements;

template <class T> static Range<T> part(const Range<T>& range, size_t begin, size_t end) {
  Range<T> result = range;
  result.param += begin;
  if (result.gradient != nullptr) result.gradient += begin;
  for (T*& slot : result.slots) {
    if (slot != nullptr) slot += begin;
  }
  result.count = end - begin;
  return result;
}

// The first pass of a measured rule. Every variable is cut from its own start, so that its sums are added in the same
// order whatever else takes part in the step.
template <class T> static void measure(size_t rule, const double* hyper, Range<T>* ranges, size_t count) {
  const auto kernel = of<T>(kernels()).measure[rule];
  const Blocks& blocks = number_blocks(ranges, count);
  thread_local std::vector<SumsOfSquares> partial;
  partial.resize(blocks.first[count]);
  SumsOfSquares* const sums = partial.data();
  each_block(ranges, count, blocks, [=](const Range<T>& range, size_t offset, size_t n, size_t block) {
    sums[block] = kernel(hyper, part(range, offset, offset + n));
  });
  for (size_t i = 0; i < count; ++i) {
    ranges[i].sums = {0, 0};
    for (size_t block = blocks.first[i]; block < blocks.first[i + 1]; ++block) {
      ranges[i].sums.param += sums[block].param;
      ranges[i].sums.measured += sums[block].measured;
    }
  }
}

// The rules are element-wise, so it does not matter for the result where the ranges are cut: they are laid end to end
// and cut into pieces of equal size, a few small ranges or a part of a large one to each.
template <class T> void step(size_t rule, const double* hyper, Range<T>* ranges, size_t count) {
  if (kernels().rules[rule].measured) measure(rule, hyper, ranges, count);
  const auto kernel = of<T>(kernels()).step[rule];
  thread_local std::vector<size_t> ends;
  ends.resize(count);
  size_t total = 0;
  for (size_t i = 0; i < count; ++i) ends[i] = total += ranges[i].count;
  if (total < kParallelElements || threads() == 1) return kernel(hyper, ranges, count);

  const size_t* const end = ends.data();
  const size_t piece_elements = blocks_a_piece(blocks_of(total)) * kBlockElements;
  parallel_for(blocks_of(total, piece_elements), [=](size_t index) {
    const size_t from = index * piece_elements, to = std::min(total, from + piece_elements);
    const auto piece = [&](size_t i, size_t begin, size_t until) {
      const Range<T> range = part(ranges[i], begin, until);
      kernel(hyper, &range, 1);
    };
    // The range that `from` lies in, those that lie in the piece as a whole, the one that reaches over its end.
    size_t i = static_cast<size_t>(std::upper_bound(end, end + count, from) - end);
    const size_t begin = from - (end[i] - ranges[i].count);
    if (end[i] > to) return piece(i, begin, begin + (to - from));
    if (begin > 0) {
      piece(i, begin, ranges[i].count);
      ++i;
    }
    const size_t last = static_cast<size_t>(std::upper_bound(end + i, end + count, to) - end);
    kernel(hyper, ranges + i, last - i);
    if (last < count && end[last] - ranges[last].count < to) piece(last, 0, to - (end[last] - ranges[last].count));
  });
}

template void step<float>(size_t, const double*, Range<float>*, size_t);
template void step<double>(size_t, const double*, Range<double>*, size_t);

}  // namespace gradstep
