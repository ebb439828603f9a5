#include "step.h"

#include <algorithm>

#include "../runtime/dispatch.h"
#include "../runtime/pool.h"
#include "blocks.h"

namespace gradstep {
namespace {

// Below this a second thread costs more than it gives.
constexpr size_t kParallelElements = 2 * kBlockElements;

}  // namespace

template <class T> bool StepRanges<T>::prepare(size_t rule) {
  if (!ends_.resize(ranges_.size())) return false;
  if (!scalar::kTable.rules[rule].measured) return true;
  return number_blocks(ranges_.data(), ranges_.size(), blocks_) && partial_.resize(blocks_.total);
}

// The first pass of a measured rule. Every variable is cut from its own start, so that its sums are added in the same
// order whatever else takes part in the step.
template <class T> void StepRanges<T>::measure(const Kernels<T>& table, size_t rule) {
  const auto kernel = table.measure[rule];
  each_block(ranges_.data(), blocks_, [&](size_t i, size_t offset, size_t n, size_t block) {
    partial_[block] = kernel(hyper_[i], part(ranges_[i], offset, offset + n));
  });
  for (size_t i = 0; i < ranges_.size(); ++i) {
    SumsOfSquares& sums = ranges_[i].sums = {0, 0};
    for (size_t block = blocks_.first[i]; block < blocks_.first[i + 1]; ++block) {
      sums.param += partial_[block].param;
      sums.measured += partial_[block].measured;
    }
  }
}

// The rules are element-wise, so it does not matter for the result where the ranges are cut: they are laid end to end
// and cut into pieces of equal size, a few small ranges or a part of a large one to each.
template <class T>
void run_ranges(const Kernels<T>& table, size_t rule, const Range<T>* ranges, const double* const* hyper,
                const size_t* end, size_t count) {
  const auto kernel = table.step[rule];
  const auto whole = [=](size_t i, size_t last) {  // group by group
    while (i < last) {
      size_t next = i + 1;
      while (next < last && hyper[next] == hyper[i]) ++next;
      kernel(hyper[i], ranges + i, next - i);
      i = next;
    }
  };
  const size_t total = end[count - 1];
  if (total < kParallelElements || threads() == 1) return whole(0, count);

  const size_t piece_elements = blocks_a_piece(blocks_of(total)) * kBlockElements;
  parallel_for(blocks_of(total, piece_elements), [=](size_t index) {
    const size_t from = index * piece_elements, to = std::min(total, from + piece_elements);
    const auto piece = [&](size_t i, size_t begin, size_t until) {
      const Range<T> range = part(ranges[i], begin, until);
      kernel(hyper[i], &range, 1);
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
    whole(i, last);
    if (last < count && end[last] - ranges[last].count < to) piece(last, 0, to - (end[last] - ranges[last].count));
  });
}

template <class T> void StepRanges<T>::run(size_t rule) {
  const Kernels<T>& table = of<T>(kernels());
  if (scalar::kTable.rules[rule].measured) measure(table, rule);
  size_t total = 0;
  for (size_t i = 0; i < ranges_.size(); ++i) ends_[i] = total += ranges_[i].count;
  run_ranges(table, rule, ranges_.data(), hyper_.data(), ends_.data(), ranges_.size());
}

template void run_ranges<float>(const Kernels<float>&, size_t, const Range<float>*, const double* const*, const size_t*,
                                size_t);
template void run_ranges<double>(const Kernels<double>&, size_t, const Range<double>*, const double* const*,
                                 const size_t*, size_t);
template class StepRanges<float>;
template class StepRanges<double>;

}  // namespace gradstep
