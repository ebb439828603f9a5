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

// The rules are element-wise, so it does not matter for the result where the ranges are cut: they are laid end to end
// and cut into pieces of equal size, a few small ranges or a part of a large one to each.
void run_ranges(const RuleKernels& kernels, const Range* ranges, const double* const* hyper, const SumsOfSquares* sums,
                const size_t* end, size_t count) {
  const auto kernel = kernels.step;
  const auto sums_of = [=](size_t i) { return sums == nullptr ? nullptr : sums + i; };
  const size_t total = end[count - 1];
  const bool is_shared = total >= kParallelElements && (threads() > 1 || Background::is_here());
  const size_t share = is_shared ? total / threads() : total;
  const auto whole = [=](size_t i, size_t last) {  // group by group
    while (i < last) {
      size_t next = i + 1;
      while (next < last && hyper[next] == hyper[i]) ++next;
      kernel(hyper[i], ranges + i, sums_of(i), next - i, share);
      i = next;
    }
  };
  if (!is_shared) return whole(0, count);

  const size_t piece_elements = blocks_a_piece(blocks_of(total)) * kBlockElements;
  parallel_for(blocks_of(total, piece_elements), [=](size_t index) {
    const size_t from = index * piece_elements, to = std::min(total, from + piece_elements);
    const auto piece = [&](size_t i, size_t begin, size_t until) {
      const Range range = part(ranges[i], begin, until);
      kernel(hyper[i], &range, sums_of(i), 1, share);
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

bool StepRanges::prepare(size_t rule) {
  if (!ends_.resize(ranges_.size())) return false;
  if (!scalar::kTable.rules[rule].measured) return true;
  return number_blocks(ranges_.data(), ranges_.size(), blocks_) && partial_.resize(blocks_.total) &&
         sums_.resize(ranges_.size());
}

// The first pass of a measured rule. Every variable is cut from its own start, so that its sums are added in the same
// order whatever else takes part in the step.
void StepRanges::measure(const RuleKernels& kernels, size_t total) {
  const auto kernel = kernels.measure;
  const size_t share = total / threads();
  each_block(ranges_.data(), blocks_, [&](size_t i, size_t offset, size_t n, size_t block) {
    partial_[block] = kernel(hyper_[i], part(ranges_[i], offset, offset + n), share);
  });
  for (size_t i = 0; i < ranges_.size(); ++i) {
    SumsOfSquares& sums = sums_[i] = {0, 0};
    for (size_t block = blocks_.first[i]; block < blocks_.first[i + 1]; ++block) {
      sums.param += partial_[block].param;
      sums.measured += partial_[block].measured;
    }
  }
}

void StepRanges::run(size_t rule) {
  const RuleKernels& kernels = rule_kernels(arithmetic_, rule);
  const bool measured = scalar::kTable.rules[rule].measured;
  size_t total = 0;
  for (size_t i = 0; i < ranges_.size(); ++i) ends_[i] = total += ranges_[i].count;
  if (measured) measure(kernels, total);
  run_ranges(kernels, ranges_.data(), hyper_.data(), measured ? sums_.data() : nullptr, ends_.data(), ranges_.size());
}

}  // namespace gradstep
