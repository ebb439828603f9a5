#include "convolution.h"

#include "../convolution.h"
#include "../pools.h"
#include "../tasks.h"

namespace gradstep {
namespace {

constexpr size_t kItems = 16;

Convolution convolution_of(const size_t* items) {
  const auto axis = [](const size_t* i) { return ConvolutionAxis{i[0], i[1], i[2], i[3], i[4], i[5]}; };
  return {items[0], items[1], items[2], items[3], axis(items + 4), axis(items + 10)};
}

// Whether no position overflows, be it of an element; `line` has the elements of a pixel, or of a row of them.
bool axis_fits(const ConvolutionAxis& axis, const Product& line) {
  const Product reach = Product(axis.outputs) * axis.stride + Product(axis.window) * axis.dilation + axis.size +
                        axis.padding + axis.stride;
  return axis.stride > 0 && axis.dilation > 0 && (reach * line).at_most(SIZE_MAX / 4);
}

bool is_pool(TaskKind kind) { return kind == TaskKind::pool || kind == TaskKind::poolGradient; }

// Whether every window sees something of the image, and lies within reach.
bool pool_axis_fits(const ConvolutionAxis& axis) {
  if (axis.outputs == 0) return true;
  const size_t last = (axis.outputs - 1) * axis.stride;  // where the last one begins, counted from the first zero
  return axis.padding < axis.window && axis.dilation == 1 && axis.size > 0 && last < axis.padding + axis.size;
}

}  // namespace

bool convolution_fits(const Task& task, const TaskRoom& room, const size_t* items) {
  if (task.count != kItems) return false;
  const Convolution c = convolution_of(items);
  if (c.groups == 0 || c.channels % c.groups != 0 || c.outputs % c.groups != 0) return false;
  const Product pixel = Product(c.channels) + c.outputs + 1;
  if (!axis_fits(c.across, pixel) || !axis_fits(c.down, 1)) return false;
  const Product x = Product(c.images) * c.down.size * c.across.size * c.channels;
  const Product y = Product(c.images) * c.down.outputs * c.across.outputs * c.outputs;
  const Product filter = Product(c.down.window) * c.across.window * (c.channels / c.groups) * c.outputs;
  const bool is_plain = task.option == 0, is_depthwise = c.groups == c.channels && c.outputs == c.channels;
  if (is_pool(task.kind) && (!pool_axis_fits(c.down) || !pool_axis_fits(c.across))) return false;
  switch (task.kind) {
    case TaskKind::conv2d:
      return task.option < 4 && room.has(0, y) && room.has(1, x) && room.has(2, filter) &&
             (!(task.option & 1) || room.has(3, c.outputs));
    case TaskKind::conv2dInputGradient: return is_plain && room.has(0, x) && room.has(1, y) && room.has(2, filter);
    case TaskKind::conv2dFilterGradient: return is_plain && room.has(0, filter) && room.has(1, x) && room.has(2, y);
    case TaskKind::pool: return task.option < 2 && c.outputs == c.channels && room.has(0, y) && room.has(1, x);
    case TaskKind::poolGradient:
      return task.option < 3 && c.outputs == c.channels && room.has(0, x) && room.has(1, y) &&
             (task.option == 1 || (room.has(2, x) && room.has(3, y)));
    case TaskKind::depthwise:
      return is_plain && is_depthwise && room.has(0, y) && room.has(1, x) && room.has(2, filter);
    case TaskKind::depthwiseInputGradient:
      return is_plain && is_depthwise && room.has(0, x) && room.has(1, y) && room.has(2, filter);
    case TaskKind::depthwiseFilterGradient:
      return is_plain && is_depthwise && room.has(0, filter) && room.has(1, x) && room.has(2, y);
    default: return false;
  }
}

template <class T> TaskStatus run_convolution(const Task& task, const TaskContext& context, const size_t* items) {
  const Convolution c = convolution_of(items);
  const auto at = [&](size_t i) { return context.at<T>(task.arrays[i]); };
  const PoolKind kind = static_cast<PoolKind>(task.option);
  bool found_memory = true;
  switch (task.kind) {
    case TaskKind::conv2d:
      found_memory = conv2d<T>(at(0), at(1), at(2), task.option & 1 ? at(3) : nullptr, task.option & 2, c);
      break;
    case TaskKind::conv2dInputGradient: found_memory = conv2d_input_gradient<T>(at(0), at(1), at(2), c); break;
    case TaskKind::conv2dFilterGradient: found_memory = conv2d_filter_gradient<T>(at(0), at(1), at(2), c); break;
    case TaskKind::pool: pool<T>(kind, at(0), at(1), c); break;
    case TaskKind::poolGradient: pool_gradient<T>(kind, at(0), at(1), at(2), at(3), c); break;
    case TaskKind::depthwise: depthwise<T>(at(0), at(1), at(2), c); break;
    case TaskKind::depthwiseInputGradient: depthwise_input_gradient<T>(at(0), at(1), at(2), c); break;
    case TaskKind::depthwiseFilterGradient: found_memory = depthwise_filter_gradient<T>(at(0), at(1), at(2), c); break;
    default: break;
  }
  return found_memory ? TaskStatus::done : TaskStatus::no_memory;
}

template TaskStatus run_convolution<float>(const Task&, const TaskContext&, const size_t*);
template TaskStatus run_convolution<double>(const Task&, const TaskContext&, const size_t*);

}  // namespace gradstep
