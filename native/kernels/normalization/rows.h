// Normalisation of rows that lie one after the other, each while it is in the nearest cache.
#pragma once
#include "../../simd/simd.h"
#include "../softmax.h"
#include "args.h"
#include "sums.h"

namespace gradstep {
namespace SIMD_ISA {

INL double root(double x) {
  double out[8];
  store(out, sqrt(F64x8(x)));
  return out[0];
}

// What a row is shifted by and multiplied with.
template <class T> struct RowScale { T mean, inverse; };

// How far ahead of a row memory is asked for: the next one comes while this one is computed.
template <class T> struct Ahead {
  size_t next;  // 0 for the last row

  ALWAYS_INLINE void read(const T* x) const { __builtin_prefetch(x + next); }
  ALWAYS_INLINE void write(T* x) const { __builtin_prefetch(x + next, 1); }
};

// Sums of x less its row's first element: that keeps what a large mean would take, and needs one pass only.
template <class V, class T = typename V::Scalar>
static RowScale<T> layer_scale(const T* x, size_t n, double epsilon, Ahead<T> ahead) {
  const V first(n == 0 ? T(0) : x[0]);
  DoubleSum sum, squares;
  each_of_two<V>(n, [&](size_t k, size_t i, auto... lanes) __attribute__((always_inline)) {
    ahead.read(x + i);
    const V d = with_rest(load(x + i, lanes...) - first, V(0), lanes...);
    sum.add(k, d);
    squares.add_product(k, d, d);
  });
  const double off = sum.total() / double(n), variance = squares.total() / double(n) - off * off;
  const double least = variance < 0 ? 0 : variance;  // a NaN stays
  return {static_cast<T>(double(n == 0 ? T(0) : x[0]) + off), static_cast<T>(1 / root(least + epsilon))};
}

template <class V, class T = typename V::Scalar>
static RowScale<T> length_scale(const T* x, size_t n, double epsilon, RowNorm kind) {
  DoubleSum squares;
  each_of_two<V>(n, [&](size_t k, size_t i, auto... lanes) __attribute__((always_inline)) {
    const V v = load(x + i, lanes...);
    squares.add_product(k, v, v);
  });
  const double sum = squares.total();
  if (kind == RowNorm::rms) return {T(0), static_cast<T>(1 / root(sum / double(n) + epsilon))};
  const bool counts = !(sum < epsilon);  // a NaN counts
  return {T(counts), static_cast<T>(1 / root(counts ? sum : epsilon))};
}

template <class V> static void normalize_rows(const NormalizedRows<typename V::Scalar>& a, size_t rows) {
  using T = typename V::Scalar;
  const size_t n = a.columns;
  for (size_t row = 0; row < rows; ++row) {
    const T* const x = a.x + row * n;
    T* const out = a.out + row * n;
    const bool is_layer = a.kind == RowNorm::layer;
    const Ahead<T> ahead = {row + 1 < rows ? n : 0};
    const RowScale<T> scale =
        is_layer ? layer_scale<V>(x, n, a.epsilon, ahead) : length_scale<V>(x, n, a.epsilon, a.kind);
    a.mean[row] = scale.mean;
    a.inverse[row] = scale.inverse;
    const V m(is_layer ? scale.mean : T(0)), r(scale.inverse);
    const auto each = [&](auto finish) __attribute__((always_inline)) {
      each_vector<V>(n, [&](size_t i, auto... lanes) __attribute__((always_inline)) {
        ahead.write(out + i);
        store(out + i, finish((load(x + i, lanes...) - m) * r, i, lanes...), lanes...);
      });
    };
    if (a.gamma && a.beta) {
      each([&](V xhat, size_t i, auto... lanes) __attribute__((always_inline)) {
        return fma(xhat, load(a.gamma + i, lanes...), load(a.beta + i, lanes...));
      });
    } else if (a.gamma) {
      each([&](V xhat, size_t i, auto... lanes)
               __attribute__((always_inline)) { return xhat * load(a.gamma + i, lanes...); });
    } else if (a.beta) {
      each([&](V xhat, size_t i, auto... lanes)
               __attribute__((always_inline)) { return xhat + load(a.beta + i, lanes...); });
    } else {
      each([](V xhat, size_t, auto...) __attribute__((always_inline)) { return xhat; });
    }
  }
}

// dx = inverse (g - mean(g) - xhat mean(g xhat)) with g = gamma dy; without the first mean where none was taken off,
// and for l2 with a sum in place of the second.
template <class V>
static void normalized_row_gradient(const NormalizedRowsGradient<typename V::Scalar>& a, size_t row,
                                    Ahead<typename V::Scalar> ahead) {
  using T = typename V::Scalar;
  const size_t n = a.columns;
  const T *const x = a.x + row * n, *const dy = a.dy + row * n;
  T* const dx = a.dx + row * n;
  const bool is_layer = a.kind == RowNorm::layer;
  const V m(is_layer ? a.mean[row] : T(0)), r(a.inverse[row]);
  const auto g = [&](size_t i, auto... lanes) __attribute__((always_inline)) {
    const V v = load(dy + i, lanes...);
    return a.gamma ? v * load(a.gamma + i, lanes...) : v;
  };
  DoubleSum sum, product;
  each_few<V>(n, [&](size_t k, auto each) __attribute__((always_inline)) {
    V few(0), products(0);
    each([&](size_t i, auto... lanes) __attribute__((always_inline)) {
      ahead.read(x + i);
      ahead.read(dy + i);
      const V v = g(i, lanes...);
      few = few + v;
      products = fma(v, (load(x + i, lanes...) - m) * r, products);  // v is 0 past the end
    });
    sum.add(k, few);
    product.add(k, products);
  });
  const double count = a.kind == RowNorm::l2 ? 1 : double(n);
  const V mean(is_layer ? static_cast<T>(sum.total() / count) : T(0));
  const V slope(a.kind == RowNorm::l2 && a.mean[row] == 0 ? T(0) : static_cast<T>(product.total() / count));
  each_vector<V>(n, [&](size_t i, auto... lanes) __attribute__((always_inline)) {
    ahead.write(dx + i);
    const V xhat = (load(x + i, lanes...) - m) * r;
    store(dx + i, fnma(xhat, slope, g(i, lanes...) - mean) * r, lanes...);
  });
}

// Adds a few rows' gradients of gamma and beta to those so far: down a strip of columns, the sums in registers.
template <class V>
static void normalized_column_sums(const NormalizedRowsGradient<typename V::Scalar>& a, size_t first, size_t rows) {
  using T = typename V::Scalar;
  const size_t n = a.columns;
  const bool is_layer = a.kind == RowNorm::layer;
  each_vector<V>(n, [&](size_t i, auto... lanes) __attribute__((always_inline)) {
    V dgamma(0), dbeta(0);  // of no more rows than kMostNearRows
    for (size_t row = first; row < first + rows; ++row) {
      const V dy = load(a.dy + row * n + i, lanes...), x = load(a.x + row * n + i, lanes...);
      dgamma = fma(dy, (x - V(is_layer ? a.mean[row] : T(0))) * V(a.inverse[row]), dgamma);
      dbeta = dbeta + dy;
    }
    if (a.dgamma) add_doubles(a.dgamma + i, n - i, dgamma);
    if (a.dbeta) add_doubles(a.dbeta + i, n - i, dbeta);
  });
}

// So many elements of rows stay in the nearest cache between the two passes over them.
constexpr size_t kNearElements = 4096, kMostNearRows = 16;

template <class V>
static void normalize_rows_gradient(const NormalizedRowsGradient<typename V::Scalar>& a, size_t rows) {
  const size_t fit = kNearElements / (a.columns > 0 ? a.columns : 1);
  const size_t group = fit < 1 ? 1 : fit < kMostNearRows ? fit : kMostNearRows;
  for (size_t row = 0; row < rows; row += group) {
    const size_t count = rows - row < group ? rows - row : group;
    for (size_t k = row; k < row + count; ++k) normalized_row_gradient<V>(a, k, {k + 1 < rows ? a.columns : 0});
    if (a.dgamma || a.dbeta) normalized_column_sums<V>(a, row, count);
  }
}

}  // namespace SIMD_ISA
}  // namespace gradstep
