// y = f(x), lane by lane. A function's kName is its name in JavaScript.
#pragma once
#include "../../simd/erf.h"
#include "../../simd/math.h"
#include "../../simd/simd.h"
#include "../../simd/trig.h"
#include "activations.h"

namespace gradstep {
namespace SIMD_ISA {

struct Negative {
  static constexpr const char* kName = "negative";
  template <class V> static V of(V x) { return -x; }
};

struct Square {
  static constexpr const char* kName = "square";
  template <class V> static V of(V x) { return x * x; }
};

struct Sqrt {
  static constexpr const char* kName = "sqrt";
  template <class V> static V of(V x) { return sqrt(x); }
};

struct Exp {
  static constexpr bool kIsLong = true;
  static constexpr const char* kName = "exp";
  template <class V> static V of(V x) { return exp(x); }
};

struct Log {
  static constexpr bool kIsLong = true;
  static constexpr const char* kName = "log";
  template <class V> static V of(V x) { return log(x); }
};

struct Relu {  // max(x, 0); NaN stays NaN
  static constexpr const char* kName = "relu";
  template <class V> static V of(V x) { return select(le(x, V(0)), V(0), x); }
};

struct Sigmoid {  // 1 / (1 + exp(-x))
  static constexpr bool kIsLong = true;
  static constexpr const char* kName = "sigmoid";
  template <class V> static V of(V x) { return sigmoid(x); }
};

struct Tanh {
  static constexpr bool kIsLong = true;
  static constexpr const char* kName = "tanh";
  template <class V> static V of(V x) { return tanh(x); }
};

struct Abs {
  static constexpr const char* kName = "abs";
  template <class V> static V of(V x) { return abs(x); }
};

struct Sign {  // -1, 0 or 1; NaN stays NaN
  static constexpr const char* kName = "sign";
  template <class V> static V of(V x) { return select(gt(abs(x), V(0)), copysign(V(1), x), x); }
};

struct Floor {
  static constexpr const char* kName = "floor";
  template <class V> static V of(V x) { return floor(x); }
};

struct Ceil {
  static constexpr const char* kName = "ceil";
  template <class V> static V of(V x) { return -floor(-x); }
};

struct Round {  // half to even
  static constexpr const char* kName = "round";
  template <class V> static V of(V x) { return round(x); }
};

struct Reciprocal {
  static constexpr const char* kName = "reciprocal";
  template <class V> static V of(V x) { return V(1) / x; }
};

struct Rsqrt {
  static constexpr const char* kName = "rsqrt";
  template <class V> static V of(V x) { return V(1) / sqrt(x); }
};

struct Expm1 {
  static constexpr bool kIsLong = true;
  static constexpr const char* kName = "expm1";
  template <class V> static V of(V x) { return expm1(x); }
};

struct Log1p {
  static constexpr bool kIsLong = true;
  static constexpr const char* kName = "log1p";
  template <class V> static V of(V x) { return log1p(x); }
};

struct Sin {
  static constexpr bool kIsLong = true;
  static constexpr const char* kName = "sin";
  template <class V> static V of(V x) { return sin(x); }
};

struct Cos {
  static constexpr bool kIsLong = true;
  static constexpr const char* kName = "cos";
  template <class V> static V of(V x) { return cos(x); }
};

struct Tan {
  static constexpr bool kIsLong = true;
  static constexpr const char* kName = "tan";
  template <class V> static V of(V x) { return tan(x); }
};

struct Asin {
  static constexpr bool kIsLong = true;
  static constexpr const char* kName = "asin";
  template <class V> static V of(V x) { return asin(x); }
};

struct Acos {
  static constexpr bool kIsLong = true;
  static constexpr const char* kName = "acos";
  template <class V> static V of(V x) { return acos(x); }
};

struct Atan {
  static constexpr bool kIsLong = true;
  static constexpr const char* kName = "atan";
  template <class V> static V of(V x) { return atan(x); }
};

struct Sinh {
  static constexpr bool kIsLong = true;
  static constexpr const char* kName = "sinh";
  template <class V> static V of(V x) { return sinh(x); }
};

struct Cosh {
  static constexpr bool kIsLong = true;
  static constexpr const char* kName = "cosh";
  template <class V> static V of(V x) { return cosh(x); }
};

struct Erf {
  static constexpr bool kIsLong = true;
  static constexpr const char* kName = "erf";
  template <class V> static V of(V x) { return erf(x); }
};

struct Erfc {
  static constexpr bool kIsLong = true;
  static constexpr const char* kName = "erfc";
  template <class V> static V of(V x) { return erfc(x); }
};

struct Softplus {
  static constexpr bool kIsLong = true;
  static constexpr const char* kName = "softplus";
  template <class V> static V of(V x) { return softplus(x); }
};

struct LogSigmoid {
  static constexpr bool kIsLong = true;
  static constexpr const char* kName = "logSigmoid";
  template <class V> static V of(V x) { return -softplus(-x); }
};

struct Relu6 {  // NaN stays NaN
  static constexpr const char* kName = "relu6";
  template <class V> static V of(V x) { return select(le(x, V(0)), V(0), select(ge(x, V(6)), V(6), x)); }
};

struct Softsign {
  static constexpr const char* kName = "softsign";
  template <class V> static V of(V x) { return x / (V(1) + abs(x)); }
};

struct Elu {
  static constexpr bool kIsLong = true;
  static constexpr const char* kName = "elu";
  template <class V> static V of(V x) { return select(lt(x, V(0)), expm1(x), x); }
};

struct Selu {
  static constexpr bool kIsLong = true;
  static constexpr const char* kName = "selu";
  template <class V> static V of(V x) {
    return select(lt(x, V(0)), selu_scale_alpha<V>() * expm1(x), selu_scale<V>() * x);
  }
};

struct Silu {
  static constexpr bool kIsLong = true;
  static constexpr const char* kName = "silu";
  template <class V> static V of(V x) { return x * sigmoid(x); }
};

struct Gelu {  // x times the probability that a standard normal number is below x
  static constexpr bool kIsLong = true;
  static constexpr const char* kName = "gelu";
  template <class V> static V of(V x) { return x * probability_below(x, normal(x).tail); }
};

struct GeluTanh {  // its approximation by a tanh
  static constexpr bool kIsLong = true;
  static constexpr const char* kName = "geluTanh";
  template <class V> static V of(V x) { return x * sigmoid(gelu_logit(x)); }
};

struct HardSigmoid {
  static constexpr const char* kName = "hardSigmoid";
  template <class V> static V of(V x) { return hard_sigmoid(x); }
};

struct HardSwish {
  static constexpr const char* kName = "hardSwish";
  template <class V> static V of(V x) { return x * hard_sigmoid(x); }
};

struct Mish {  // x tanh(softplus(x))
  static constexpr bool kIsLong = true;
  static constexpr const char* kName = "mish";
  template <class V> static V of(V x) { return x * tanh_softplus(x).value; }
};

template <class V, class F> static void unary(typename V::Scalar* out, const typename V::Scalar* x, size_t n) {
  if constexpr (kIsLong<F>) {
    for (size_t i = 0; i < n; i += V::kLanes) {
      const size_t rest = n - i;
      const V y = F::of(rest < V::kLanes ? load(x + i, rest) : load(x + i));
      if (rest < V::kLanes) store(out + i, y, rest);
      else store(out + i, y);
    }
  } else {
    size_t i = 0;
    for (; i + V::kLanes <= n; i += V::kLanes) store(out + i, F::of(load(x + i)));
    if (i < n) store(out + i, F::of(load(x + i, n - i)), n - i);
  }
}

}  // namespace SIMD_ISA
}  // namespace gradstep
