#include "row_sums.h"

#include <algorithm>

#include "rows.h"

namespace gradstep {

void RowSums::clear() {
  for (size_t k = 0; k < count; ++k) positions[order[k]] = -1;
  count = 0;
}

template <class T>
void RowSums::add(T* sums, const T* values, const int32_t* rows, size_t row_count, size_t columns, double factor) {
  for (size_t k = 0; k < row_count; ++k) {
    const int32_t row = rows[k];
    if (positions[row] < 0) {
      positions[row] = static_cast<int32_t>(count);
      order[count++] = row;
    }
    at[k] = positions[row];
  }
  scatter_add(sums, values, at, row_count, columns, factor);
}

template <class T> size_t RowSums::take(T* sorted, const T* sums, size_t columns) {
  std::sort(order, order + count, [](int32_t a, int32_t b) { return a < b; });  // libc++ has no other in its header
  for (size_t k = 0; k < count; ++k) {
    at[k] = positions[order[k]];
    positions[order[k]] = -1;
  }
  gather(sorted, sums, at, count, columns);
  const size_t taken = count;
  count = 0;
  return taken;
}

template void RowSums::add(float*, const float*, const int32_t*, size_t, size_t, double);
template void RowSums::add(double*, const double*, const int32_t*, size_t, size_t, double);
template size_t RowSums::take(float*, const float*, size_t);
template size_t RowSums::take(double*, const double*, size_t);

}  // namespace gradstep
