#include "program_gradients.h"

#include <math.h>
#include <string.h>

#include <algorithm>

#include "../runtime/dispatch.h"
#include "elementwise.h"
#include "rows.h"

namespace gradstep {
namespace {

template <class F> void with_type(Format format, F f) {
  switch (format) {
    case Format::float32: return f(float());
    case Format::float64: return f(double());
  }
}

// As lib/clip/together.ts has it, bit for bit.
double global_factor(double norm, double size, double clip_norm) {
  if (isnan(norm)) return norm;
  const double inverse = std::min(size / norm, 1 / clip_norm);
  const bool clips = size / norm <= 1 / clip_norm;
  return clips && inverse != 1 / clip_norm ? clip_norm * size / norm : 1;
}

// As lib/tensor/tensor.ts has it (timesFactor): values are multiplied only where the factor would leave the range.
void multiply(GradientNow& gradient, Format format, double by) {
  const double product = gradient.factor * by;
  gradient.factor = product;
  if (format != Format::float32) return;
  const float held = static_cast<float>(product);
  const bool is_lossy = product != 0 && isfinite(product) && (fabsf(held) < 0x1p-126f || !isfinite(held));
  gradient.factor = static_cast<double>(held);
  if (!is_lossy) return;
  float* const values = static_cast<float*>(gradient.values);
  for (size_t i = 0; i < gradient.count; ++i) {
    values[i] = static_cast<float>(static_cast<double>(values[i]) * product);
  }
  gradient.factor = 1;
}

}  // namespace

bool GradientTail::reserve() {
  const size_t count = gradients.size();
  size_t positions = 0, rows = 0, most = 0;
  for (const ProgramGradient& gradient : gradients) {
    if (!accumulates || gradient.is_dense()) continue;
    positions += gradient.rows;
    rows += gradient.most_rows;
    most = std::max(most, gradient.list_length);
  }
  if (!now_.resize(count) || !row_sums_.resize(count) || !f32_.reserve(count) || !f64_.reserve(count)) return false;
  // One row more than needed: what has none is still one of rows.
  if (!positions_.resize(positions) || !order_.resize(rows + 1) || !at_.resize(std::max(most, rows))) return false;
  std::fill(positions_.begin(), positions_.end(), -1);
  int32_t *next_position = positions_.data(), *next_row = order_.data();
  for (size_t i = 0; i < count; ++i) {
    row_sums_[i] = {next_position, next_row, at_.data(), 0};
    if (!accumulates || gradients[i].is_dense()) continue;
    next_position += gradients[i].rows;
    next_row += gradients[i].most_rows;
  }
  return true;
}

void GradientTail::times(size_t i, double factor) { multiply(now_[i], gradients[i].format, factor); }

void GradientTail::take(size_t i, const TaskContext& context, double unscale) {
  const ProgramGradient& gradient = gradients[i];
  const bool is_dense = gradient.is_dense();
  now_[i] = {context.at<char>(gradient.values), gradient.count, 1, is_dense ? nullptr : context.indices[gradient.list],
             is_dense ? 0 : gradient.list_length};
  if (unscale != 1) times(i, unscale);
}

void GradientTail::accumulate(size_t i, const TaskContext& context, bool is_first) {
  const ProgramGradient& gradient = gradients[i];
  const GradientNow& now = now_[i];
  if (now.rows != nullptr) return add_rows(i, context, is_first);
  with_type(gradient.format, [&](auto t) {
    using T = decltype(t);
    T* const sum = context.at<T>(gradient.whole);
    const T* const values = static_cast<const T*>(now.values);
    if (is_first) scale(sum, values, now.factor, now.count);
    else add_scaled(sum, values, now.factor, now.count);
  });
}

void GradientTail::add_rows(size_t i, const TaskContext& context, bool is_first) {
  const ProgramGradient& gradient = gradients[i];
  const GradientNow& now = now_[i];
  if (is_first) row_sums_[i].clear();  // also after a run that was broken off
  with_type(gradient.format, [&](auto t) {
    using T = decltype(t);
    T* const sums = context.at<T>(gradient.whole);
    const size_t columns = gradient.row_elements;
    if (is_first) memset(sums, 0, gradient.most_rows * columns * sizeof(T));
    row_sums_[i].add(sums, static_cast<const T*>(now.values), now.rows, now.row_count, columns, now.factor);
  });
}

void GradientTail::finish(size_t i, const TaskContext& context, size_t repetitions) {
  const ProgramGradient& gradient = gradients[i];
  if (gradient.is_dense()) {
    now_[i] = {context.at<char>(gradient.whole), gradient.count, 1, nullptr, 0};
  } else {
    RowSums& rows = row_sums_[i];
    size_t count = 0;
    with_type(gradient.format, [&](auto t) {
      using T = decltype(t);
      count = rows.take(context.at<T>(gradient.sorted), context.at<const T>(gradient.whole), gradient.row_elements);
    });
    now_[i] = {context.at<char>(gradient.sorted), count * gradient.row_elements, 1, rows.order, count};
  }
  times(i, 1 / static_cast<double>(repetitions));
}

template <class T> bool GradientTail::sum_of_squares_of(size_t from, size_t to, double& sum) {
  Buffer<Values<T>>* values;
  if constexpr (sizeof(T) == sizeof(float)) values = &f32_;
  else values = &f64_;
  values->clear();
  for (size_t i = from; i < to; ++i) {
    if (gradients[i].format != FormatOf<T>::kFormat) continue;
    values->add_reserved({static_cast<const T*>(now_[i].values), now_[i].count, now_[i].factor});
  }
  sum = 0;
  return values->empty() || sum_of_squares(values->data(), values->size(), sum);
}

bool GradientTail::norm_of(size_t from, size_t to, double& norm) {
  double f32 = 0, f64 = 0;
  if (!sum_of_squares_of<float>(from, to, f32) || !sum_of_squares_of<double>(from, to, f64)) return false;
  norm = sqrt(f32 + f64);
  return true;
}

void GradientTail::make_dense(size_t i, const TaskContext& context) {
  const ProgramGradient& gradient = gradients[i];
  GradientNow& now = now_[i];
  const size_t count = gradient.rows * gradient.row_elements;
  with_type(gradient.format, [&](auto t) {
    using T = decltype(t);
    T* const whole = context.at<T>(gradient.whole);  // sums of rows have left it
    memset(whole, 0, count * sizeof(T));
    scatter_add(whole, static_cast<const T*>(now.values), now.rows, now.row_count, gradient.row_elements, now.factor);
    now = {whole, count, 1, nullptr, 0};
  });
}

bool GradientTail::clip_all(const TaskContext& context, double& norm) {
  norm = NAN;
  const size_t count = gradients.size();
  if (clip == Clip::none) return true;
  if (clip == Clip::global_norm) {
    if (!norm_of(0, count, norm)) return false;
    const double factor = isfinite(norm) ? global_factor(norm, 1, clip_norm) : static_cast<double>(NAN);
    for (size_t i = 0; i < count; ++i) times(i, factor);
    return true;
  }
  for (size_t i = 0; i < count; ++i) {
    GradientNow& now = now_[i];
    if (clip == Clip::value) {
      with_type(gradients[i].format, [&](auto t) {
        using T = decltype(t);
        T* const values = static_cast<T*>(now.values);
        if (now.factor != 1) scale(values, values, now.factor, now.count);
        clip_by_value(values, values, static_cast<T>(-clip_norm), static_cast<T>(clip_norm), now.count);
      });
      now.factor = 1;
      continue;
    }
    if (clip == Clip::average_norm && now.rows != nullptr) make_dense(i, context);
    double own = 0;
    if (!norm_of(i, i + 1, own)) return false;
    if (clip == Clip::average_norm) times(i, global_factor(own, static_cast<double>(now.count), clip_norm));
    else times(i, isnan(own) ? own : clip_norm / std::max(own, clip_norm));
  }
  return true;
}

// As lib/wrappers/loss-scale.ts looks at them: a sum of squares within bounds has no term that is not finite, and only
// where it is out of bounds are the elements looked at one by one.
template <class T> bool GradientTail::all_finite_of(bool& finite) {
  const double bound = sizeof(T) == sizeof(float) ? (2 - 0x1p-23) * (2 - 0x1p-23) * 0x1p254 : 0x1.fffffffffffffp1023;
  double sum = 0;
  if (!sum_of_squares_of<T>(0, gradients.size(), sum)) return false;
  if (sum <= bound) return true;
  const Kernels<T>& table = of<T>(kernels());
  constexpr size_t kStretch = 1024;
  T products[kStretch];
  for (size_t i = 0; i < gradients.size(); ++i) {
    if (gradients[i].format != FormatOf<T>::kFormat) continue;
    const GradientNow& now = now_[i];
    const T* const values = static_cast<const T*>(now.values);
    for (size_t begin = 0; begin < now.count && finite; begin += kStretch) {
      const size_t n = std::min(kStretch, now.count - begin);
      if (now.factor == 1) {
        finite = table.all_finite(values + begin, n);
      } else {
        table.scale(products, values + begin, now.factor, n);
        finite = table.all_finite(products, n);
      }
    }
  }
  return true;
}

bool GradientTail::all_finite(bool& finite) {
  finite = true;
  return all_finite_of<float>(finite) && all_finite_of<double>(finite);
}

}  // namespace gradstep
