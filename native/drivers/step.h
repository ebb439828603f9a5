// One step of one update rule over any number of ranges, over the thread pool.
#pragma once
#include "../kernels/table.h"

namespace gradstep {

template <class T>
void step(size_t rule, const double* hyper, const Range<T>* ranges, size_t count);

}  // namespace gradstep
