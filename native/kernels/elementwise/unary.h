// y = f(x), lane by lane. A function's kName is its name in JavaScript.
#pragma once
#include "../../simd/math.h"
#include "../../simd/simd.h"

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
  static constexpr const char* kName = "exp";
  template <class V> static V of(V x) { return exp(x); }
};

struct Log {
  static constexpr const char* kName = "log";
  template <class V> static V of(V x) { return log(x); }
};

struct Relu {  // max(x, 0); NaN stays NaN
  static constexpr const char* kName = "relu";
  template <class V> static V of(V x) { return select(le(x, V(0)), V(0), x); }
};

struct Sigmoid {  // 1 / (1 + exp(-x))
  static constexpr const char* kName = "sigmoid";
  template <class V> static V of(V x) { return sigmoid(x); }
};

struct Tanh {
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

template <class V, class F> static void unary(typename V::Scalar* out, const typename V::Scalar* x, size_t n) {
  size_t i = 0;
  for (; i + V::kLanes <= n; i += V::kLanes) store(out + i, F::of(load(x + i)));
  if (i < n) store(out + i, F::of(load(x + i, n - i)), n - i);
}

}  // namespace SIMD_ISA
}  // namespace gradstep
