// What becomes of gradients between the way back and the update: they are unscaled, gathered over repetitions, clipped
// and looked at. As in JavaScript a gradient is its values times a factor, and most of this changes only the factor.
#pragma once
#include "../kernels/formats.h"
#include "../runtime/buffer.h"
#include "norm.h"
#include "row_sums.h"
#include "tasks.h"

namespace gradstep {

enum class Clip : uint8_t { none, global_norm, value, norm, average_norm };
constexpr size_t kClipCount = 5;

// What a program says about a gradient.
struct ProgramGradient {
  static constexpr size_t kDense = SIZE_MAX;

  Format format;
  Operand values;  // [count]
  size_t count;
  size_t list = kDense, list_length = 0;  // the rows that a sparse one has
  size_t rows = 0, row_elements = 0;      // of the whole variable
  bool has_whole = false;
  Operand whole = {};    // where one is summed or made dense: [rows, row_elements], or the rows that there can be
  Operand sorted = {};   // of a sparse one that is summed: its rows in their order
  size_t most_rows = 0;  // how many of them there is room for

  bool is_dense() const { return list == kDense; }
};

// The same in a run.
struct GradientNow {
  void* values;
  size_t count;
  double factor;
  const int32_t* rows;  // nullptr: it is dense
  size_t row_count;
};

class GradientTail {
 public:
  Buffer<ProgramGradient> gradients;
  bool accumulates = false, checks_finite = false, has_step = false;
  Clip clip = Clip::none;
  double clip_norm = 0;

  // Takes all memory.
  [[nodiscard]] bool reserve();

  const GradientNow& now(size_t i) const { return now_[i]; }
  // When it has become another elsewhere.
  void put(size_t i, const GradientNow& now) { now_[i] = now; }
  void times(size_t i, double factor);

  // A gradient of one repetition, in its place; then, if need be, added to those of the others.
  void take(size_t i, const TaskContext& context, double unscale);
  void accumulate(size_t i, const TaskContext& context, bool is_first);
  // After the last repetition: their mean.
  void finish(size_t i, const TaskContext& context, size_t repetitions);

  // Clips them; `norm` is the global one. False when there is no memory.
  [[nodiscard]] bool clip_all(const TaskContext& context, double& norm);
  [[nodiscard]] bool all_finite(bool& finite);

 private:
  template <class T> bool sum_of_squares_of(size_t from, size_t to, double& sum);
  bool norm_of(size_t from, size_t to, double& norm);
  void make_dense(size_t i, const TaskContext& context);
  void add_rows(size_t i, const TaskContext& context, bool is_first);
  template <class T> bool all_finite_of(bool& finite);

  Buffer<GradientNow> now_;
  Buffer<RowSums> row_sums_;  // of each gradient, in this memory
  Buffer<int32_t> positions_, order_, at_;
  Buffer<Values<float>> f32_;
  Buffer<Values<double>> f64_;
};

}  // namespace gradstep
