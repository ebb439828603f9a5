// Every kernel of every instruction set of this machine against the scalar one, byte for byte, on arrays that end where
// their page ends: what reads or writes past the end crashes. (GEMM has a test of its own.)
#include <stdio.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "../drivers/update.h"
#include "../runtime/dispatch.h"
#include "check.h"
#include "guarded.h"

using namespace gradstep;

namespace {

void check(bool ok, const char* isa, const std::string& what, size_t n) {
  ++(ok ? passed : failed);
  if (!ok) printf("FAILED %s of %zu on %s\n", what.c_str(), n, isa);
}

// Inputs shared by all tables, and as many outputs as asked for, each at its page's end.
template <class T> struct Arrays {
  std::vector<std::unique_ptr<Guarded<T>>> held;
  std::mt19937 random{1};

  T* input(size_t n, Values values = Values::special) {
    held.push_back(std::make_unique<Guarded<T>>(n));
    fill(held.back()->data(), n, values, random);
    return held.back()->data();
  }
  T* copy(const T* from, size_t n) {
    held.push_back(std::make_unique<Guarded<T>>(n));
    memcpy(held.back()->data(), from, n * sizeof(T));
    return held.back()->data();
  }
};

// Something reasonable for a hyperparameter of this name; rules with two forms take one for `usual` and one without.
double hyper_value(const std::string& name, bool usual) {
  if (name == "learningRate") return 0.01;
  if (name == "learningRatePower") return usual ? -0.5 : -0.75;
  if (name == "l2RegularizationStrength") return usual ? 0.25 : 0;
  if (name == "epsilon") return 1e-3;
  if (name.find("step") != std::string::npos) return 3;
  return 0.25;
}

// Arrays lie `apart` elements from each other within their cache lines.
template <class T>
void check_rule(const KernelTable& table, size_t r, size_t n, bool has_gradient, bool usual, size_t apart = 0) {
  const Rule& rule = table.rules[r];
  std::vector<double> hyper;
  for (size_t i = 0; i < rule.hyper_count; ++i) hyper.push_back(hyper_value(rule.hyper[i], usual));
  Arrays<T> arrays;
  Range range = {}, expected = {};
  range.formats = expected.formats = Stored<T, T, T>::formats();
  range.stored = expected.stored = stored_of(range.formats, rule.slot_count);
  const SumsOfSquares sums = {4, 9};
  const T* gradient = arrays.input(n);
  range.gradient = expected.gradient = has_gradient ? gradient : nullptr;
  range.factor = expected.factor = 0.7;
  range.count = expected.count = n;
  std::vector<std::pair<T*, T*>> written = {{arrays.input(n), nullptr}};
  for (size_t k = 0; k < rule.slot_count; ++k) written.push_back({arrays.input(n + (k + 1) * apart), nullptr});
  for (auto& [ours, theirs] : written) theirs = arrays.copy(ours, n);
  range.param = written[0].first;
  expected.param = written[0].second;
  for (size_t k = 0; k < rule.slot_count; ++k) {
    range.slots[k] = written[k + 1].first;
    expected.slots[k] = written[k + 1].second;
  }
  of<T>(table).rules[r].step(hyper.data(), &range, &sums, 1, n);
  of<T>(scalar::kTable).rules[r].step(hyper.data(), &expected, &sums, 1, n);
  bool ok = true;
  for (const auto& [ours, theirs] : written) ok = ok && same(ours, theirs, n);
  check(ok, table.isa, rule.name, n);
}

// Runs `kernel(table, out)` with this table and the scalar one and compares what they wrote.
template <class T, class F>
void compare(const KernelTable& table, const std::string& what, size_t n, size_t out_size, F kernel) {
  Arrays<T> arrays;
  T* const start = arrays.input(out_size, Values::ordinary);
  T* const out = arrays.copy(start, out_size);
  T* const expected = arrays.copy(start, out_size);
  kernel(of<T>(table), out);
  kernel(of<T>(scalar::kTable), expected);
  check(same(out, expected, out_size), table.isa, what, n);
}

template <class T> void check_elementwise(const KernelTable& table, size_t n) {
  Arrays<T> arrays;
  const T *a = arrays.input(n), *b = arrays.input(n), *one = arrays.input(1, Values::ordinary);
  using K = const Kernels<T>&;
  for (size_t f = 0; f < kUnaryCount; ++f)
    compare<T>(table, table.unary[f], n, n, [=](K k, T* out) { k.unary[f](out, a, n); });
  for (size_t f = 0; f < kBinaryCount; ++f) {
    const std::string name = table.binary[f];
    compare<T>(table, name, n, n, [=](K k, T* out) { k.binary[f](out, a, b, Operands::vectors, n); });
    compare<T>(table, name + " (scalar a)", n, n,
               [=](K k, T* out) { k.binary[f](out, one, b, Operands::scalar_a, n); });
    compare<T>(table, name + " (scalar b)", n, n,
               [=](K k, T* out) { k.binary[f](out, a, one, Operands::scalar_b, n); });
  }
  compare<T>(table, "scale", n, n, [=](K k, T* out) { k.scale(out, a, 0.3, n); });
  compare<T>(table, "add_scaled", n, n, [=](K k, T* out) { k.add_scaled(out, a, 0.3, n); });
  compare<T>(table, "clip_by_value", n, n, [=](K k, T* out) { k.clip_by_value(out, a, T(-0.5), T(0.5), n); });
}

template <class T> void check_sums(const KernelTable& table, size_t n) {
  Arrays<T> arrays;
  const T *x = arrays.input(n, Values::ordinary), *with_specials = arrays.input(n);
  const Kernels<T>&ours = of<T>(table), &reference = of<T>(scalar::kTable);
  const double sums[] = {ours.sum(x, n), ours.sum_of_squares(x, n)};
  const double expected[] = {reference.sum(x, n), reference.sum_of_squares(x, n)};
  check(memcmp(sums, expected, sizeof sums) == 0, table.isa, "sums", n);
  check(ours.all_finite(x, n), table.isa, "all_finite", n);
  check(ours.all_finite(with_specials, n) == reference.all_finite(with_specials, n), table.isa, "all_finite", n);
}

template <class T> void check_rows(const KernelTable& table, size_t rows, size_t columns) {
  Arrays<T> arrays;
  const size_t n = rows * columns;
  const T *x = arrays.input(n, Values::ordinary), *y = arrays.input(n), *factors = arrays.input(rows);
  Guarded<int32_t> labels(rows);
  for (size_t i = 0; i < rows; ++i) labels.data()[i] = int32_t(i * 7 % columns);
  const int32_t* const label = labels.data();
  T* const loss = arrays.input(rows);
  using K = const Kernels<T>&;
  compare<T>(table, "sum_rows", n, rows, [=](K k, T* out) { k.sum_rows(out, x, rows, columns, 0.5); });
  compare<T>(table, "sum_columns", n, columns, [=](K k, T* out) { k.sum_columns(out, x, rows, columns, 0.5); });
  for (const bool least : {false, true}) {
    for (const T* const of : {x, y}) {
      compare<T>(table, "extreme_rows", n, rows, [=](K k, T* out) { k.extreme_rows(out, of, rows, columns, least); });
      compare<T>(table, "extreme_columns", n, columns,
                 [=](K k, T* out) { k.extreme_columns(out, of, rows, columns, least); });
    }
  }
  compare<T>(table, "softmax", n, n, [=](K k, T* out) { k.softmax(out, x, rows, columns); });
  compare<T>(table, "log_softmax", n, n, [=](K k, T* out) { k.log_softmax(out, x, rows, columns); });
  compare<T>(table, "softmax_gradient", n, n, [=](K k, T* out) { k.softmax_gradient(out, y, x, rows, columns); });
  compare<T>(table, "log_softmax_gradient", n, n,
             [=](K k, T* out) { k.log_softmax_gradient(out, y, x, rows, columns); });
  compare<T>(table, "scale_rows", n, n, [=](K k, T* out) { k.scale_rows(out, x, factors, rows, columns); });
  compare<T>(table, "softmax_cross_entropy", n, n,
             [=](K k, T* out) { k.softmax_cross_entropy(loss, out, y, x, rows, columns); });
  compare<T>(table, "sparse_softmax_cross_entropy", n, n,
             [=](K k, T* out) { k.sparse_softmax_cross_entropy(loss, out, label, x, rows, columns); });
}

// The same numbers on every instruction set, and nothing past the end; random_test says what numbers.
template <class T> void check_random(const KernelTable& table, size_t n) {
  Arrays<T> arrays;
  const T* const x = arrays.input(n);
  const Draw draw = {0x299f31d0a4093822, 0x0370734413198a2e, ~uint64_t(0) - 5};  // a counter that starts anew
  using K = const Kernels<T>&;
  compare<T>(table, "random_uniform", n, n, [=](K k, T* out) { k.random_uniform(out, draw, -1, 3, T(1.5), n); });
  for (const bool truncated : {false, true})
    compare<T>(table, "random_normal", n, n, [=](K k, T* out) { k.random_normal(out, draw, 1, 2, truncated, n); });
  for (const uint32_t threshold : {0u, 1u, 0x7fffffffu, 0x80000000u, 0xb0000000u, 0xffffffffu}) {
    compare<T>(table, "random_bernoulli", n, n, [=](K k, T* out) { k.random_bernoulli(out, draw, threshold, n); });
    compare<T>(table, "dropout", n, n, [=](K k, T* out) { k.dropout(out, x, draw, threshold, 1.25, n); });
  }
}

template <class T> void check_all(const KernelTable& table) {
  for (const size_t n : {0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 1000, 2048, 2061}) {
    for (size_t r = 0; r < kRuleCount; ++r) {
      for (const bool usual : {true, false}) {
        check_rule<T>(table, r, n, true, usual);
        check_rule<T>(table, r, n, false, usual);
      }
    }
    if (n >= 2048) {  // from here on rules begin with a part of a vector where arrays do not start on a line
      for (size_t r = 0; r < kRuleCount; ++r) check_rule<T>(table, r, n, true, true, 3);
      continue;
    }
    check_elementwise<T>(table, n);
    check_sums<T>(table, n);
    check_random<T>(table, n);
    if (n > 0) check_rows<T>(table, 3, n);
  }
}

}  // namespace

int main() {
  for (const KernelTable* table : available_isas()) {
    check_all<float>(*table);
    check_all<double>(*table);
  }
  return report();
}
