#include "elementwise.h"

#include <algorithm>

#include "../runtime/dispatch.h"
#include "../runtime/pool.h"
#include "each_block.h"

namespace gradstep {

template <class T> void unary(size_t function, T* out, const T* x, size_t n) {
  const auto kernel = of<T>(kernels()).unary[function];
  each_block(n, [=](size_t i, size_t count) { kernel(out + i, x + i, count); });
}

template <class T> void binary(size_t function, T* out, const T* a, const T* b, Operands operands, size_t n) {
  const auto kernel = of<T>(kernels()).binary[function];
  const size_t a_step = operands != Operands::scalar_a, b_step = operands != Operands::scalar_b;
  each_block(n, [=](size_t i, size_t count) { kernel(out + i, a + i * a_step, b + i * b_step, operands, count); });
}

template <class T> void binary(size_t function, T* out, const T* a, const T* b, const Broadcast& shape) {
  const auto kernel = of<T>(kernels()).binary[function];
  const size_t last = shape.rank - 1, inner = shape.dims[last];
  const Operands operands = shape.a_strides[last] == 0   ? Operands::scalar_a
                            : shape.b_strides[last] == 0 ? Operands::scalar_b
                                                         : Operands::vectors;
  size_t rows = 1;
  for (size_t d = 0; d < last; ++d) rows *= shape.dims[d];
  if (rows == 0 || inner == 0) return;
  const size_t rows_per_block = std::max<size_t>(1, kBlockElements / inner);
  const auto block = [&](size_t index) {
    const size_t end = std::min(rows, (index + 1) * rows_per_block);
    for (size_t row = index * rows_per_block; row < end; ++row) {
      size_t rest = row, a_offset = 0, b_offset = 0;
      for (size_t d = last; d-- > 0; rest /= shape.dims[d]) {
        const size_t at = rest % shape.dims[d];
        a_offset += at * shape.a_strides[d];
        b_offset += at * shape.b_strides[d];
      }
      kernel(out + row * inner, a + a_offset, b + b_offset, operands, inner);
    }
  };
  parallel_for(blocks_of(rows, rows_per_block), block);
}

template <class T> void add_n(T* out, const T* const* terms, size_t count, size_t n) {
  const Kernels<T>& table = of<T>(kernels());
  each_block(n, [=, &table](size_t i, size_t length) {
    table.scale(out + i, terms[0] + i, 1.0, length);
    for (size_t t = 1; t < count; ++t) table.add_scaled(out + i, terms[t] + i, 1.0, length);
  });
}

template <class T> void scale(T* out, const T* x, double factor, size_t n) {
  const auto kernel = of<T>(kernels()).scale;
  each_block(n, [=](size_t i, size_t count) { kernel(out + i, x + i, factor, count); });
}

template <class T> void add_scaled(T* out, const T* x, double factor, size_t n) {
  const auto kernel = of<T>(kernels()).add_scaled;
  each_block(n, [=](size_t i, size_t count) { kernel(out + i, x + i, factor, count); });
}

template <class T> void clip_by_value(T* out, const T* x, T low, T high, size_t n) {
  const auto kernel = of<T>(kernels()).clip_by_value;
  each_block(n, [=](size_t i, size_t count) { kernel(out + i, x + i, low, high, count); });
}

#define GRADSTEP_INSTANTIATE(T)                                              \
  template void unary<T>(size_t, T*, const T*, size_t);                      \
  template void binary<T>(size_t, T*, const T*, const T*, Operands, size_t); \
  template void binary<T>(size_t, T*, const T*, const T*, const Broadcast&); \
  template void add_n<T>(T*, const T* const*, size_t, size_t);               \
  template void scale<T>(T*, const T*, double, size_t);                      \
  template void add_scaled<T>(T*, const T*, double, size_t);                 \
  template void clip_by_value<T>(T*, const T*, T, T, size_t);
GRADSTEP_INSTANTIATE(float)
GRADSTEP_INSTANTIATE(double)

}  // namespace gradstep
