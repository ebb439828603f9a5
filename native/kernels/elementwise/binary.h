// out = f(a, b), lane by lane. The gradients of unary functions are binary ones: their arguments are what the
// forward pass kept (its input x or its output y) and the gradient dy of the output.
#pragma once
#include "../../simd/math.h"
#include "../../simd/simd.h"
#include "../../simd/trig.h"
#include "../table.h"
#include "activations.h"

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

struct DivideNoNan {  // 0 where b is 0, whatever a is
  static constexpr const char* kName = "divideNoNan";
  template <class V> static V of(V a, V b) { return select(eq(b, V(0)), V(0), a / b); }
};

struct MultiplyNoNan {  // 0 for b = 0, whatever a is
  static constexpr const char* kName = "multiplyNoNan";
  template <class V> static V of(V a, V b) { return select(eq(b, V(0)), V(0), a * b); }
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

struct SqrtGradient {  // (y, dy) -> dy / (2 y), and 0 for dy = 0 wherever
  static constexpr const char* kName = "sqrtGradient";
  template <class V> static V of(V y, V dy) { return select(eq(dy, V(0)), V(0), dy / (y + y)); }
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
  static constexpr bool kIsLong = true;
  static constexpr const char* kName = "sigmoidCrossEntropy";
  template <class V> static V of(V z, V x) { return (maximum(x, V(0)) - x * z) + log1p(exp(-abs(x))); }
};

struct SigmoidMinus {  // (labels z, logits x) -> sigmoid(x) - z
  static constexpr bool kIsLong = true;
  static constexpr const char* kName = "sigmoidMinus";
  template <class V> static V of(V z, V x) { return sigmoid(x) - z; }
};

struct Pow {
  static constexpr bool kIsLong = true;
  static constexpr const char* kName = "pow";
  template <class V> static V of(V a, V b) { return pow(a, b); }
};

struct PowLog {  // (x, z) -> z log(x) where x > 0, else 0
  static constexpr bool kIsLong = true;
  static constexpr const char* kName = "powLog";
  template <class V> static V of(V x, V z) { return select(gt(x, V(0)), z * log(x), V(0)); }
};

struct Atan2 {
  static constexpr bool kIsLong = true;
  static constexpr const char* kName = "atan2";
  template <class V> static V of(V y, V x) { return atan2(y, x); }
};

struct SquaredDifference {
  static constexpr const char* kName = "squaredDifference";
  template <class V> static V of(V a, V b) { return (a - b) * (a - b); }
};

struct FloorDivide {
  static constexpr const char* kName = "floorDivide";
  template <class V> static V of(V a, V b) { return floor(a / b); }
};

struct FloorMod {  // a - b floor(a / b), exactly up to a rounded sum
  static constexpr bool kIsLong = true;
  static constexpr const char* kName = "floorMod";
  template <class V> static V of(V a, V b) {
    const V r = remainder(a, b);
    return select(ne(r, V(0)) & (lt(r, V(0)) ^ lt(b, V(0))), r + b, r);
  }
};

struct Equal {  // 1 where so, else 0
  static constexpr const char* kName = "equal";
  template <class V> static V of(V a, V b) { return select(eq(a, b), V(1), V(0)); }
};

struct NotEqual {  // 1 where so, else 0
  static constexpr const char* kName = "notEqual";
  template <class V> static V of(V a, V b) { return select(ne(a, b), V(1), V(0)); }
};

struct Less {  // 1 where so, else 0
  static constexpr const char* kName = "less";
  template <class V> static V of(V a, V b) { return select(lt(a, b), V(1), V(0)); }
};

struct Greater {  // 1 where so, else 0
  static constexpr const char* kName = "greater";
  template <class V> static V of(V a, V b) { return select(gt(a, b), V(1), V(0)); }
};

struct ReciprocalGradient {  // (y, dy) -> -dy y^2, and 0 for dy = 0 wherever
  static constexpr const char* kName = "reciprocalGradient";
  template <class V> static V of(V y, V dy) { return select(eq(dy, V(0)), V(0), -(y * y) * dy); }
};

struct RsqrtGradient {  // (y, dy) -> -dy y^3 / 2, and 0 for dy = 0 wherever
  static constexpr const char* kName = "rsqrtGradient";
  template <class V> static V of(V y, V dy) { return select(eq(dy, V(0)), V(0), V(-0.5f) * (dy * y) * (y * y)); }
};

struct SoftplusGradient {  // (x, dy) -> dy sigmoid(x)
  static constexpr bool kIsLong = true;
  static constexpr const char* kName = "softplusGradient";
  template <class V> static V of(V x, V dy) { return dy * sigmoid(x); }
};

struct LogSigmoidGradient {  // (x, dy) -> dy (1 - sigmoid(x))
  static constexpr bool kIsLong = true;
  static constexpr const char* kName = "logSigmoidGradient";
  template <class V> static V of(V x, V dy) { return dy * sigmoid(-x); }
};

struct Relu6Gradient {  // (y, dy) -> dy where 0 < y < 6, else 0
  static constexpr const char* kName = "relu6Gradient";
  template <class V> static V of(V y, V dy) { return select(gt(y, V(0)) & lt(y, V(6)), dy, V(0)); }
};

struct SoftsignGradient {  // (x, dy) -> dy / (1 + |x|)^2
  static constexpr const char* kName = "softsignGradient";
  template <class V> static V of(V x, V dy) {
    const V d = V(1) + abs(x);
    return dy / (d * d);
  }
};

struct EluGradient {  // (y, dy) -> dy (y + 1) where y < 0, else dy
  static constexpr const char* kName = "eluGradient";
  template <class V> static V of(V y, V dy) { return select(lt(y, V(0)), dy * (y + V(1)), dy); }
};

struct SeluGradient {  // (y, dy) -> dy (y + scale alpha) where y < 0, else dy scale
  static constexpr const char* kName = "seluGradient";
  template <class V> static V of(V y, V dy) {
    return dy * select(lt(y, V(0)), y + selu_scale_alpha<V>(), selu_scale<V>());
  }
};

struct SiluGradient {  // (x, dy) -> dy s (1 + x (1 - s)), s = sigmoid(x)
  static constexpr bool kIsLong = true;
  static constexpr const char* kName = "siluGradient";
  template <class V> static V of(V x, V dy) {
    const V s = sigmoid(x);
    return dy * (s * fma(within(V(1000), x), V(1) - s, V(1)));
  }
};

struct GeluGradient {  // (x, dy) -> dy (P(x) + x p(x)), of the normal distribution
  static constexpr bool kIsLong = true;
  static constexpr const char* kName = "geluGradient";
  template <class V> static V of(V x, V dy) { return dy * gelu_slope(x); }
};

struct GeluTanhGradient {  // (x, dy)
  static constexpr bool kIsLong = true;
  static constexpr const char* kName = "geluTanhGradient";
  template <class V> static V of(V x, V dy) {
    const V t = within(V(40), x), s = sigmoid(gelu_logit(t));
    return dy * fma(t * gelu_logit_slope(t), s * (V(1) - s), s);
  }
};

struct HardSigmoidGradient {  // (x, dy) -> dy / 6 where |x| < 3, else 0
  static constexpr const char* kName = "hardSigmoidGradient";
  template <class V> static V of(V x, V dy) { return select(lt(abs(x), V(3)), dy / V(6), V(0)); }
};

struct HardSwishGradient {  // (x, dy)
  static constexpr const char* kName = "hardSwishGradient";
  template <class V> static V of(V x, V dy) {
    const V inside = dy * ((x + x + V(3)) / V(6));
    return select(le(x, V(-3)), V(0), select(ge(x, V(3)), dy, inside));
  }
};

struct MishGradient {  // (x, dy)
  static constexpr bool kIsLong = true;
  static constexpr const char* kName = "mishGradient";
  template <class V> static V of(V x, V dy) {
    const Slope<V> t = tanh_softplus(x);
    return dy * fma(within(V(1000), x), t.slope, t.value);
  }
};

struct Prelu {  // (x, alpha) -> x where x > 0, else alpha x
  static constexpr const char* kName = "prelu";
  template <class V> static V of(V x, V alpha) { return select(gt(x, V(0)), x, alpha * x); }
};

struct PreluSlope {  // (x, alpha) -> 1 where x > 0, else alpha
  static constexpr const char* kName = "preluSlope";
  template <class V> static V of(V x, V alpha) { return select(gt(x, V(0)), V(1), alpha); }
};

struct PreluAlphaGradient {  // (x, dy) -> 0 where x > 0, else x dy
  static constexpr const char* kName = "preluAlphaGradient";
  template <class V> static V of(V x, V dy) { return select(gt(x, V(0)), V(0), x * dy); }
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
  if constexpr (kIsLong<F>) {  // compiled once, as in unary.h
    const V a_one(*a), b_one(*b);
    for (size_t i = 0; i < n; i += V::kLanes) {
      const size_t rest = n - i;
      const auto at = [i, rest](const typename V::Scalar* p)
                          __attribute__((always_inline)) { return rest < V::kLanes ? load(p + i, rest) : load(p + i); };
      const V y = F::of(operands == Operands::scalar_a ? a_one : at(a), operands == Operands::scalar_b ? b_one : at(b));
      if (rest < V::kLanes) store(out + i, y, rest);
      else store(out + i, y);
    }
    return;
  }
  switch (operands) {
    case Operands::vectors: return each(vector(a), vector(b));
    case Operands::scalar_a: return each(scalar(a), vector(b));
    case Operands::scalar_b: return each(vector(a), scalar(b));
  }
}

}  // namespace SIMD_ISA
}  // namespace gradstep
