// Counts of values by size, with their sums and extremes, in one pass over memory: a chunk at a time, which stays in
// the first-level cache while it is looked at.
#pragma once
#include "../simd/simd.h"
#include "histogram_args.h"
#include "norm.h"
#include "reduce.h"
#include "scale.h"

namespace gradstep {
namespace SIMD_ISA {

constexpr size_t kHistogramChunk = 1024;

template <class T> INL typename HistogramCells<T>::Bits bits_of_value(T x) {
  typename HistogramCells<T>::Bits bits;
  static_assert(sizeof bits == sizeof x);
  __builtin_memcpy(&bits, &x, sizeof bits);
  return bits;
}

// Copies the finite values among x. Returns how many there are. `out` may be x.
template <class T> static size_t finite_values(T* out, const T* x, size_t n) {
  size_t count = 0;
  for (size_t i = 0; i < n; ++i) {
    const T value = x[i];
    if (value - value == 0) out[count++] = value;
  }
  return count;
}

// x has only finite values, and at least one.
template <class V> static void extremes(const typename V::Scalar* x, size_t n, double& least, double& greatest) {
  using T = typename V::Scalar;
  T low = x[0], high = x[0];
  if (n < V::kLanes) {
    for (size_t i = 1; i < n; ++i) {
      if (x[i] < low) low = x[i];
      if (x[i] > high) high = x[i];
    }
  } else {
    V lows = load(x + n - V::kLanes), highs = lows;  // what follows the last whole vector, and some once more
    for (size_t i = 0; i + V::kLanes <= n; i += V::kLanes) {
      const V values = load(x + i);
      lows = min(values, lows);
      highs = max(values, highs);
    }
    low = -reduce_max(-lows);
    high = reduce_max(highs);
  }
  if (low < least) least = low;
  if (high > greatest) greatest = high;
}

// Neighbours are often alike, and a count waits for the one before it in the same place: each fourth value has tables
// of its own.
template <class T> static void count_values(const T* x, size_t n, const HistogramCells<T>& cells, uint32_t* counts) {
  using Bits = typename HistogramCells<T>::Bits;
  constexpr Bits kSign = HistogramCells<T>::kSign;
  const Bits first = cells.first, last = cells.first + (kHistogramCells - 1);
  uint32_t index[kHistogramChunk];
  for (size_t i = 0; i < n; ++i) {
    const Bits bits = bits_of_value(x[i]);
    Bits cell = (bits & ~kSign) >> HistogramCells<T>::kShift;
    cell = cell < first ? first : cell;
    cell = cell > last ? last : cell;
    index[i] = static_cast<uint32_t>(cell - first) + (bits > kSign ? uint32_t(kHistogramCells) : 0);  // -0 is 0
  }
  const auto count = [&](size_t i, uint32_t* table) __attribute__((always_inline)) {
    const auto& cell = cells.cells[index[i]];
    ++table[cell.bucket[(bits_of_value(x[i]) & ~kSign) >= cell.threshold]];
  };
  size_t i = 0;
  for (; i + kHistogramTables <= n; i += kHistogramTables) {
    for (size_t k = 0; k < kHistogramTables; ++k) count(i + k, counts + k * kHistogramCounts);
  }
  for (; i < n; ++i) count(i, counts);
}

// Of the values x * factor.
template <class V>
static void histogram(const typename V::Scalar* x, size_t n, double factor,
                      const HistogramCells<typename V::Scalar>& cells, HistogramSums* sums, uint32_t* counts) {
  typename V::Scalar chunk[kHistogramChunk];
  HistogramSums total = {Ieee<double>::kInfinity, -Ieee<double>::kInfinity, 0, 0, 0};
  for (size_t i = 0; i < n; i += kHistogramChunk) {
    const typename V::Scalar* values = x + i;
    size_t count = n - i < kHistogramChunk ? n - i : kHistogramChunk;
    if (factor != 1) {
      scale<V>(chunk, values, factor, count);
      values = chunk;
    }
    if (!all_finite<V>(values, count)) {
      count = finite_values(chunk, values, count);
      values = chunk;
    }
    if (count == 0) continue;
    total.count += count;
    total.sum += sum<V>(values, count);
    total.sum_squares += sum_of_squares<V>(values, count);
    extremes<V>(values, count, total.min, total.max);
    count_values(values, count, cells, counts);
  }
  *sums = total;
}

}  // namespace SIMD_ISA
}  // namespace gradstep
