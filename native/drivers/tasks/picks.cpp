#include "picks.h"

#include <string.h>

#include <algorithm>

#include "../../runtime/dispatch.h"
#include "../../runtime/pool.h"
#include "../../runtime/shared_memory.h"
#include "../blocks.h"
#include "../rows.h"
#include "../tasks.h"

namespace gradstep {
namespace {

bool has_bytes(size_t option) { return option == 0 || option == 2 || option == 3; }

// A copy of a task's indices that nobody else writes, good until the next one of this thread; null: no memory.
const int32_t* own_indices(const int32_t* indices, size_t count) {
  static thread_local Buffer<int32_t> copy;
  if (!copy.resize(count + 1)) return nullptr;
  copy_shared(copy.data(), indices, count);
  return copy.data();
}

bool are_below(const int32_t* indices, size_t count, size_t limit) {
  const size_t most = std::min<size_t>(limit, size_t(1) << 31);
  bool good = true;
  for (size_t i = 0; i < count; ++i) good = good && static_cast<uint32_t>(indices[i]) < most;
  return good;
}

// The sizes of gatherAt and scatterAddAt. `whole` is the array of all elements, `picks` that of the picked ones.
struct Axis {
  size_t batches, outer, count, limit, inner;

  explicit Axis(const Task& task)
      : batches(task.sizes[0]), outer(task.sizes[1]), count(task.sizes[2]), limit(task.sizes[3]), inner(task.sizes[4]) {
  }

  bool fits(const TaskRoom& room, size_t whole, size_t picks, size_t bytes) const {
    const Product rows = Product(batches) * outer;
    return room.has(whole, rows * limit * inner, bytes) && room.has(picks, rows * count * inner, bytes) &&
           room.has(2, Product(batches) * count, sizeof(int32_t)) && (rows * count).at_most(SIZE_MAX / 2);
  }
};

template <class E> void gather_at(const Axis& axis, E* out, const E* x, const int32_t* indices) {
  const size_t rows = axis.batches * axis.outer * axis.count, inner = axis.inner;
  if (rows == 0 || inner == 0) return;
  const size_t per_block = std::max<size_t>(1, kBlockElements / inner);
  parallel_for(blocks_of(rows, per_block), [&](size_t block) {
    const size_t end = std::min(rows, (block + 1) * per_block);
    size_t row = block * per_block, i = row % axis.count, slab = row / axis.count;
    for (; row < end; ++row) {
      const size_t at = static_cast<size_t>(indices[slab / axis.outer * axis.count + i]);
      const E* const from = x + (slab * axis.limit + at) * inner;
      E* const to = out + row * inner;
      if (inner == 1) *to = *from;
      else memcpy(to, from, inner * sizeof(E));
      if (++i == axis.count) i = 0, ++slab;
    }
  });
}

// A thread has all that goes to one place, so that sums are in order.
template <class T>
void scatter_add_at(const Axis& axis, T* out, const T* values, const int32_t* indices, double factor) {
  const auto add = of<T>(kernels()).add_scaled;
  const size_t slabs = axis.batches * axis.outer;
  if (slabs == 0 || axis.count == 0 || axis.inner == 0) return;
  constexpr size_t kColumns = 1024;
  const size_t strips = blocks_of(axis.inner, kColumns);
  const size_t work = axis.count * std::min(axis.inner, kColumns);
  const size_t per_block = std::max<size_t>(1, kBlockElements / work);
  parallel_for(blocks_of(slabs * strips, per_block), [&](size_t block) {
    const size_t end = std::min(slabs * strips, (block + 1) * per_block);
    for (size_t piece = block * per_block; piece < end; ++piece) {
      const size_t slab = piece / strips, begin = piece % strips * kColumns, n = std::min(kColumns, axis.inner - begin);
      const int32_t* const index = indices + slab / axis.outer * axis.count;
      T* const to = out + slab * axis.limit * axis.inner + begin;
      const T* const from = values + slab * axis.count * axis.inner + begin;
      for (size_t i = 0; i < axis.count; ++i) {
        add(to + static_cast<size_t>(index[i]) * axis.inner, from + i * axis.inner, factor, n);
      }
    }
  });
}

// The sizes of gatherNd and scatterNdAdd.
struct Places {
  size_t count, inner, rank;
  const size_t* dims;

  Places(const Task& task, const size_t* items)
      : count(task.sizes[0]), inner(task.sizes[1]), rank(task.count), dims(items) {}

  Product whole() const {
    Product result = inner;
    for (size_t d = 0; d < rank; ++d) result = result * dims[d];
    return result;
  }

  bool fits(const TaskRoom& room, size_t whole_array, size_t picks, size_t bytes) const {
    return room.has(whole_array, whole(), bytes) && room.has(picks, Product(count) * inner, bytes) &&
           room.has(2, Product(count) * rank, sizeof(int32_t));
  }

  bool are_in_range(const int32_t* indices) const {
    bool good = true;
    for (size_t i = 0; i < count; ++i) {
      for (size_t d = 0; d < rank; ++d) good = good && are_below(indices + i * rank + d, 1, dims[d]);
    }
    return good;
  }

  // How far the picked part is from the start, in parts.
  size_t part(const int32_t* indices, size_t i) const {
    size_t result = 0;
    for (size_t d = 0; d < rank; ++d) result = result * dims[d] + static_cast<size_t>(indices[i * rank + d]);
    return result;
  }
};

template <class E> void gather_nd(const Places& places, E* out, const E* x, const int32_t* indices) {
  const size_t inner = places.inner;
  if (places.count == 0 || inner == 0) return;
  const size_t per_block = std::max<size_t>(1, kBlockElements / inner);
  parallel_for(blocks_of(places.count, per_block), [&](size_t block) {
    const size_t end = std::min(places.count, (block + 1) * per_block);
    for (size_t i = block * per_block; i < end; ++i) {
      memcpy(out + i * inner, x + places.part(indices, i) * inner, inner * sizeof(E));
    }
  });
}

template <class T> void scatter_nd_add(const Places& places, T* out, const T* values, const int32_t* indices) {
  const auto add = of<T>(kernels()).add_scaled;
  for (size_t i = 0; i < places.count && places.inner > 0; ++i) {
    add(out + places.part(indices, i) * places.inner, values + i * places.inner, 1.0, places.inner);
  }
}

template <class T> void one_hot(const Task& task, const TaskContext& context) {
  const size_t outer = task.sizes[0], depth = task.sizes[1], inner = task.sizes[2];
  T* const out = context.at<T>(task.arrays[0]);
  const int32_t* const indices = context.at<const int32_t>(task.arrays[1]);
  const T on = static_cast<T>(task.numbers[0]), off = static_cast<T>(task.numbers[1]);
  if (outer == 0 || depth * inner == 0) return;
  const size_t per_block = std::max<size_t>(1, kBlockElements / (depth * inner));
  parallel_for(blocks_of(outer, per_block), [&](size_t block) {
    const size_t begin = block * per_block, end = std::min(outer, begin + per_block);
    std::fill(out + begin * depth * inner, out + end * depth * inner, off);
    for (size_t o = begin; o < end; ++o) {
      for (size_t i = 0; i < inner; ++i) {
        const size_t at = static_cast<uint32_t>(__atomic_load_n(indices + o * inner + i, __ATOMIC_RELAXED));
        if (at < depth) out[(o * depth + at) * inner + i] = on;
      }
    }
  });
}

void sequence_mask(const Task& task, const TaskContext& context) {
  const size_t rows = task.sizes[0], columns = task.sizes[1];
  uint8_t* const out = context.at<uint8_t>(task.arrays[0]);
  const int32_t* const lengths = context.at<const int32_t>(task.arrays[1]);
  if (rows == 0 || columns == 0) return;
  const size_t per_block = std::max<size_t>(1, kBlockElements / columns);
  parallel_for(blocks_of(rows, per_block), [&](size_t block) {
    for (size_t row = block * per_block; row < std::min(rows, (block + 1) * per_block); ++row) {
      const int32_t length = std::max(0, __atomic_load_n(lengths + row, __ATOMIC_RELAXED));
      const size_t on = std::min(columns, static_cast<size_t>(length));
      memset(out + row * columns, 1, on);
      memset(out + row * columns + on, 0, columns - on);
    }
  });
}

// f of a number of the size of an element.
template <class F> void with_bytes(size_t logarithm, F f) {
  switch (logarithm) {
    case 0: return f(uint8_t());
    case 2: return f(uint32_t());
    default: return f(uint64_t());
  }
}

// Those of all tasks that have some, checked.
template <class F> TaskStatus with_indices(const int32_t* given, size_t count, F are_good, const int32_t*& own) {
  own = own_indices(given, count);
  if (own == nullptr) return TaskStatus::no_memory;
  return are_good(own) ? TaskStatus::done : TaskStatus::bad_index;
}

}  // namespace

bool pick_fits(const Task& task, const TaskRoom& room, const size_t* items) {
  const size_t own = kFormatBytes[static_cast<size_t>(task.format)];
  const size_t* const n = task.sizes;
  const bool is_plain = task.count == 0 && task.option == 0;
  switch (task.kind) {
    case TaskKind::gatherAt:
      return task.count == 0 && has_bytes(task.option) && Axis(task).fits(room, 1, 0, size_t(1) << task.option);
    case TaskKind::scatterAddAt: return is_plain && Axis(task).fits(room, 0, 1, own);
    case TaskKind::gatherNd:
      return has_bytes(task.option) && Places(task, items).fits(room, 1, 0, size_t(1) << task.option);
    case TaskKind::scatterNdAdd: return task.option == 0 && Places(task, items).fits(room, 0, 1, own);
    case TaskKind::oneHot:
      return is_plain && room.has(0, Product(n[0]) * n[1] * n[2]) &&
             room.has(1, Product(n[0]) * n[2], sizeof(int32_t)) && (Product(n[1]) * n[2]).at_most(SIZE_MAX / 2);
    case TaskKind::sequenceMask:
      return is_plain && room.has(0, Product(n[0]) * n[1], 1) && room.has(1, n[0], sizeof(int32_t));
    case TaskKind::sparseSoftmaxCrossEntropyAt:
      return is_plain && room.has(0, n[0]) && room.has(1, Product(n[0]) * n[1]) && room.has(2, Product(n[0]) * n[1]) &&
             room.has(3, n[0], sizeof(int32_t));
    default: return false;
  }
}

template <class T> TaskStatus run_pick(const Task& task, const TaskContext& context, const size_t* items) {
  const auto given = [&](size_t i) { return context.at<const int32_t>(task.arrays[i]); };
  const int32_t* indices = nullptr;
  TaskStatus status = TaskStatus::done;
  switch (task.kind) {
    case TaskKind::gatherAt:
    case TaskKind::scatterAddAt: {
      const Axis axis(task);
      const size_t count = axis.batches * axis.count;
      const auto are_good = [&](const int32_t* own) { return are_below(own, count, axis.limit); };
      status = with_indices(given(2), count, are_good, indices);
      if (status != TaskStatus::done) return status;
      if (task.kind == TaskKind::scatterAddAt) {
        scatter_add_at(axis, context.at<T>(task.arrays[0]), context.at<const T>(task.arrays[1]), indices,
                       task.numbers[0]);
        return status;
      }
      with_bytes(task.option, [&](auto element) {
        using E = decltype(element);
        gather_at(axis, context.at<E>(task.arrays[0]), context.at<const E>(task.arrays[1]), indices);
      });
      return status;
    }
    case TaskKind::gatherNd:
    case TaskKind::scatterNdAdd: {
      const Places places(task, items);
      const auto are_good = [&](const int32_t* own) { return places.are_in_range(own); };
      status = with_indices(given(2), places.count * places.rank, are_good, indices);
      if (status != TaskStatus::done) return status;
      if (task.kind == TaskKind::scatterNdAdd) {
        scatter_nd_add(places, context.at<T>(task.arrays[0]), context.at<const T>(task.arrays[1]), indices);
        return status;
      }
      with_bytes(task.option, [&](auto element) {
        using E = decltype(element);
        gather_nd(places, context.at<E>(task.arrays[0]), context.at<const E>(task.arrays[1]), indices);
      });
      return status;
    }
    case TaskKind::oneHot: return one_hot<T>(task, context), status;
    case TaskKind::sequenceMask: return sequence_mask(task, context), status;
    case TaskKind::sparseSoftmaxCrossEntropyAt: {
      const size_t rows = task.sizes[0], columns = task.sizes[1];
      const auto are_good = [&](const int32_t* own) { return are_below(own, rows, columns); };
      status = with_indices(given(3), rows, are_good, indices);
      if (status != TaskStatus::done) return status;
      sparse_softmax_cross_entropy(context.at<T>(task.arrays[0]), context.at<T>(task.arrays[1]), indices,
                                   context.at<const T>(task.arrays[2]), rows, columns);
      return status;
    }
    default: return status;
  }
}

template TaskStatus run_pick<float>(const Task&, const TaskContext&, const size_t*);
template TaskStatus run_pick<double>(const Task&, const TaskContext&, const size_t*);

}  // namespace gradstep
