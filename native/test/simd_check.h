// What the tests of the vocabulary and of its elementary functions share.
#pragma once
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <limits>
#include <random>
#include <string>
#include <vector>

#include "check.h"
#include "simd_ops.h"

using namespace gradstep;

template <class T> static const char* type_name() { return sizeof(T) == 4 ? "f32" : "f64"; }
template <class T> static const SimdOps<T>& ops_of(const SimdTable& t) {
  if constexpr (sizeof(T) == 4) return t.f32;
  else return t.f64;
}
// Any NaN is as good as any other.
template <class T> static bool same(T a, T b) { return (a != a && b != b) || memcmp(&a, &b, sizeof a) == 0; }

template <class T> static const SimdOp<T>& find_op(const SimdTable& table, const char* name) {
  const SimdOp<T>* op = ops_of<T>(table).ops;
  while (strcmp(op->name, name) != 0) ++op;
  return *op;
}
// compare_with_scalar shows that the other ISAs give the same bytes.
template <class T> static const SimdOp<T>& scalar_op(const char* name) { return find_op<T>(scalar::kSimdTable, name); }

template <class T> static std::vector<T> special_values() {
  using L = std::numeric_limits<T>;
  std::vector<T> v;
  for (T x : {T(0),
              L::denorm_min(),
              L::min() / 2,
              L::min(),
              L::epsilon(),
              T(0.25),
              T(0.5),
              T(1),
              1 + L::epsilon(),
              T(1.5),
              T(2),
              T(2.5),
              T(3),
              T(7),
              T(88.7),
              T(103),
              T(1000),
              1 / L::epsilon() - T(0.5),
              1 / L::epsilon(),
              2 / L::epsilon() + 1,
              L::max(),
              L::infinity(),
              L::quiet_NaN()}) {
    v.push_back(x);
    v.push_back(-x);
  }
  return v;
}

// Ops whose result for one (a, b) is worth stating.
template <class T> struct Stated {
  const char* op;
  T a, b, expected;
};

template <class T> static void check_stated(const std::vector<Stated<T>>& cases) {
  for (const Stated<T>& c : cases) {
    const std::vector<T> a(16, c.a), b(16, c.b);
    std::vector<T> out(16);
    scalar_op<T>(c.op).run(a.data(), b.data(), a.data(), out.data(), 16);
    char what[200];
    snprintf(what, sizeof what, "%s %s(%g, %g) is %a, expected %a", type_name<T>(), c.op, double(c.a), double(c.b),
             double(out[0]), double(c.expected));
    check(same(out[0], c.expected), what);
  }
}
