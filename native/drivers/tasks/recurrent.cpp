#include "recurrent.h"

#include "../recurrent.h"
#include "../tasks.h"

namespace gradstep {
namespace {

enum : size_t { kGru = 1, kOther = 2, kTimeMajor = 4 };

RecurrentShape shape_of(const Task& task, const size_t* items) {
  RecurrentShape s = {};
  s.cell = task.option & kGru ? Cell::gru : Cell::lstm;
  s.time = task.sizes[0], s.batch = task.sizes[1], s.inputs = task.sizes[2], s.units = task.sizes[3];
  s.is_time_major = task.option & kTimeMajor;
  s.reset_after = task.option & kOther;
  s.order = task.option & kOther ? LstmOrder{0, 2, 1, 3} : LstmOrder{0, 1, 2, 3};
  s.forget_bias = task.numbers[0];
  s.lengths = task.count == 0 ? nullptr : items;
  return s;
}

}  // namespace

bool recurrent_fits(const Task& task, const TaskRoom& room, const size_t* items) {
  const RecurrentShape s = shape_of(task, items);
  const bool is_gradient = task.kind == TaskKind::recurrentGradient;
  if (s.units == 0 || task.option >= (is_gradient ? 64 : 128) || (task.count != 0 && task.count != s.batch))
    return false;
  const Product rows = Product(s.time) * s.batch, states = Product(s.batch) * s.units;
  const Product wide = Product(s.gates()) * s.units, last = states * s.states();
  const Product saved = rows * (Product(s.inputs) + wide) + Product(2) * (Product(s.time) + 1) * states;
  const auto has_if = [&](size_t bit, size_t i, const Product& count) {
    return !(task.option & bit) || room.has(i, count);
  };
  if (!is_gradient) {
    return room.has(0, rows * s.units) && room.has(1, last) && room.has(2, saved) && room.has(3, rows * s.inputs) &&
           room.has(4, wide * s.inputs) && room.has(5, wide * s.units) && has_if(8, 6, wide) && has_if(16, 7, wide) &&
           has_if(32, 8, states) && has_if(64, 9, states);
  }
  return room.has(0, rows * s.inputs) && room.has(1, wide * s.inputs) && room.has(2, wide * s.units) &&
         has_if(8, 3, wide) && has_if(16, 4, wide) && room.has(5, last) && room.has(6, rows * s.units) &&
         has_if(32, 7, last) && room.has(8, saved) && room.has(9, wide * s.inputs) && room.has(10, wide * s.units);
}

template <class T> TaskStatus run_recurrent(const Task& task, const TaskContext& context, const size_t* items) {
  const auto array = [&](size_t i) { return context.at<T>(task.arrays[i]); };
  const auto array_if = [&](size_t bit, size_t i) { return task.option & bit ? array(i) : nullptr; };
  const RecurrentShape s = shape_of(task, items);
  const bool good =
      task.kind == TaskKind::recurrent
          ? recurrent<T>(s, {array(0), array(1), array(2), array(3), array(4), array(5), array_if(8, 6),
                             array_if(16, 7), array_if(32, 8), array_if(64, 9)})
          : recurrent_gradient<T>(s, {array(0), array(1), array(2), array_if(8, 3), array_if(16, 4), array(5), array(6),
                                      array_if(32, 7), array(8), array(9), array(10)});
  return good ? TaskStatus::done : TaskStatus::no_memory;
}

template TaskStatus run_recurrent<float>(const Task&, const TaskContext&, const size_t*);
template TaskStatus run_recurrent<double>(const Task&, const TaskContext&, const size_t*);

}  // namespace gradstep
