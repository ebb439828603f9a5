#include "rows.h"

#include <string.h>

#include <algorithm>

#include "../runtime/buffer.h"
#include "../runtime/dispatch.h"
#include "../runtime/pool.h"
#include "blocks.h"
#include "each_block.h"

namespace gradstep {
namespace {

// f(first_row, row_count) for pieces of rows, of so many blocks of about kBlockElements.
template <class F> void each_row_block(size_t rows, size_t columns, F f) {
  if (rows == 0) return;
  const size_t per_block = std::max<size_t>(1, kBlockElements / std::max<size_t>(1, columns));
  const size_t per_piece = per_block * blocks_a_piece(blocks_of(rows, per_block));
  parallel_for(blocks_of(rows, per_piece), [&](size_t piece) {
    const size_t row = piece * per_piece;
    f(row, std::min(per_piece, rows - row));
  });
}

// One long row: fixed blocks, their sums added in order. `partial` has room for a sum of each.
template <class T> double sum_of(const T* x, size_t n, double* partial) {
  const auto kernel = of<T>(kernels()).sum;
  const size_t blocks = blocks_of(n);
  parallel_for(blocks, [=](size_t block) {
    const size_t begin = block * kBlockElements;
    partial[block] = kernel(x + begin, std::min(kBlockElements, n - begin));
  });
  double total = 0;
  for (size_t block = 0; block < blocks; ++block) total += partial[block];
  return total;
}

template <class T> using RowKernel = void (*)(T* out, const T* x, size_t rows, size_t columns);

template <class T> void each_row(RowKernel<T> kernel, T* out, const T* x, size_t rows, size_t columns) {
  each_row_block(rows, columns,
                 [=](size_t row, size_t count) { kernel(out + row * columns, x + row * columns, count, columns); });
}

template <class T> using RowGradientKernel = void (*)(T* dx, const T* dy, const T* y, size_t rows, size_t columns);

template <class T>
void each_row(RowGradientKernel<T> kernel, T* dx, const T* dy, const T* y, size_t rows, size_t columns) {
  each_row_block(rows, columns, [=](size_t row, size_t count) {
    const size_t at = row * columns;
    kernel(dx + at, dy + at, y + at, count, columns);
  });
}

// A matrix transposed tile by tile: both sides stay in cache.
template <class T>
void transpose(T* out, const T* x, size_t rows, size_t columns, size_t row_stride, size_t column_stride) {
  constexpr size_t kTile = 16;  // 16 floats are a cache line
  for (size_t r0 = 0; r0 < rows; r0 += kTile) {
    for (size_t c0 = 0; c0 < columns; c0 += kTile) {
      for (size_t r = r0; r < std::min(rows, r0 + kTile); ++r) {
        for (size_t c = c0; c < std::min(columns, c0 + kTile); ++c) {
          out[r * columns + c] = x[r * row_stride + c * column_stride];
        }
      }
    }
  }
}

}  // namespace

template <class T> bool sum(T* out, const T* x, size_t outer, size_t reduced, size_t inner, double scale) {
  const Kernels<T>& table = of<T>(kernels());
  if (inner == 1 && reduced > kBlockElements) {
    thread_local Buffer<double> partial;
    if (!partial.resize(blocks_of(reduced))) return false;
    for (size_t i = 0; i < outer; ++i) {
      out[i] = static_cast<T>(sum_of(x + i * reduced, reduced, partial.data()) * scale);
    }
  } else if (inner == 1) {
    each_row_block(outer, reduced, [=](size_t row, size_t count) {
      table.sum_rows(out + row, x + row * reduced, count, reduced, scale);
    });
  } else {
    each_row_block(outer, reduced * inner, [=](size_t i, size_t count) {
      for (const size_t end = i + count; i < end; ++i) {
        table.sum_columns(out + i * inner, x + i * reduced * inner, reduced, inner, scale);
      }
    });
  }
  return true;
}

#define GRADSTEP_DEFINE(name, js_name)                                            \
  template <class T> void name(T* out, const T* x, size_t rows, size_t columns) { \
    each_row(of<T>(kernels()).name, out, x, rows, columns);                       \
  }                                                                               \
  template void name<float>(float*, const float*, size_t, size_t);                \
  template void name<double>(double*, const double*, size_t, size_t);
GRADSTEP_ROW(GRADSTEP_DEFINE)
#undef GRADSTEP_DEFINE

#define GRADSTEP_DEFINE(name, js_name)                                                        \
  template <class T> void name(T* dx, const T* dy, const T* y, size_t rows, size_t columns) { \
    each_row(of<T>(kernels()).name, dx, dy, y, rows, columns);                                \
  }                                                                                           \
  template void name<float>(float*, const float*, const float*, size_t, size_t);              \
  template void name<double>(double*, const double*, const double*, size_t, size_t);
GRADSTEP_ROW_GRADIENT(GRADSTEP_DEFINE)
#undef GRADSTEP_DEFINE

template <class T>
void softmax_cross_entropy(T* loss, T* backprop, const T* labels, const T* logits, size_t rows, size_t columns) {
  const auto kernel = of<T>(kernels()).softmax_cross_entropy;
  each_row_block(rows, columns, [=](size_t row, size_t count) {
    const size_t at = row * columns;
    kernel(loss + row, backprop + at, labels + at, logits + at, count, columns);
  });
}

template <class T>
void sparse_softmax_cross_entropy(T* loss, T* backprop, const int32_t* labels, const T* logits, size_t rows,
                                  size_t columns) {
  const auto kernel = of<T>(kernels()).sparse_softmax_cross_entropy;
  each_row_block(rows, columns, [=](size_t row, size_t count) {
    const size_t at = row * columns;
    kernel(loss + row, backprop + at, labels + row, logits + at, count, columns);
  });
}

template <class T> void scale_rows(T* out, const T* x, const T* factors, size_t rows, size_t columns) {
  const auto kernel = of<T>(kernels()).scale_rows;
  each_row_block(rows, columns, [=](size_t row, size_t count) {
    kernel(out + row * columns, x + row * columns, factors + row, count, columns);
  });
}

template <class T> void gather(T* out, const T* params, const int32_t* indices, size_t count, size_t columns) {
  if (columns == 0) return;  // there may be no memory to copy from
  each_row_block(count, columns, [=](size_t row, size_t rows) {
    for (const size_t end = row + rows; row < end; ++row) {
      memcpy(out + row * columns, params + static_cast<size_t>(indices[row]) * columns, columns * sizeof(T));
    }
  });
}

template <class T>
void scatter_add(T* out, const T* values, const int32_t* indices, size_t count, size_t columns, double factor) {
  const auto kernel = of<T>(kernels()).add_scaled;
  for (size_t i = 0; i < count; ++i) {
    kernel(out + static_cast<size_t>(indices[i]) * columns, values + i * columns, factor, columns);
  }
}

template <class T> void permute(T* out, const T* x, size_t rank, const size_t* dims, const size_t* strides) {
  if (rank == 0) {
    out[0] = x[0];
    return;
  }
  if (rank == 1) return transpose(out, x, 1, dims[0], 0, strides[0]);
  const size_t rows = dims[rank - 2], columns = dims[rank - 1];
  size_t matrices = 1;
  for (size_t d = 0; d + 2 < rank; ++d) matrices *= dims[d];
  if (rows == 0 || columns == 0 || matrices == 0) return;
  each_row_block(matrices, rows * columns, [=](size_t first, size_t count) {
    for (size_t m = first; m < first + count; ++m) {
      size_t rest = m, offset = 0;
      for (size_t d = rank - 2; d-- > 0; rest /= dims[d]) offset += rest % dims[d] * strides[d];
      transpose(out + m * rows * columns, x + offset, rows, columns, strides[rank - 2], strides[rank - 1]);
    }
  });
}

#define GRADSTEP_INSTANTIATE(T)                                                                    \
  template bool sum<T>(T*, const T*, size_t, size_t, size_t, double);                              \
  template void softmax_cross_entropy<T>(T*, T*, const T*, const T*, size_t, size_t);              \
  template void sparse_softmax_cross_entropy<T>(T*, T*, const int32_t*, const T*, size_t, size_t); \
  template void scale_rows<T>(T*, const T*, const T*, size_t, size_t);                             \
  template void gather<T>(T*, const T*, const int32_t*, size_t, size_t);                           \
  template void scatter_add<T>(T*, const T*, const int32_t*, size_t, size_t, double);              \
  template void permute<T>(T*, const T*, size_t, const size_t*, const size_t*);
GRADSTEP_INSTANTIATE(float)
GRADSTEP_INSTANTIATE(double)

}  // namespace gradstep
