// Normalisations, attention and recurrent layers on every instruction set of this machine and with 1 to 3 threads,
// byte for byte what the scalar one computes, on arrays that end where their page ends.
#include <stdio.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "../drivers/attention.h"
#include "../drivers/normalization.h"
#include "../drivers/recurrent.h"
#include "../runtime/dispatch.h"
#include "../runtime/pool.h"
#include "check.h"
#include "guarded.h"

using namespace gradstep;

namespace {

template <class T> class Arrays {
 public:
  explicit Arrays(Values values) : values_(values) {}

  T* input(size_t n) {
    T* const array = add(n);
    fill(array, n, values_, random_);
    return array;
  }
  // What is written, which is compared: zeros at first.
  T* output(size_t n) {
    outputs.push_back({add(n), n});
    return outputs.back().first;
  }

  std::vector<std::pair<T*, size_t>> outputs;

 private:
  T* add(size_t n) {
    held_.push_back(std::make_unique<Guarded<T>>(n));
    return held_.back()->data();
  }

  Values values_;
  std::mt19937 random_{1};
  std::vector<std::unique_ptr<Guarded<T>>> held_;
};

template <class T> using Work = std::function<bool(Arrays<T>&)>;

// Runs the work everywhere; only ordinary values come out finite, and all come out the same.
template <class T> void check(const std::string& what, const Work<T>& work) {
  for (const Values values : {Values::ordinary, Values::special}) {
    use_isa("scalar");
    set_threads(1);
    Arrays<T> expected(values);
    bool good = work(expected);
    for (const KernelTable* table : available_isas()) {
      for (size_t threads = 1; threads <= 3; ++threads) {
        use_isa(table->isa);
        set_threads(threads);
        Arrays<T> found(values);
        good = work(found) && good;
        for (size_t i = 0; i < found.outputs.size(); ++i) {
          const auto [data, n] = found.outputs[i];
          good = good && same(data, expected.outputs[i].first, n);
        }
      }
    }
    ++(good ? passed : failed);
    if (!good)
      printf("FAILED %s, %s\n", what.c_str(), values == Values::special ? "special values" : "ordinary values");
  }
}

template <class T> void check_rows(size_t rows, size_t columns) {
  for (const RowNorm kind : {RowNorm::layer, RowNorm::rms, RowNorm::l2}) {
    check<T>("rows " + std::to_string(rows) + " x " + std::to_string(columns), [=](Arrays<T>& arrays) {
      const size_t n = rows * columns;
      T *const x = arrays.input(n), *const gamma = arrays.input(columns), *const beta = arrays.input(columns);
      T *const dy = arrays.input(n), *const y = arrays.output(n), *const dx = arrays.output(n);
      T *const mean = arrays.output(rows), *const inverse = arrays.output(rows);
      T *const dgamma = arrays.output(columns), *const dbeta = arrays.output(columns), *const plain = arrays.output(n);
      normalize_rows<T>({y, mean, inverse, x, gamma, beta, columns, 1e-3, kind}, rows);
      return normalize_rows_gradient<T>({dx, nullptr, nullptr, dy, x, mean, inverse, gamma, columns, kind}, dgamma,
                                        dbeta, rows) &&
             normalize_rows_gradient<T>({plain, nullptr, nullptr, dy, x, mean, inverse, nullptr, columns, kind},
                                        nullptr, nullptr, rows);
    });
  }
}

template <class T> void check_columns(const ColumnShape& s) {
  check<T>("columns " + std::to_string(s.reduced) + " x " + std::to_string(s.inner), [=](Arrays<T>& arrays) {
    const size_t n = s.outer * s.reduced * s.inner, means = s.outer * s.groups;
    T *const x = arrays.input(n), *const gamma = arrays.input(s.inner), *const beta = arrays.input(s.inner);
    T *const dy = arrays.input(n), *const y = arrays.output(n), *const dx = arrays.output(n);
    T *const mean = arrays.output(means), *const variance = arrays.output(means);
    T *const dgamma = arrays.output(s.inner), *const dbeta = arrays.output(s.inner), *const other = arrays.output(n);
    const bool good = normalize_columns<T>({s, y, mean, variance, x, gamma, beta, 1e-3}) &&
                      normalize_columns_gradient<T>({s, dx, dgamma, dbeta, dy, x, mean, variance, gamma, 1e-3});
    if (s.outer != 1 || s.groups != s.inner) return good;
    return good && normalize_columns_with<T>({s, other, mean, variance, x, gamma, beta, 1e-3});
  });
}

template <class T> void check_attention(AttentionShape s, bool has_mask) {
  const size_t units = s.batch * s.heads, shared = s.batch * s.shared_heads;
  s.q = {s.heads * s.queries * s.depth, s.queries * s.depth, s.depth};
  s.k = {s.shared_heads * s.keys * s.depth, s.keys * s.depth, s.depth};
  s.v = {s.shared_heads * s.keys * s.value_depth, s.keys * s.value_depth, s.value_depth};
  s.y = {s.heads * s.queries * s.value_depth, s.queries * s.value_depth, s.value_depth};
  s.scale = 0.3;
  check<T>("attention of " + std::to_string(s.queries) + " x " + std::to_string(s.keys), [=](Arrays<T>& arrays) {
    AttentionShape shape = s;
    T *const q = arrays.input(units * s.queries * s.depth), *const k = arrays.input(shared * s.keys * s.depth);
    T *const v = arrays.input(shared * s.keys * s.value_depth), *const dy =
                                                                    arrays.input(units * s.queries * s.value_depth);
    if (has_mask) shape.mask = {arrays.input(s.queries * s.keys), false, {0, 0, s.keys}, 1};
    T *const y = arrays.output(units * s.queries * s.value_depth), *const saved = arrays.output(2 * units * s.queries);
    T* const dq = arrays.output(units * s.queries * s.depth);
    T *const dk = arrays.output(shared * s.keys * s.depth), *const dv = arrays.output(shared * s.keys * s.value_depth);
    return attention(shape, y, saved, q, k, v) && attention_gradient(shape, dq, dk, dv, dy, y, saved, q, k, v);
  });
}

template <class T> void check_recurrent(RecurrentShape s, const std::vector<size_t>& lengths) {
  check<T>("recurrent layer of " + std::to_string(s.units), [=](Arrays<T>& arrays) {
    RecurrentShape shape = s;
    shape.lengths = lengths.empty() ? nullptr : lengths.data();
    const size_t rows = s.time * s.batch, wide = s.gates() * s.units, states = s.batch * s.units;
    T *const x = arrays.input(rows * s.inputs), *const kernel = arrays.input(s.inputs * wide);
    T *const recurrent_kernel = arrays.input(s.units * wide), *const bias = arrays.input(wide);
    T *const other_bias = s.reset_after ? arrays.input(wide) : nullptr, *const first = arrays.input(2 * states);
    T *const dy = arrays.input(rows * s.units), *const dlast = arrays.input(s.states() * states);
    T *const y = arrays.output(rows * s.units), *const state = arrays.output(s.states() * states);
    T *const dx = arrays.output(rows * s.inputs), *const dkernel = arrays.output(s.inputs * wide);
    T *const drecurrent = arrays.output(s.units * wide), *const dbias = arrays.output(wide);
    T *const dother = arrays.output(wide), *const dstate = arrays.output(s.states() * states);
    Guarded<T> saved(saved_elements(s));
    return recurrent<T>(
               shape, {y, state, saved.data(), x, kernel, recurrent_kernel, bias, other_bias, first, first + states}) &&
           recurrent_gradient<T>(shape, {dx, dkernel, drecurrent, dbias, dother, dstate, dy, dlast, saved.data(),
                                         kernel, recurrent_kernel});
  });
}

template <class T> void check_all() {
  for (const auto& [rows, columns] : {std::pair<size_t, size_t>{1, 1}, {3, 15}, {70, 33}, {33, 300}, {2, 5000}}) {
    check_rows<T>(rows, columns);
  }
  for (const ColumnShape& s : {ColumnShape{1, 1, 1, 1},
                               {1, 100, 3, 3},
                               {1, 20'000, 5, 5},
                               {1, 600, 100, 100},
                               {3, 7, 12, 4},
                               {2, 900, 66, 2},
                               {2, 5, 16, 16}}) {
    check_columns<T>(s);
  }
  for (const bool is_causal : {false, true}) {
    AttentionShape s = {};
    s.is_causal = is_causal;
    s.batch = 2, s.heads = 2, s.shared_heads = 1, s.queries = 51, s.keys = 140, s.depth = 17, s.value_depth = 35;
    check_attention<T>(s, !is_causal);
    s.batch = 1, s.heads = s.shared_heads = 1, s.queries = 3, s.keys = 5, s.depth = s.value_depth = 4;
    check_attention<T>(s, is_causal);
  }
  for (const Cell cell : {Cell::lstm, Cell::gru}) {
    for (const bool reset_after : {false, true}) {
      if (cell == Cell::lstm && reset_after) continue;
      RecurrentShape s = {};
      s.cell = cell, s.reset_after = reset_after, s.order = {0, 1, 2, 3}, s.forget_bias = 1;
      s.time = 3, s.batch = 9, s.inputs = 5, s.units = 18;
      check_recurrent<T>(s, {});
      s.time = 2, s.batch = 2, s.inputs = 1, s.units = 33, s.is_time_major = true;
      check_recurrent<T>(s, {1, 0});
    }
  }
}

}  // namespace

int main() {
  check_all<float>();
  check_all<double>();
  return report();
}
