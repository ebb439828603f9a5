#include "sequences.h"

#include <algorithm>
#include <atomic>

#include "../../runtime/dispatch.h"
#include "../../runtime/pool.h"
#include "../tasks.h"

namespace gradstep {
namespace {

// Labels and lengths as they were looked at: others may write them meanwhile.
struct Sequences {
  Buffer<int32_t> labels;          // [batch, width], those of each sequence first
  Buffer<size_t> counts, lengths;  // [batch]
};

// The labels of one sequence, without blanks and what is to be left out; false for what is no class or comes behind a
// blank.
bool copy_labels(const int32_t* from, size_t width, size_t classes, bool collapses, int32_t* to, size_t& count) {
  const int32_t blank = static_cast<int32_t>(classes - 1);
  bool ended = false;
  int32_t before = -1;
  count = 0;
  for (size_t i = 0; i < width; ++i) {
    const int32_t label = from[i];
    if (label < 0 || label > blank || (ended && label != blank)) return false;
    ended = label == blank;
    if (!ended && !(collapses && label == before)) to[count++] = label;
    before = label;
  }
  return true;
}

TaskStatus copy_sequences(const Task& task, const TaskContext& context, Sequences& to) {
  const size_t times = task.sizes[0], batch = task.sizes[1], classes = task.sizes[2], width = task.sizes[3];
  if (!to.labels.resize(batch * width) || !to.counts.resize(batch) || !to.lengths.resize(batch)) {
    return TaskStatus::no_memory;
  }
  const int32_t* const labels = context.at<const int32_t>(task.arrays[3]);
  const int32_t* const lengths = context.at<const int32_t>(task.arrays[4]);
  for (size_t b = 0; b < batch; ++b) {
    const int32_t length = lengths[b];
    if (length < 0 || static_cast<size_t>(length) > times) return TaskStatus::bad_index;
    to.lengths[b] = static_cast<size_t>(length);
    const bool good = copy_labels(labels + b * width, width, classes, task.option & kCollapseRepeated,
                                  to.labels.data() + b * width, to.counts[b]);
    if (!good || (to.counts[b] > to.lengths[b] && !(task.option & kIgnoreLonger))) return TaskStatus::bad_index;
  }
  return TaskStatus::done;
}

}  // namespace

bool sequence_fits(const Task& task, const TaskRoom& room, const size_t*) {
  const size_t times = task.sizes[0], batch = task.sizes[1], classes = task.sizes[2], width = task.sizes[3];
  const Product all = Product(times) * batch * classes;
  // The scratch of one sequence, of doubles, can be counted too.
  const Product scratch = (Product(times) + 6) * (Product(width) * 2 + 24) + times + classes;
  return task.count == 0 && task.option < kCtcOptions && classes > 0 && Product(classes).at_most(INT32_MAX) &&
         scratch.at_most(SIZE_MAX / 16) && room.has(0, batch) && room.has(1, all) && room.has(2, all) &&
         room.has(3, Product(batch) * width, sizeof(int32_t)) && room.has(4, batch, sizeof(int32_t));
}

template <class T> TaskStatus run_sequence(const Task& task, const TaskContext& context, const size_t*) {
  static thread_local Sequences sequences;
  const TaskStatus status = copy_sequences(task, context, sequences);
  if (status != TaskStatus::done) return status;
  const size_t times = task.sizes[0], batch = task.sizes[1], classes = task.sizes[2], width = task.sizes[3];
  T* const losses = context.at<T>(task.arrays[0]);
  T* const gradient = context.at<T>(task.arrays[1]);
  const T* const logits = context.at<const T>(task.arrays[2]);
  const auto kernel = of<T>(kernels()).ctc;
  std::atomic<bool> found_memory{true};
  const Sequences& all = sequences;
  parallel_for(batch, [&](size_t b) {
    static thread_local Buffer<double> scratch;
    const size_t count = all.counts[b], stride = batch * classes;
    const bool is_empty = all.lengths[b] == 0 || count > all.lengths[b];
    const size_t used = is_empty ? 0 : all.lengths[b];
    for (size_t time = used; time < times; ++time) {
      T* const row = gradient + time * stride + b * classes;
      std::fill(row, row + classes, T(0));
    }
    losses[b] = T(0);
    if (is_empty) return;
    if (!scratch.resize(ctc_scratch(used, classes, count))) {
      found_memory = false;
      return;
    }
    const Ctc<T> sequence = {logits + b * classes,
                             gradient + b * classes,
                             used,
                             stride,
                             classes,
                             all.labels.data() + b * width,
                             count,
                             (task.option & kMergeRepeated) != 0,
                             scratch.data()};
    losses[b] = static_cast<T>(kernel(sequence));
  });
  return found_memory ? TaskStatus::done : TaskStatus::no_memory;
}

template TaskStatus run_sequence<float>(const Task&, const TaskContext&, const size_t*);
template TaskStatus run_sequence<double>(const Task&, const TaskContext&, const size_t*);

}  // namespace gradstep
