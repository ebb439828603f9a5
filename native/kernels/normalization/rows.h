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

// What a row's gradient is made with: dx = inverse (g - mean - xhat slope), where xhat = (x - shift) inverse and
// g = gamma dy.
template <class T> struct RowSlopes { T shift, inverse, mean, slope; };

// The means of g, 0 where x was shifted by none, and of g xhat, of which l2 has the sum.
template <class V, class T = typename V::Scalar>
static RowSlopes<T> row_slopes(const NormalizedRowsGradient<T>& a, size_t row, Ahead<T> ahead) {
  const size_t n = a.columns;
  const T *const x = a.x + row * n, *const dy = a.dy + row * n;
  const bool is_layer = a.kind == RowNorm::layer;
  const V m(is_layer ? a.mean[row] : T(0)), r(a.inverse[row]);
  DoubleSum sum, product;
  each_few<V>(n, [&](size_t k, auto each) __attribute__((always_inline)) {
    V few(0), products(0);
    each([&](size_t i, auto... lanes) __attribute__((always_inline)) {
      ahead.read(x + i);
      const V v = load(dy + i, lanes...), g = a.gamma ? v * load(a.gamma + i, lanes...) : v;
      few = few + g;
      products = fma(g, (load(x + i, lanes...) - m) * r, products);  // g is 0 past the end
    });
    sum.add(k, few);
    product.add(k, products);
  });
  const double count = a.kind == RowNorm::l2 ? 1 : double(n);
  const bool is_flat = a.kind == RowNorm::l2 && a.mean[row] == 0;
  return {is_layer ? a.mean[row] : T(0), a.inverse[row], is_layer ? static_cast<T>(sum.total() / count) : T(0),
          is_flat ? T(0) : static_cast<T>(product.total() / count)};
}

// So many elements of rows stay near between the two passes over them.
constexpr size_t kNearElements = 4096, kMostNearRows = 16;

// A few rows at a time: first a pass over each, then one down strips of columns, in which the gradients of gamma and
// beta are summed in registers. The next rows of x come meanwhile in the first, those of dy and dx in the second.
template <class V>
static void normalize_rows_gradient(const NormalizedRowsGradient<typename V::Scalar>& a, size_t rows) {
  using T = typename V::Scalar;
  const size_t n = a.columns, fit = kNearElements / (n > 0 ? n : 1);
  const size_t group = fit < 1 ? 1 : fit < kMostNearRows ? fit : kMostNearRows;
  for (size_t first = 0; first < rows; first += group) {
    const size_t count = rows - first < group ? rows - first : group;
    RowSlopes<T> of[kMostNearRows];
    const Ahead<T> ahead = {first + 2 * count <= rows ? count * n : 0};
    for (size_t k = 0; k < count; ++k) of[k] = row_slopes<V>(a, first + k, ahead);
    each_vector<V>(n, [&](size_t i, auto... lanes) __attribute__((always_inline)) {
      const V gamma = a.gamma ? load(a.gamma + i, lanes...) : V(1);
      V dgamma(0), dbeta(0);  // of no more rows than kMostNearRows
      size_t at = first * n + i;
      for (size_t k = 0; k < count; ++k, at += n) {
        ahead.read(a.dy + at);
        ahead.write(a.dx + at);
        const V dy = load(a.dy + at, lanes...), r(of[k].inverse),
                xhat = (load(a.x + at, lanes...) - V(of[k].shift)) * r;
        const V g = dy * gamma;
        store(a.dx + at, fnma(xhat, V(of[k].slope), g - V(of[k].mean)) * r, lanes...);
        dgamma = fma(dy, xhat, dgamma);
        dbeta = dbeta + dy;
      }
      if (a.dgamma) add_doubles(a.dgamma + i, n - i, dgamma);
      if (a.dbeta) add_doubles(a.dbeta + i, n - i, dbeta);
    });
  }
}

}  // namespace SIMD_ISA
}  // namespace gradstep
