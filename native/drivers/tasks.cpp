#include "tasks.h"

#include <string.h>

#include <algorithm>

#include "../runtime/dispatch.h"
#include "../runtime/pool.h"
#include "blocks.h"
#include "gemm.h"
#include "norm.h"
#include "random.h"
#include "rows.h"

namespace gradstep {
namespace {

template <class T> bool sum_squares(const Task& task, const TaskContext& context) {
  const Values<T> values = {context.at<const T>(task.arrays[1]), task.sizes[0], 1.0};
  double sum = 0;
  if (!sum_of_squares(&values, 1, sum)) return false;
  *context.at<T>(task.arrays[0]) = static_cast<T>(sum * task.numbers[0]);
  return true;
}

// The elements [begin, begin + n) of an element-wise task.
template <class T> void run_part(const Task& task, const TaskContext& context, size_t begin, size_t n) {
  const Kernels<T>& table = of<T>(kernels());
  T* const out = context.at<T>(task.arrays[0]) + begin;
  const T* const x = context.at<const T>(task.arrays[1]);
  switch (task.kind) {
    case TaskKind::fill: return std::fill(out, out + n, static_cast<T>(task.numbers[0]));
    case TaskKind::repeat: return std::fill(out, out + n, *x);
    case TaskKind::copy: memcpy(out, x + begin, n * sizeof(T)); return;
    case TaskKind::unary: return table.unary[task.option](out, x + begin, n);
    case TaskKind::binary: {
      const Operands operands = static_cast<Operands>(task.count);
      const T* const y = context.at<const T>(task.arrays[2]);
      return table.binary[task.option](out, operands == Operands::scalar_a ? x : x + begin,
                                       operands == Operands::scalar_b ? y : y + begin, operands, n);
    }
    case TaskKind::addN:
      for (size_t t = 0; t < task.count; ++t) {
        const T* const term = context.at<const T>(context.lists->terms[task.list + t]) + begin;
        if (t == 0) table.scale(out, term, 1.0, n);
        else table.add_scaled(out, term, 1.0, n);
      }
      return;
    case TaskKind::addScaled: return table.add_scaled(out, x + begin, task.numbers[0], n);
    case TaskKind::scale: return table.scale(out, x + begin, task.numbers[0], n);
    case TaskKind::clipByValue:
      return table.clip_by_value(out, x + begin, static_cast<T>(task.numbers[0]), static_cast<T>(task.numbers[1]), n);
    default: return;
  }
}

template <class T> void run_parts(const Task* tasks, size_t count, const TaskContext& context) {
  // 8 KiB of floats: what a chain reads and writes stays in the first cache, and a call is nothing beside it.
  constexpr size_t kStretch = 2048;
  const size_t elements = tasks[0].sizes[0];
  const auto run = [&](size_t begin, size_t end, size_t stretch) {
    for (; begin < end; begin += stretch) {
      for (size_t i = 0; i < count; ++i) run_part<T>(tasks[i], context, begin, std::min(stretch, end - begin));
    }
  };
  const size_t stretch = count == 1 ? kBlockElements : kStretch;
  if (elements < 2 * kBlockElements) return run(0, elements, count == 1 ? std::max<size_t>(elements, 1) : stretch);
  parallel_for(blocks_of(elements), [&](size_t block) {
    const size_t begin = block * kBlockElements;
    run(begin, std::min(elements, begin + kBlockElements), stretch);
  });
}

#define GRADSTEP_CASE(name, ...) case TaskKind::name:

// False when there is no memory.
template <class T> bool run_single(const Task& task, const TaskContext& context) {
  const auto array = [&](size_t i) { return context.at<T>(task.arrays[i]); };
  const auto indices = [&] { return context.indices[task.list]; };
  const auto draw = [&]() -> const Draw& { return context.draws[task.list]; };
  const size_t* const sizes = task.sizes;
  if (is_elementwise(task)) return run_parts<T>(&task, 1, context), true;
  switch (task.kind) {
    case TaskKind::binaryBroadcast:
      return binary(task.option, array(0), array(1), array(2), context.lists->broadcasts[task.list]), true;
    case TaskKind::permute: {
      const size_t* const layout = context.lists->layouts.data() + task.list;
      return permute(array(0), array(1), task.count, layout, layout + task.count), true;
    }
    case TaskKind::sum: return sum(array(0), array(1), sizes[0], sizes[1], sizes[2], task.numbers[0]);
    case TaskKind::softmax: return softmax(array(0), array(1), sizes[0], sizes[1]), true;
    case TaskKind::logSoftmax: return log_softmax(array(0), array(1), sizes[0], sizes[1]), true;
    case TaskKind::softmaxGradient: return softmax_gradient(array(0), array(1), array(2), sizes[0], sizes[1]), true;
    case TaskKind::logSoftmaxGradient:
      return log_softmax_gradient(array(0), array(1), array(2), sizes[0], sizes[1]), true;
    case TaskKind::softmaxCrossEntropy:
      return softmax_cross_entropy(array(0), array(1), array(2), array(3), sizes[0], sizes[1]), true;
    case TaskKind::sparseSoftmaxCrossEntropy:
      return sparse_softmax_cross_entropy(array(0), array(1), indices(), array(2), sizes[0], sizes[1]), true;
    case TaskKind::scaleRows: return scale_rows(array(0), array(1), array(2), sizes[0], sizes[1]), true;
    case TaskKind::gather: return gather(array(0), array(1), indices(), sizes[0], sizes[2]), true;
    case TaskKind::scatterAdd:
      return scatter_add(array(0), array(1), indices(), sizes[0], sizes[2], task.numbers[0]), true;
    case TaskKind::gemm: return gemm(gemm_of<T>(task, context));
    case TaskKind::sumOfSquares: return sum_squares<T>(task, context);
    case TaskKind::randomUniform:
      return random_uniform(array(0), draw(), static_cast<T>(task.numbers[0]), static_cast<T>(task.numbers[1]),
                            sizes[0]),
             true;
    case TaskKind::randomNormal:
      return random_normal(array(0), draw(), task.numbers[0], task.numbers[1], task.option == 1, sizes[0]), true;
    case TaskKind::randomBernoulli: return random_bernoulli(array(0), draw(), task.numbers[0], sizes[0]), true;
    case TaskKind::dropout: return dropout(array(0), array(1), draw(), task.numbers[0], sizes[0]), true;
    default: return true;
  }
}

template <class T> TaskStatus run(const Task& task, const TaskContext& context) {
  const size_t* const items = context.lists->layouts.data() + task.list;
  switch (task.kind) {
#define GRADSTEP_RUN(tasks, family) tasks(GRADSTEP_CASE) return run_##family<T>(task, context, items);
    GRADSTEP_FAMILIES(GRADSTEP_RUN)
#undef GRADSTEP_RUN
    GRADSTEP_SINGLE_TASKS(GRADSTEP_CASE) break;
  }
  return run_single<T>(task, context) ? TaskStatus::done : TaskStatus::no_memory;
}

}  // namespace

TaskStatus run_task(const Task& task, const TaskContext& context) {
  switch (task.format) {
    case Format::float32: return run<float>(task, context);
    case Format::float64: return run<double>(task, context);
  }
  return TaskStatus::done;
}

bool is_of_family(TaskKind kind) {
  switch (kind) {
    GRADSTEP_SINGLE_TASKS(GRADSTEP_CASE) return false;
    default: return true;
  }
}

bool task_fits(const Task& task, const TaskRoom& room, const size_t* items) {
  switch (task.kind) {
#define GRADSTEP_FITS(tasks, family) tasks(GRADSTEP_CASE) return family##_fits(task, room, items);
    GRADSTEP_FAMILIES(GRADSTEP_FITS)
#undef GRADSTEP_FITS
    default: return false;
  }
}

#undef GRADSTEP_CASE

bool is_elementwise(const Task& task) {
  switch (task.kind) {
    case TaskKind::fill:
    case TaskKind::repeat:
    case TaskKind::copy:
    case TaskKind::unary:
    case TaskKind::binary:
    case TaskKind::addN:
    case TaskKind::addScaled:
    case TaskKind::scale:
    case TaskKind::clipByValue: return true;
    default: return false;
  }
}

void run_chain(const Task* tasks, size_t count, const TaskContext& context) {
  switch (tasks[0].format) {
    case Format::float32: return run_parts<float>(tasks, count, context);
    case Format::float64: return run_parts<double>(tasks, count, context);
  }
}

}  // namespace gradstep
