// What the differentiable ops compute with. lib/native.ts says what each takes; shapes are its business, sizes ours.
#include "../drivers/elementwise.h"
#include "../drivers/gemm.h"
#include "../drivers/rows.h"
#include "../runtime/shared_memory.h"
#include "arguments.h"
#include "bindings.h"

namespace gradstep {
namespace {

using Info = Napi::CallbackInfo;

// unary(function, out, x)
Napi::Value unary_op(const Info& info) {
  Arguments args(info);
  const size_t function = args.size("function");
  const Floats out = args.floats("out"), x = args.floats("x", out.format, out.length);
  args.require(function < kUnaryCount, "no such unary function");
  if (args.failed()) return args.undefined();
  with_type(out.format, [&](auto t) { unary(function, out.as<decltype(t)>(), x.as<decltype(t)>(), out.length); });
  return args.undefined();
}

// binary(function, out, a, b): a and b of out's length, or one of them a single element
Napi::Value binary_op(const Info& info) {
  Arguments args(info);
  const size_t function = args.size("function");
  const Floats out = args.floats("out"), a = args.floats("a", out.format), b = args.floats("b", out.format);
  args.require(function < kBinaryCount, "no such binary function");
  const bool vectors = a.length == out.length && b.length == out.length;
  const bool scalar_a = a.length == 1 && b.length == out.length, scalar_b = b.length == 1 && a.length == out.length;
  args.require(vectors || scalar_a || scalar_b, "a and b must have as many elements as out, or one");
  if (args.failed()) return args.undefined();
  const Operands operands = vectors ? Operands::vectors : scalar_a ? Operands::scalar_a : Operands::scalar_b;
  with_type(out.format, [&](auto t) {
    using T = decltype(t);
    binary(function, out.as<T>(), a.as<T>(), b.as<T>(), operands, out.length);
  });
  return args.undefined();
}

// The last offset that dims and strides reach, plus one; 0 when a dimension is empty.
size_t reach(const size_t* dims, const size_t* strides, size_t rank) {
  size_t last = 0;
  for (size_t d = 0; d < rank; ++d) {
    if (dims[d] == 0) return 0;
    last += (dims[d] - 1) * strides[d];
  }
  return last + 1;
}

size_t product(const size_t* dims, size_t rank) {
  size_t result = 1;
  for (size_t d = 0; d < rank; ++d) result *= dims[d];
  return result;
}

// binaryBroadcast(function, out, a, b, [...dims, ...strides of a, ...strides of b])
Napi::Value binary_broadcast_op(const Info& info) {
  Arguments args(info);
  const size_t function = args.size("function");
  const Floats out = args.floats("out"), a = args.floats("a", out.format), b = args.floats("b", out.format);
  static thread_local Buffer<size_t> layout;
  args.sizes("layout", layout);
  Broadcast shape;
  shape.rank = layout.size() / 3;
  args.require(function < kBinaryCount, "no such binary function");
  args.require(shape.rank >= 1 && shape.rank <= kMaxRank && layout.size() == 3 * shape.rank,
               "broadcasting takes 1 to 16 dimensions");
  if (args.failed()) return args.undefined();
  for (size_t d = 0; d < shape.rank; ++d) {
    shape.dims[d] = layout[d];
    shape.a_strides[d] = layout[shape.rank + d];
    shape.b_strides[d] = layout[2 * shape.rank + d];
  }
  args.require(product(shape.dims, shape.rank) == out.length &&
                   reach(shape.dims, shape.a_strides, shape.rank) <= a.length &&
                   reach(shape.dims, shape.b_strides, shape.rank) <= b.length,
               "the layout does not fit the arrays");
  if (args.failed()) return args.undefined();
  with_type(out.format, [&](auto t) {
    using T = decltype(t);
    binary(function, out.as<T>(), a.as<T>(), b.as<T>(), shape);
  });
  return args.undefined();
}

// permute(out, x, [...dims, ...strides of x])
Napi::Value permute_op(const Info& info) {
  Arguments args(info);
  const Floats out = args.floats("out"), x = args.floats("x", out.format);
  static thread_local Buffer<size_t> layout;
  args.sizes("layout", layout);
  const size_t rank = layout.size() / 2;
  args.require(layout.size() == 2 * rank && product(layout.data(), rank) == out.length &&
                   reach(layout.data(), layout.data() + rank, rank) <= x.length,
               "the layout does not fit the arrays");
  if (args.failed() || out.length == 0) return args.undefined();
  with_type(out.format, [&](auto t) {
    using T = decltype(t);
    permute(out.as<T>(), x.as<T>(), rank, layout.data(), layout.data() + rank);
  });
  return args.undefined();
}

// sum(out, x, outer, reduced, inner, scale)
Napi::Value sum_op(const Info& info) {
  Arguments args(info);
  const Floats out = args.floats("out"), x = args.floats("x", out.format);
  const size_t outer = args.size("outer"), reduced = args.size("reduced"), inner = args.size("inner");
  const double scale = args.number("scale");
  args.require(outer * inner == out.length && outer * reduced * inner == x.length, "the sizes do not fit the arrays");
  if (args.failed()) return args.undefined();
  with_type(out.format, [&](auto t) {
    using T = decltype(t);
    if (!sum(out.as<T>(), x.as<T>(), outer, reduced, inner, scale)) args.out_of_memory("a sum");
  });
  return args.undefined();
}

template <class T> using RowFunction = void (*)(T* out, const T* x, size_t rows, size_t columns);

// Each row function: (out, x, columns)
template <RowFunction<float> of_floats, RowFunction<double> of_doubles> Napi::Value row_op(const Info& info) {
  Arguments args(info);
  const Floats out = args.floats("out"), x = args.floats("x", out.format, out.length);
  const size_t columns = args.size("columns");
  args.require(columns > 0 && out.length % columns == 0, "columns must divide the elements");
  if (args.failed()) return args.undefined();
  const size_t rows = out.length / columns;
  if (out.format == Format::float32) {
    of_floats(out.as<float>(), x.as<float>(), rows, columns);
  } else {
    of_doubles(out.as<double>(), x.as<double>(), rows, columns);
  }
  return args.undefined();
}

template <class T> using RowGradient = void (*)(T* dx, const T* dy, const T* y, size_t rows, size_t columns);

// The gradient of each row function: (dx, dy, y, columns)
template <RowGradient<float> of_floats, RowGradient<double> of_doubles> Napi::Value row_gradient_op(const Info& info) {
  Arguments args(info);
  const Floats dx = args.floats("dx"), dy = args.floats("dy", dx.format, dx.length);
  const Floats y = args.floats("y", dx.format, dx.length);
  const size_t columns = args.size("columns");
  args.require(columns > 0 && dx.length % columns == 0, "columns must divide the elements");
  if (args.failed()) return args.undefined();
  const size_t rows = dx.length / columns;
  if (dx.format == Format::float32) {
    of_floats(dx.as<float>(), dy.as<float>(), y.as<float>(), rows, columns);
  } else {
    of_doubles(dx.as<double>(), dy.as<double>(), y.as<double>(), rows, columns);
  }
  return args.undefined();
}

// softmaxCrossEntropy(loss, backprop, labels, logits, columns)
Napi::Value softmax_cross_entropy_op(const Info& info) {
  Arguments args(info);
  const Floats loss = args.floats("loss"), backprop = args.floats("backprop", loss.format);
  const Floats labels = args.floats("labels", loss.format, backprop.length);
  const Floats logits = args.floats("logits", loss.format, backprop.length);
  const size_t columns = args.size("columns");
  args.require(loss.length * columns == backprop.length, "the sizes do not fit the arrays");
  if (args.failed()) return args.undefined();
  with_type(loss.format, [&](auto t) {
    using T = decltype(t);
    softmax_cross_entropy(loss.as<T>(), backprop.as<T>(), labels.as<T>(), logits.as<T>(), loss.length, columns);
  });
  return args.undefined();
}

// A copy of the indices, each of them in [0, limit): another thread may write what was given. Good until the next call.
const int32_t* copied(Arguments& args, Int32s indices, size_t limit, const char* name) {
  static thread_local Buffer<int32_t> copy;
  if (args.failed()) return nullptr;
  if (!copy.resize(indices.length)) {
    args.out_of_memory(name);
    return nullptr;
  }
  copy_shared(copy.data(), indices.data, indices.length);
  const size_t i = first_outside({copy.data(), indices.length}, limit);
  if (i < indices.length) {
    args.range_error(std::string(name) + "[" + std::to_string(i) + "] is " + std::to_string(copy[i]) +
                     ", expected 0 to " + std::to_string(limit) + " (exclusive)");
  }
  return copy.data();
}

// sparseSoftmaxCrossEntropy(loss, backprop, labels: Int32Array, logits, columns)
Napi::Value sparse_softmax_cross_entropy_op(const Info& info) {
  Arguments args(info);
  const Floats loss = args.floats("loss"), backprop = args.floats("backprop", loss.format);
  const Int32s labels = args.int32s("labels");
  const Floats logits = args.floats("logits", loss.format, backprop.length);
  const size_t columns = args.size("columns");
  args.require(loss.length * columns == backprop.length && labels.length == loss.length,
               "the sizes do not fit the arrays");
  const int32_t* const label = copied(args, labels, columns, "labels");
  if (args.failed()) return args.undefined();
  with_type(loss.format, [&](auto t) {
    using T = decltype(t);
    sparse_softmax_cross_entropy(loss.as<T>(), backprop.as<T>(), label, logits.as<T>(), loss.length, columns);
  });
  return args.undefined();
}

// scaleRows(out, x, factors)
Napi::Value scale_rows_op(const Info& info) {
  Arguments args(info);
  const Floats out = args.floats("out"), x = args.floats("x", out.format, out.length);
  const Floats factors = args.floats("factors", out.format);
  args.require(factors.length > 0 ? out.length % factors.length == 0 : out.length == 0,
               "factors must divide the elements");
  if (args.failed() || factors.length == 0) return args.undefined();
  with_type(out.format, [&](auto t) {
    using T = decltype(t);
    scale_rows(out.as<T>(), x.as<T>(), factors.as<T>(), factors.length, out.length / factors.length);
  });
  return args.undefined();
}

// gather(out, params, indices, rows, columns): params is [rows, columns]
Napi::Value gather_op(const Info& info) {
  Arguments args(info);
  const Floats out = args.floats("out"), params = args.floats("params", out.format);
  const Int32s indices = args.int32s("indices");
  const size_t rows = args.size("rows"), columns = args.size("columns");
  args.require(out.length == indices.length * columns && params.length == rows * columns,
               "the sizes do not fit the arrays");
  const int32_t* const index = copied(args, indices, rows, "indices");
  if (args.failed()) return args.undefined();
  with_type(out.format, [&](auto t) {
    using T = decltype(t);
    gather(out.as<T>(), params.as<T>(), index, indices.length, columns);
  });
  return args.undefined();
}

// scatterAdd(out, values, indices, rows, columns, factor): out is [rows, columns]
Napi::Value scatter_add_op(const Info& info) {
  Arguments args(info);
  const Floats out = args.floats("out"), values = args.floats("values", out.format);
  const Int32s indices = args.int32s("indices");
  const size_t rows = args.size("rows"), columns = args.size("columns");
  const double factor = args.number("factor");
  args.require(out.length == rows * columns && values.length == indices.length * columns,
               "the sizes do not fit the arrays");
  const int32_t* const index = copied(args, indices, rows, "indices");
  if (args.failed()) return args.undefined();
  with_type(out.format, [&](auto t) {
    using T = decltype(t);
    scatter_add(out.as<T>(), values.as<T>(), index, indices.length, columns, factor);
  });
  return args.undefined();
}

// gemm(out, a, b, m, n, k, transposeA, transposeB, bias | undefined, relu): out = op(a) op(b) + bias
Napi::Value gemm_op(const Info& info) {
  Arguments args(info);
  const Floats out = args.floats("out"), a = args.floats("a", out.format), b = args.floats("b", out.format);
  const size_t m = args.size("m"), n = args.size("n"), k = args.size("k");
  const bool transpose_a = args.boolean("transposeA"), transpose_b = args.boolean("transposeB");
  const bool has_bias = !args.next_is_undefined();
  Floats bias;
  if (has_bias) {
    bias = args.floats("bias", out.format, n);
  } else {
    args.next();
  }
  const bool relu = args.boolean("relu");
  args.require(m * n == out.length && m * k == a.length && k * n == b.length, "the sizes do not fit the arrays");
  if (args.failed()) return args.undefined();
  with_type(out.format, [&](auto t) {
    using T = decltype(t);
    Gemm<T> g = {};
    g.m = m, g.n = n, g.k = k;
    g.a = a.as<T>(), g.lda = transpose_a ? m : k, g.transpose_a = transpose_a;
    g.b = b.as<T>(), g.ldb = transpose_b ? k : n, g.transpose_b = transpose_b;
    g.c = out.as<T>(), g.ldc = n;
    g.bias = has_bias ? bias.as<T>() : nullptr;
    g.activation = relu ? Activation::relu : Activation::none;
    if (!gemm(g)) args.out_of_memory("packing the matrices");
  });
  return args.undefined();
}

}  // namespace

void export_ops(Napi::Env env, Napi::Object exports) {
  const KernelTable& table = scalar::kTable;
  exports.Set("unaryFunctions", names(env, table.unary, kUnaryCount));
  exports.Set("binaryFunctions", names(env, table.binary, kBinaryCount));
  add<unary_op>(env, exports, "unary");
  add<binary_op>(env, exports, "binary");
  add<binary_broadcast_op>(env, exports, "binaryBroadcast");
  add<permute_op>(env, exports, "permute");
  add<sum_op>(env, exports, "sum");
#define GRADSTEP_ADD(name, js_name) add<row_op<name<float>, name<double>>>(env, exports, js_name);
  GRADSTEP_ROW(GRADSTEP_ADD)
#undef GRADSTEP_ADD
#define GRADSTEP_ADD(name, js_name) add<row_gradient_op<name<float>, name<double>>>(env, exports, js_name);
  GRADSTEP_ROW_GRADIENT(GRADSTEP_ADD)
#undef GRADSTEP_ADD
  add<softmax_cross_entropy_op>(env, exports, "softmaxCrossEntropy");
  add<sparse_softmax_cross_entropy_op>(env, exports, "sparseSoftmaxCrossEntropy");
  add<scale_rows_op>(env, exports, "scaleRows");
  add<gather_op>(env, exports, "gather");
  add<scatter_add_op>(env, exports, "scatterAdd");
  add<gemm_op>(env, exports, "gemm");
}

}  // namespace gradstep
