// out = f(a, b), lane by lane. The gradients of unary functions are binary ones: their arguments are what the
// forward pass kept (its input x or its output y) and the gradient dy of the output.
#pragma once
#include "../../simd/math.h"
#include "../../simd/simd.h"
#include "../table.h"

namespace gradstep {
namespace SIMD_ISA {

struct Add {
  static constexpr const char* kName = "add";
  template <class V> static V of(V a, V b) { return a + b; }
};

struct Subtract {
  static constexpr const char* kName = "subtract";
  template <class V> static V of(V a, V b) { return a - b; }
};

struct Multiply {
  static constexpr const char* kName = "multiply";
  template <class V> static V of(V a, V b) { return a * b; }
};

struct Divide {
  static constexpr const char* kName = "divide";
  template <class V> static V of(V a, V b) { return a / b; }
};

struct Minimum {  // NaN if either is NaN
  static constexpr const char* kName = "minimum";
  template <class V> static V of(V a, V b) { return minimum(a, b); }
};

struct Maximum {  // NaN if either is NaN
  static constexpr const char* kName = "maximum";
  template <class V> static V of(V a, V b) { return maximum(a, b); }
};

struct LessEqual {  // 1 where a <= b, else 0; also 0 where either is NaN
  static constexpr const char* kName = "lessEqual";
  template <class V> static V of(V a, V b) { return select(le(a, b), V(1), V(0)); }
};

struct GreaterEqual {  // 1 where a >= b, else 0; also 0 where either is NaN
  static constexpr const char* kName = "greaterEqual";
  template <class V> static V of(V a, V b) { return select(ge(a, b), V(1), V(0)); }
};

struct SquareGradient {  // (x, dy) -> 2 x dy
  static constexpr const char* kName = "squareGradient";
  template <class V> static V of(V x, V dy) { return (x + x) * dy; }
};

struct SqrtGradient {  // (y, dy) -> dy / (2 y)
  static constexpr const char* kName = "sqrtGradient";
  template <class V> static V of(V y, V dy) { return dy / (y + y); }
};

struct LogGradient {  // (x, dy) -> dy / x
  static constexpr const char* kName = "logGradient";
  template <class V> static V of(V x, V dy) { return dy / x; }
};

struct ReluGradient {  // (y, dy) -> dy where y > 0, else 0
  static constexpr const char* kName = "reluGradient";
  template <class V> static V of(V y, V dy) { return select(gt(y, V(0)), dy, V(0)); }
};

struct SigmoidGradient {  // (y, dy) -> dy y (1 - y)
  static constexpr const char* kName = "sigmoidGradient";
  template <class V> static V of(V y, V dy) { return dy * (y * (V(1) - y)); }
};

struct TanhGradient {  // (y, dy) -> dy (1 - y^2)
  static constexpr const char* kName = "tanhGradient";
  template <class V> static V of(V y, V dy) { return dy * fnma(y, y, V(1)); }
};

struct SigmoidCrossEntropy {  // (labels z, logits x) -> max(x, 0) - x z + log(1 + exp(-|x|))
  static constexpr const char* kName = "sigmoidCrossEntropy";
  template <class V> static V of(V z, V x) { return (maximum(x, V(0)) - x * z) + log1p(exp(-abs(x))); }
};

struct SigmoidMinus {  // (labels z, logits x) -> sigmoid(x) - z
  static constexpr const char* kName = "sigmoidMinus";
  template <class V> static V of(V z, V x) { return sigmoid(x) - z; }
};

template <class V, class F>
static void binary(typename V::Scalar* out, const typename V::Scalar* a, const typename V::Scalar* b, Operands operands,
                   size_t n) {
  const auto each = [&](auto left, auto right) __attribute__((always_inline)) {
    size_t i = 0;
    for (; i + V::kLanes <= n; i += V::kLanes) store(out + i, F::of(left(i), right(i)));
    if (i < n) store(out + i, F::of(left(i, n - i), right(i, n - i)), n - i);
  };
  const auto vector = [](const typename V::Scalar* p) {
    return [p](size_t i, auto... count) __attribute__((always_inline)) { return load(p + i, count...); };
  };
  const auto scalar = [](const typename V::Scalar* p) {
    return [value = V(*p)](size_t, auto...) __attribute__((always_inline)) { return value; };
  };
  if (n == 0) return;
  switch (operands) {
    case Operands::vectors: return each(vector(a), vector(b));
    case Operands::scalar_a: return each(scalar(a), vector(b));
    case Operands::scalar_b: return each(vector(a), scalar(b));
  }
}

}  // namespace SIMD_ISA
}  // namespace gradstep
