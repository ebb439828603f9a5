// One step of one update rule over any number of ranges, over the thread pool. A measured rule needs each range to be a
// whole variable, and writes the sums of squares into it.
#pragma once
#include "../kernels/table.h"

namespace gradstep {

template <class T> void step(size_t rule, const double* hyper, Range<T>* ranges, size_t count);

}  // namespace gradstep
