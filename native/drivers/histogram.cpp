#include "histogram.h"

#include <float.h>
#include <string.h>

#include <algorithm>
#include <atomic>

#include "../runtime/dispatch.h"
#include "each_block.h"

namespace gradstep {

namespace {

struct PositiveLimits {
  double limits[kPositiveLimits];
  PositiveLimits() {
    double limit = 1e-12;
    for (double& each : limits) {
      each = limit;
      limit *= 1.1;  // as TensorFlow does it: the rounding errors are part of the limits
    }
  }
};

const double* positive_limits() {
  static const PositiveLimits all;
  return all.limits;
}

template <class T> using BitsOfCells = typename HistogramCells<T>::Bits;

template <class T> BitsOfCells<T> bits_of(T x) {
  BitsOfCells<T> bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

template <class T> T value_of(BitsOfCells<T> bits) {
  T x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

// The bits of the smallest number that is at least the limit, or greater where it must be.
template <class T> BitsOfCells<T> first_past(double limit, bool greater) {
  const T nearest = static_cast<T>(limit);
  const double value = nearest;
  return bits_of(nearest) + (greater ? value <= limit : value < limit);
}

template <class T> struct AllCells : HistogramCells<T> {
  AllCells() {
    using Bits = BitsOfCells<T>;
    constexpr int kShift = HistogramCells<T>::kShift;
    const double* const limits = positive_limits();
    this->first = bits_of(static_cast<T>(limits[0])) >> kShift;
    size_t below = 0;  // how many limits are smaller than all of the cell
    for (size_t i = 0; i < kHistogramCells; ++i) {
      const double end = value_of<T>((this->first + i + 1) << kShift);
      const bool has_limit = below < kPositiveLimits && limits[below] < end;
      for (const bool negative : {false, true}) {
        auto& cell = this->cells[negative * kHistogramCells + i];
        cell.threshold = has_limit ? first_past<T>(limits[below], negative) : ~Bits(0);
        for (const size_t past : {0, 1}) {
          const size_t smaller = below + past;
          // 0 is limit kPositiveLimits + 1, from which positive values count up and negative ones down.
          const size_t bucket = negative ? kPositiveLimits + 1 - smaller : kPositiveLimits + 2 + smaller;
          cell.bucket[past] = static_cast<uint16_t>(bucket);
        }
      }
      below += has_limit;
    }
  }
};

template <class T> const HistogramCells<T>& cells_of() {
  static const AllCells<T> cells;
  return cells;
}

using Totals = std::atomic<uint64_t>[kHistogramLimits];

void add_counts(const uint32_t* counts, Totals& totals) {
  for (size_t i = 0; i < kHistogramLimits; ++i) {
    uint64_t count = 0;
    for (size_t k = 0; k < kHistogramTables; ++k) count += counts[k * kHistogramCounts + i];
    if (count > 0) totals[i].fetch_add(count, std::memory_order_relaxed);
  }
}

void combine(const Buffer<HistogramSums>& blocks, size_t count, Histogram& result) {
  HistogramSums total = {DBL_MAX, -DBL_MAX, 0, 0, 0};
  for (const HistogramSums& block : blocks) {
    total.min = std::min(total.min, block.min);
    total.max = std::max(total.max, block.max);
    total.sum += block.sum;
    total.sum_squares += block.sum_squares;
    total.count += block.count;
  }
  total.min += 0.0;  // -0 becomes 0
  total.max += 0.0;
  result.sums = total;
  result.non_finite = count - total.count;
}

// Counts of 32 bits are enough for 2^30 elements.
constexpr size_t kMostBlocksAPiece = (size_t{1} << 30) / kBlockElements;

}  // namespace

void histogram_limits(double* limits) {
  const double* const positive = positive_limits();
  constexpr size_t kZero = kPositiveLimits + 1;
  limits[kZero] = 0;
  for (size_t i = 0; i <= kPositiveLimits; ++i) {
    const double limit = i < kPositiveLimits ? positive[i] : DBL_MAX;
    limits[kZero + 1 + i] = limit;
    limits[kZero - 1 - i] = -limit;
  }
}

template <class T> bool histogram(const Values<T>& values, Histogram& result) {
  const auto kernel = of<T>(kernels()).histogram;
  const HistogramCells<T>& cells = cells_of<T>();
  const size_t blocks = blocks_of(values.count), per_piece = std::min(blocks_a_piece(blocks), kMostBlocksAPiece);
  thread_local Buffer<HistogramSums> partial;
  if (!partial.resize(blocks)) return false;
  HistogramSums* const sums = partial.data();
  Totals totals = {};
  parallel_for(blocks_of(blocks, per_piece), [&](size_t piece) {
    uint32_t counts[kHistogramTables * kHistogramCounts];
    memset(counts, 0, sizeof counts);
    const size_t end = std::min(blocks, (piece + 1) * per_piece);
    for (size_t block = piece * per_piece; block < end; ++block) {
      const size_t offset = block * kBlockElements, n = std::min(kBlockElements, values.count - offset);
      kernel(values.data + offset, n, values.factor, cells, sums + block, counts);
    }
    add_counts(counts, totals);
  });
  combine(partial, values.count, result);
  for (size_t i = 0; i < kHistogramLimits; ++i) result.counts[i] = totals[i].load(std::memory_order_relaxed);
  return true;
}

template bool histogram<float>(const Values<float>&, Histogram&);
template bool histogram<double>(const Values<double>&, Histogram&);

}  // namespace gradstep
