// A histogram over TensorFlow's default limits (kernels/histogram_args.h): counts are exact, sums over fixed blocks,
// added in order.
#pragma once
#include "../kernels/histogram_args.h"
#include "norm.h"

namespace gradstep {

// Writes all kHistogramLimits of them.
void histogram_limits(double* limits);

struct Histogram {
  HistogramSums sums;  // min = DBL_MAX and max = -DBL_MAX where there is no finite value
  size_t non_finite;   // how many values are NaN or infinite, and counted nowhere else
  uint64_t counts[kHistogramLimits];
};

// False when there is no memory.
template <class T> [[nodiscard]] bool histogram(const Values<T>& values, Histogram& result);

}  // namespace gradstep
