#include "lines.h"

#include "../lines.h"
#include "../tasks.h"

namespace gradstep {
namespace {

constexpr size_t kMostElements = PTRDIFF_MAX / 16;

Scan scan_of(const Task& task) { return {(task.option & 1) != 0, (task.option & 2) != 0, (task.option & 4) != 0}; }

}  // namespace

bool line_fits(const Task& task, const TaskRoom& room, const size_t*) {
  const Product outer = task.sizes[0], n = task.sizes[1], inner = task.sizes[2];
  const Product results = outer * inner, all = results * n;
  if (task.count != 0 || !all.at_most(kMostElements) || !(outer * inner).at_most(kMostElements)) return false;
  switch (task.kind) {
    case TaskKind::extreme: return task.option <= 1 && room.has(0, results) && room.has(1, all);
    case TaskKind::extremeAt:
      return task.option <= 1 && task.sizes[1] > 0 && task.sizes[1] <= INT32_MAX && room.has(0, results, 4) &&
             room.has(1, all);
    case TaskKind::logical: return task.option <= 1 && room.has(0, results, 1) && room.has(1, all, 1);
    case TaskKind::product: return task.option == 0 && room.has(0, results) && room.has(1, all);
    case TaskKind::productGradient:
      return task.option == 0 && room.has(0, all) && room.has(1, all) && room.has(2, results);
    case TaskKind::scan: return task.option < 8 && room.has(0, all) && room.has(1, all);
    case TaskKind::scanProductGradient:
      return task.option < 8 && room.has(0, all) && room.has(1, all) && room.has(2, all);
    case TaskKind::sort: {
      const size_t columns = task.sizes[1], k = task.sizes[2];
      return task.option <= 1 && k <= columns && columns <= INT32_MAX && room.has(0, results) &&
             room.has(1, results, 4) && room.has(2, outer * n);
    }
    default: return false;
  }
}

template <class T> TaskStatus run_line(const Task& task, const TaskContext& context, const size_t*) {
  const Lines lines = {task.sizes[0], task.sizes[1], task.sizes[2]};
  const auto array = [&](size_t i) { return context.at<T>(task.arrays[i]); };
  bool found_memory = true;
  switch (task.kind) {
    case TaskKind::extreme: found_memory = extreme(lines, array(0), array(1), task.option == 1); break;
    case TaskKind::extremeAt: extreme_at(lines, context.at<int32_t>(task.arrays[0]), array(1), task.option == 1); break;
    case TaskKind::logical:
      logical(lines, context.at<uint8_t>(task.arrays[0]), context.at<uint8_t>(task.arrays[1]), task.option == 1);
      break;
    case TaskKind::product: product(lines, array(0), array(1)); break;
    case TaskKind::productGradient: product_gradient(lines, array(0), array(1), array(2)); break;
    case TaskKind::scan: scan(lines, array(0), array(1), scan_of(task)); break;
    case TaskKind::scanProductGradient:
      scan_product_gradient(lines, array(0), array(1), array(2), scan_of(task));
      break;
    case TaskKind::sort:
      found_memory = sort(array(0), context.at<int32_t>(task.arrays[1]), array(2), lines.outer, lines.n, lines.inner,
                          task.option == 1);
      break;
    default: break;
  }
  return found_memory ? TaskStatus::done : TaskStatus::no_memory;
}

template TaskStatus run_line<float>(const Task&, const TaskContext&, const size_t*);
template TaskStatus run_line<double>(const Task&, const TaskContext&, const size_t*);

}  // namespace gradstep
