#include "normalization.h"

#include "../normalization.h"
#include "../tasks.h"

namespace gradstep {
namespace {

constexpr size_t kRowNorms = 3;  // of RowNorm, in two bits

bool rows_fit(const Task& task, const TaskRoom& room) {
  const size_t rows = task.sizes[0], columns = task.sizes[1];
  const Product all = Product(rows) * columns;
  return task.option < 16 && task.option % 4 < kRowNorms && room.has(0, all) && room.has(1, rows) &&
         room.has(2, rows) && room.has(3, all) && (!(task.option & 4) || room.has(4, columns)) &&
         (!(task.option & 8) || room.has(5, columns));
}

bool rows_gradient_fits(const Task& task, const TaskRoom& room) {
  const size_t rows = task.sizes[0], columns = task.sizes[1];
  const Product all = Product(rows) * columns;
  return task.option < 32 && task.option % 4 < kRowNorms && room.has(0, all) &&
         (!(task.option & 8) || room.has(1, columns)) && (!(task.option & 16) || room.has(2, columns)) &&
         room.has(3, all) && room.has(4, all) && room.has(5, rows) && room.has(6, rows) &&
         (!(task.option & 4) || room.has(7, columns));
}

// Groups divide the inner columns; there may be many of these without any element.
bool shape_fits(const size_t* sizes) {
  const size_t inner = sizes[2], groups = sizes[3];
  return (groups == 0 ? inner == 0 : inner % groups == 0) && (Product(sizes[0]) * inner).at_most(size_t(1) << 40);
}

Product elements(const size_t* sizes) { return Product(sizes[0]) * sizes[1] * sizes[2]; }

bool columns_fit(const Task& task, const TaskRoom& room) {
  const Product all = elements(task.sizes), means = Product(task.sizes[0]) * task.sizes[3];
  const size_t inner = task.sizes[2];
  return task.option < 4 && shape_fits(task.sizes) && room.has(0, all) && room.has(1, means) && room.has(2, means) &&
         room.has(3, all) && (!(task.option & 1) || room.has(4, inner)) && (!(task.option & 2) || room.has(5, inner));
}

bool columns_gradient_fits(const Task& task, const TaskRoom& room) {
  const Product all = elements(task.sizes), means = Product(task.sizes[0]) * task.sizes[3];
  const size_t inner = task.sizes[2];
  return task.option < 8 && shape_fits(task.sizes) && room.has(0, all) && (!(task.option & 2) || room.has(1, inner)) &&
         (!(task.option & 4) || room.has(2, inner)) && room.has(3, all) && room.has(4, all) && room.has(5, means) &&
         room.has(6, means) && (!(task.option & 1) || room.has(7, inner));
}

bool columns_with_fit(const Task& task, const TaskRoom& room) {
  const size_t inner = task.sizes[1];
  const Product all = Product(task.sizes[0]) * inner;
  return task.option < 4 && room.has(0, all) && room.has(1, all) && room.has(2, inner) && room.has(3, inner) &&
         (!(task.option & 1) || room.has(4, inner)) && (!(task.option & 2) || room.has(5, inner));
}

ColumnShape shape_of(const size_t* sizes) { return {sizes[0], sizes[1], sizes[2], sizes[3]}; }

}  // namespace

bool normalization_fits(const Task& task, const TaskRoom& room, const size_t*) {
  if (task.count != 0) return false;
  switch (task.kind) {
    case TaskKind::normalizeRows: return rows_fit(task, room);
    case TaskKind::normalizeRowsGradient: return rows_gradient_fits(task, room);
    case TaskKind::normalizeColumns: return columns_fit(task, room);
    case TaskKind::normalizeColumnsGradient: return columns_gradient_fits(task, room);
    case TaskKind::normalizeColumnsWith: return columns_with_fit(task, room);
    default: return false;
  }
}

template <class T> TaskStatus run_normalization(const Task& task, const TaskContext& context, const size_t*) {
  const auto array = [&](size_t i) { return context.at<T>(task.arrays[i]); };
  const auto array_if = [&](size_t bit, size_t i) { return task.option & bit ? array(i) : nullptr; };
  const size_t* const sizes = task.sizes;
  bool good = true;
  switch (task.kind) {
    case TaskKind::normalizeRows:
      normalize_rows<T>({array(0), array(1), array(2), array(3), array_if(4, 4), array_if(8, 5), sizes[1],
                         task.numbers[0], static_cast<RowNorm>(task.option % 4)},
                        sizes[0]);
      break;
    case TaskKind::normalizeRowsGradient:
      good = normalize_rows_gradient<T>({array(0), nullptr, nullptr, array(3), array(4), array(5), array(6),
                                         array_if(4, 7), sizes[1], static_cast<RowNorm>(task.option % 4)},
                                        array_if(8, 1), array_if(16, 2), sizes[0]);
      break;
    case TaskKind::normalizeColumns:
      good = normalize_columns<T>(
          {shape_of(sizes), array(0), array(1), array(2), array(3), array_if(1, 4), array_if(2, 5), task.numbers[0]});
      break;
    case TaskKind::normalizeColumnsGradient:
      good = normalize_columns_gradient<T>({shape_of(sizes), array(0), array_if(2, 1), array_if(4, 2), array(3),
                                            array(4), array(5), array(6), array_if(1, 7), task.numbers[0]});
      break;
    case TaskKind::normalizeColumnsWith:
      good = normalize_columns_with<T>({{1, sizes[0], sizes[1], sizes[1]},
                                        array(0),
                                        array(2),
                                        array(3),
                                        array(1),
                                        array_if(1, 4),
                                        array_if(2, 5),
                                        task.numbers[0]});
      break;
    default: break;
  }
  return good ? TaskStatus::done : TaskStatus::no_memory;
}

template TaskStatus run_normalization<float>(const Task&, const TaskContext&, const size_t*);
template TaskStatus run_normalization<double>(const Task&, const TaskContext&, const size_t*);

}  // namespace gradstep
