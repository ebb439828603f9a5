#include "copies.h"

#include <algorithm>
#include <limits>

#include "../../runtime/pool.h"
#include "../blocks.h"
#include "../strided.h"
#include "../tasks.h"

namespace gradstep {
namespace {

enum class Element : size_t { float32, float64, int32, boolean };
constexpr size_t kElements = 4;
constexpr size_t kElementBytes[] = {4, 8, 4, 1};

// The last place that an array is looked at behind where it starts, plus one; 0 when no dimension has anything.
Product reach(const size_t* dims, const size_t* steps, size_t rank) {
  Product last = 0;
  for (size_t d = 0; d < rank; ++d) {
    if (dims[d] == 0) return 0;
    last = last + Product(dims[d] - 1) * steps[d];
  }
  return last + 1;
}

Product product(const size_t* dims, size_t rank) {
  Product result = 1;
  for (size_t d = 0; d < rank; ++d) result = result * dims[d];
  return result;
}

constexpr size_t kMostElements = PTRDIFF_MAX / 16;

// What the items of a strided task say.
struct Strided {
  size_t rank, backwards;
  size_t out_start, x_start;
  const size_t *dims, *out_steps, *x_steps;

  Strided(const Task& task, const size_t* items)
      : rank((task.count - 2) / 3), backwards(task.option / 4), out_start(items[0]), x_start(items[1]), dims(items + 2),
        out_steps(dims + rank), x_steps(out_steps + rank) {}

  bool is_backwards(size_t d) const { return backwards >> d & 1; }

  bool fits(const TaskRoom& room, size_t bytes) const {
    if (backwards >> rank != 0 || !product(dims, rank).at_most(kMostElements)) return false;
    Product forth = x_start, back = 0;
    for (size_t d = 0; d < rank; ++d) {
      if (dims[d] == 0) return true;
      (is_backwards(d) ? back : forth) = (is_backwards(d) ? back : forth) + Product(dims[d] - 1) * x_steps[d];
    }
    return back.at_most(x_start) && room.has(0, reach(dims, out_steps, rank) + out_start, bytes) &&
           room.has(1, forth + 1, bytes);
  }

  Walk walk() const {
    Walk result;
    for (size_t d = 0; d < rank; ++d) {
      const ptrdiff_t x_step = static_cast<ptrdiff_t>(x_steps[d]);
      result.add(dims[d], static_cast<ptrdiff_t>(out_steps[d]), is_backwards(d) ? -x_step : x_step);
    }
    return result;
  }
};

bool strided_fits(const Task& task, const TaskRoom& room, const size_t* items, size_t bytes) {
  const bool has_items = task.count >= 2 && (task.count - 2) % 3 == 0 && (task.count - 2) / 3 <= kMaxRank;
  return has_items && Strided(task, items).fits(room, bytes);
}

// What the items of `select` say.
struct Selection {
  size_t rank;
  const size_t *dims, *condition, *x, *y;

  Selection(const Task& task, const size_t* items)
      : rank(task.count / 4), dims(items), condition(items + rank), x(items + 2 * rank), y(items + 3 * rank) {}

  bool fits(const TaskRoom& room, size_t bytes) const {
    return product(dims, rank).at_most(kMostElements) && room.has(0, product(dims, rank), bytes) &&
           room.has(1, reach(dims, condition, rank), 1) && room.has(2, reach(dims, x, rank), bytes) &&
           room.has(3, reach(dims, y, rank), bytes);
  }
};

bool has_bytes(size_t option) { return option == 0 || option == 2 || option == 3; }

// f(begin, n) for each block of n elements.
template <class F> void each_block(size_t n, F f) {
  if (n < 2 * kBlockElements) return f(size_t(0), n);
  parallel_for(blocks_of(n), [&](size_t block) {
    const size_t begin = block * kBlockElements;
    f(begin, std::min(kBlockElements, n - begin));
  });
}

template <class E> void fill_whole(E* out, size_t n, double value) {
  each_block(n,
             [=](size_t begin, size_t count) { std::fill(out + begin, out + begin + count, static_cast<E>(value)); });
}

// What is out of range becomes the nearest number, and NaN becomes 0.
template <class T> int32_t whole_of(T x) {
  constexpr double kLeast = std::numeric_limits<int32_t>::min(), kMost = std::numeric_limits<int32_t>::max();
  const double value = static_cast<double>(x);
  if (value != value) return 0;
  return static_cast<int32_t>(std::min(std::max(value, kLeast), kMost));
}

template <class From> void convert(uint8_t* out, const From* x, size_t n) {
  for (size_t i = 0; i < n; ++i) out[i] = x[i] != From(0);
}
template <class From> void convert(int32_t* out, const From* x, size_t n) {
  for (size_t i = 0; i < n; ++i) out[i] = whole_of(x[i]);
}
template <class From> void convert(float* out, const From* x, size_t n) {
  for (size_t i = 0; i < n; ++i) out[i] = static_cast<float>(x[i]);
}
template <class From> void convert(double* out, const From* x, size_t n) {
  for (size_t i = 0; i < n; ++i) out[i] = static_cast<double>(x[i]);
}
// Whatever a byte is that is not 0, it is true.
template <class To> void convert_booleans(To* out, const uint8_t* x, size_t n) {
  for (size_t i = 0; i < n; ++i) out[i] = static_cast<To>(x[i] != 0);
}

template <class To> void cast_to(To* out, const Task& task, const TaskContext& context) {
  const Operand& from = task.arrays[1];
  const auto each = [&](auto x, auto by) {
    each_block(task.sizes[0], [=](size_t begin, size_t n) { by(out + begin, x + begin, n); });
  };
  const auto by_value = [](To* to, auto x, size_t n) { convert(to, x, n); };
  switch (static_cast<Element>(task.option % kElements)) {
    case Element::float32: return each(context.at<const float>(from), by_value);
    case Element::float64: return each(context.at<const double>(from), by_value);
    case Element::int32: return each(context.at<const int32_t>(from), by_value);
    case Element::boolean: return each(context.at<const uint8_t>(from), convert_booleans<To>);
  }
}

void cast(const Task& task, const TaskContext& context) {
  const Operand& to = task.arrays[0];
  switch (static_cast<Element>(task.option / kElements)) {
    case Element::float32: return cast_to(context.at<float>(to), task, context);
    case Element::float64: return cast_to(context.at<double>(to), task, context);
    case Element::int32: return cast_to(context.at<int32_t>(to), task, context);
    case Element::boolean: return cast_to(context.at<uint8_t>(to), task, context);
  }
}

template <class E> void select(const Task& task, const TaskContext& context, const size_t* items) {
  const Selection selection(task, items);
  const size_t last = selection.rank - 1, n = selection.rank == 0 ? 1 : selection.dims[last];
  size_t rows = 1;
  for (size_t d = 0; d + 1 < selection.rank; ++d) rows *= selection.dims[d];
  if (rows == 0 || n == 0) return;
  const auto step = [&](const size_t* steps) { return selection.rank == 0 ? 0 : steps[last]; };
  const size_t steps[] = {step(selection.condition), step(selection.x), step(selection.y)};
  const size_t chunks = blocks_of(n), width = std::min(n, kBlockElements);
  const size_t per_block = std::max<size_t>(1, kBlockElements / width);
  parallel_for(blocks_of(rows * chunks, per_block), [&](size_t block) {
    const size_t end = std::min(rows * chunks, (block + 1) * per_block);
    for (size_t piece = block * per_block; piece < end; ++piece) {
      const size_t row = piece / chunks, begin = piece % chunks * width, count = std::min(width, n - begin);
      size_t rest = row, offsets[] = {begin * steps[0], begin * steps[1], begin * steps[2]};
      for (size_t d = last; selection.rank > 0 && d-- > 0; rest /= selection.dims[d]) {
        const size_t at = rest % selection.dims[d];
        offsets[0] += at * selection.condition[d], offsets[1] += at * selection.x[d];
        offsets[2] += at * selection.y[d];
      }
      E* const out = context.at<E>(task.arrays[0]) + row * n + begin;
      const uint8_t* const condition = context.at<const uint8_t>(task.arrays[1]) + offsets[0];
      const E* const x = context.at<const E>(task.arrays[2]) + offsets[1];
      const E* const y = context.at<const E>(task.arrays[3]) + offsets[2];
      if (steps[0] == 1 && steps[1] == 1 && steps[2] == 1) {
        for (size_t i = 0; i < count; ++i) out[i] = condition[i] != 0 ? x[i] : y[i];
      } else {
        for (size_t i = 0; i < count; ++i) out[i] = condition[i * steps[0]] != 0 ? x[i * steps[1]] : y[i * steps[2]];
      }
    }
  });
}

template <class E> void copy(const Task& task, const TaskContext& context, const size_t* items) {
  const Strided strided(task, items);
  E* const out = context.at<E>(task.arrays[0]);
  const E* const x = context.at<const E>(task.arrays[1]);
  strided_copy(out + strided.out_start, x + strided.x_start, strided.walk());
}

// f of a number of the size of an element.
template <class F> void with_bytes(size_t logarithm, F f) {
  switch (logarithm) {
    case 0: return f(uint8_t());
    case 2: return f(uint32_t());
    default: return f(uint64_t());
  }
}

}  // namespace

bool copy_fits(const Task& task, const TaskRoom& room, const size_t* items) {
  const size_t n = task.sizes[0];
  switch (task.kind) {
    case TaskKind::stridedCopy:
      return has_bytes(task.option % 4) && strided_fits(task, room, items, size_t(1) << task.option % 4);
    case TaskKind::stridedAdd: return strided_fits(task, room, items, kFormatBytes[static_cast<size_t>(task.format)]);
    case TaskKind::fillWhole: {
      const double value = task.numbers[0];
      const bool is_byte = task.option == 0;
      const bool is_in_range = is_byte ? value >= 0 && value <= 255 : value >= INT32_MIN && value <= INT32_MAX;
      return task.count == 0 && (is_byte || task.option == 2) && is_in_range &&
             room.has(0, n, size_t(1) << task.option);
    }
    case TaskKind::cast:
      return task.count == 0 && task.option < kElements * kElements &&
             room.has(0, n, kElementBytes[task.option / kElements]) &&
             room.has(1, n, kElementBytes[task.option % kElements]);
    case TaskKind::select:
      return has_bytes(task.option) && task.count % 4 == 0 && task.count / 4 <= kMaxRank &&
             Selection(task, items).fits(room, size_t(1) << task.option);
    default: return false;
  }
}

template <class T> TaskStatus run_copy(const Task& task, const TaskContext& context, const size_t* items) {
  switch (task.kind) {
    case TaskKind::stridedCopy:
      with_bytes(task.option % 4, [&](auto element) { copy<decltype(element)>(task, context, items); });
      break;
    case TaskKind::stridedAdd: {
      const Strided strided(task, items);
      strided_add(context.at<T>(task.arrays[0]) + strided.out_start,
                  context.at<const T>(task.arrays[1]) + strided.x_start, strided.walk());
      break;
    }
    case TaskKind::fillWhole:
      if (task.option == 0) fill_whole(context.at<uint8_t>(task.arrays[0]), task.sizes[0], task.numbers[0]);
      else fill_whole(context.at<int32_t>(task.arrays[0]), task.sizes[0], task.numbers[0]);
      break;
    case TaskKind::cast: cast(task, context); break;
    case TaskKind::select:
      with_bytes(task.option, [&](auto element) { select<decltype(element)>(task, context, items); });
      break;
    default: break;
  }
  return TaskStatus::done;
}

template TaskStatus run_copy<float>(const Task&, const TaskContext&, const size_t*);
template TaskStatus run_copy<double>(const Task&, const TaskContext&, const size_t*);

}  // namespace gradstep
