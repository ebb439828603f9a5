// What is made of all elements along one dimension: of x [outer, n, inner] something for each outer and inner.
#pragma once
#include "family.h"

namespace gradstep {

// Sizes are outer, n, inner; out is [outer, inner], or as x.
//
// extreme: out, x; option: 0 the greatest, 1 the least. NaN where there is one; of nothing what is less, or greater,
// than all. extremeAt: out of int32: where the first one is, or the first NaN. n is not 0. logical: out, x of bool;
// option: 0 whether any is true, 1 whether all are. product: out, x. productGradient: dx, x, dy. scan: out as x: of
// each element the sum of all up to it; option: 1 the product, plus 2 without the element itself, plus 4
//   from the end on. scanProductGradient: dx, x, dy; option: as of scan, of which it is the product.
// sort: values, places of int32, x [rows, columns]; rows, columns, how many of each row; option: 0 from the greatest, 1
// from
//   the least on. NaN is greater than all else; of equals the first comes first.
#define GRADSTEP_LINE_TASKS(X)    \
  X(extreme, 2, 3, 0)             \
  X(extremeAt, 2, 3, 0)           \
  X(logical, 2, 3, 0)             \
  X(product, 2, 3, 0)             \
  X(productGradient, 3, 3, 0)     \
  X(scan, 2, 3, 0)                \
  X(scanProductGradient, 3, 3, 0) \
  X(sort, 3, 3, 0)

bool line_fits(const Task& task, const TaskRoom& room, const size_t* items);
template <class T> TaskStatus run_line(const Task& task, const TaskContext& context, const size_t* items);

}  // namespace gradstep
