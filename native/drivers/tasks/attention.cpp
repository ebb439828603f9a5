#include "attention.h"

#include "../attention.h"
#include "../tasks.h"

namespace gradstep {
namespace {

enum : size_t { kCausal = 1, kNumberMask = 2, kByteMask = 4, kDropout = 8, kOptions = 16 };
// Where items begin.
enum : size_t { kOfQ = 0, kOfK = 3, kOfV = 6, kOfY = 9, kOfMask = 12, kOfDraw = 16 };

// Lengths and offsets stay far from what a difference of two could overflow.
constexpr size_t kMostRows = size_t(1) << 31, kMostHeads = size_t(1) << 28;
constexpr double kMostOffset = 4294967296.0;

// How many elements there must be for these strides; 0 where there is nothing.
Product reach(size_t batch, size_t heads, size_t rows, size_t columns, const size_t* strides, size_t column) {
  if (batch == 0 || heads == 0 || rows == 0 || columns == 0) return 0;
  return Product(batch - 1) * strides[0] + Product(heads - 1) * strides[1] + Product(rows - 1) * strides[2] +
         Product(columns - 1) * column + 1;
}

// Rows and heads that follow each other do not overlap: so there are no more of them than there is memory for.
bool is_apart(size_t batch, size_t heads, size_t rows, size_t columns, const size_t* strides) {
  if (batch == 0 || heads == 0 || rows == 0) return true;
  return (batch <= 1 || strides[0] >= columns) && (heads <= 1 || strides[1] >= columns) &&
         (rows <= 1 || strides[2] >= columns);
}

struct Sizes { size_t batch, heads, shared, queries, keys, depth, value_depth; };
Sizes sizes_of(const Task& task) {
  const size_t* const s = task.sizes;
  return {s[0], s[1], s[2], s[3], s[4], s[5], s[6]};
}

bool draw_fits(const Task& task, const TaskRoom& room, const size_t* items) {
  if (!(task.option & kDropout)) return true;
  const bool is_rate = task.numbers[2] >= 0 && task.numbers[2] < 1;
  return is_rate && (task.count == kOfDraw + 3 || (task.count == kOfDraw + 1 && items[kOfDraw] < room.draws));
}

bool heads_fit(const Task& task, const TaskRoom& room, const size_t* items) {
  const Sizes s = sizes_of(task);
  const bool is_gradient = task.kind == TaskKind::attentionGradient;
  const size_t q = is_gradient ? 6 : 2, saved = is_gradient ? 5 : 1, y = is_gradient ? 4 : 0;
  const size_t mask = task.option & (kNumberMask | kByteMask);
  const double offset = task.numbers[1];
  if (task.option >= kOptions || mask == (kNumberMask | kByteMask) || !draw_fits(task, room, items)) return false;
  if (!(Product(s.batch) * s.heads).at_most(kMostHeads) || s.queries > kMostRows || s.keys > kMostRows ||
      !(offset >= -kMostOffset && offset <= kMostOffset))
    return false;
  if (s.shared == 0 ? s.heads != 0 : s.heads % s.shared != 0) return false;
  if (!is_apart(s.batch, s.heads, s.queries, s.depth, items + kOfQ) ||
      !is_apart(s.batch, s.shared, s.keys, s.depth, items + kOfK) ||
      !is_apart(s.batch, s.shared, s.keys, s.value_depth, items + kOfV) ||
      !is_apart(s.batch, s.heads, s.queries, s.value_depth, items + kOfY)) {
    return false;
  }
  const Product of_q = reach(s.batch, s.heads, s.queries, s.depth, items + kOfQ, 1);
  const Product of_k = reach(s.batch, s.shared, s.keys, s.depth, items + kOfK, 1);
  const Product of_v = reach(s.batch, s.shared, s.keys, s.value_depth, items + kOfV, 1);
  const Product of_y = reach(s.batch, s.heads, s.queries, s.value_depth, items + kOfY, 1);
  const Product of_mask = reach(s.batch, s.heads, s.queries, s.keys, items + kOfMask, items[kOfMask + 3]);
  const bool has_mask = mask == 0 || (mask == kByteMask ? room.has(q + 3, of_mask, 1) : room.has(q + 3, of_mask));
  const bool good = has_mask && room.has(q, of_q) && room.has(q + 1, of_k) && room.has(q + 2, of_v) &&
                    room.has(y, of_y) && room.has(saved, Product(2) * s.batch * s.heads * s.queries) &&
                    (Product(s.depth) + s.value_depth).at_most(kMostRows);
  return good && (!is_gradient || (room.has(0, of_q) && room.has(1, of_k) && room.has(2, of_v) && room.has(3, of_y)));
}

bool rotation_fits(const Task& task, const TaskRoom& room) {
  const size_t* const s = task.sizes;
  const Product all = Product(s[0]) * s[1] * s[2] * s[3], angles = Product(s[1]) * (s[4] / 2);
  return task.count == 0 && task.option < 4 && s[4] % 2 == 0 && s[4] <= s[3] && room.has(0, all) && room.has(1, all) &&
         room.has(2, angles) && room.has(3, angles);
}

HeadStrides strides(const size_t* items) { return {items[0], items[1], items[2]}; }

AttentionShape shape_of(const Task& task, const TaskContext& context, const size_t* items, size_t mask) {
  const Sizes s = sizes_of(task);
  AttentionShape shape = {};
  shape.batch = s.batch, shape.heads = s.heads, shape.shared_heads = s.shared;
  shape.queries = s.queries, shape.keys = s.keys, shape.depth = s.depth, shape.value_depth = s.value_depth;
  shape.q = strides(items + kOfQ), shape.k = strides(items + kOfK);
  shape.v = strides(items + kOfV), shape.y = strides(items + kOfY);
  shape.scale = task.numbers[0];
  shape.is_causal = task.option & kCausal;
  shape.offset = static_cast<ptrdiff_t>(task.numbers[1]);
  const bool has_mask = task.option & (kNumberMask | kByteMask);
  shape.mask = {has_mask ? context.at<const void>(task.arrays[mask]) : nullptr, (task.option & kByteMask) != 0,
                strides(items + kOfMask), items[kOfMask + 3]};
  if (task.option & kDropout) {
    shape.dropout = task.numbers[2];
    const size_t* const draw = items + kOfDraw;
    shape.draw = task.count == kOfDraw + 3 ? Draw{draw[0], draw[1], draw[2]} : context.draws[draw[0]];
  }
  return shape;
}

}  // namespace

bool attention_fits(const Task& task, const TaskRoom& room, const size_t* items) {
  if (task.kind == TaskKind::rotate) return rotation_fits(task, room);
  return task.count >= kOfDraw && heads_fit(task, room, items);
}

template <class T> TaskStatus run_attention(const Task& task, const TaskContext& context, const size_t* items) {
  const auto array = [&](size_t i) { return context.at<T>(task.arrays[i]); };
  const size_t* const s = task.sizes;
  bool good = true;
  switch (task.kind) {
    case TaskKind::attention:
      good = attention<T>(shape_of(task, context, items, 5), array(0), array(1), array(2), array(3), array(4));
      break;
    case TaskKind::attentionGradient:
      good = attention_gradient<T>(shape_of(task, context, items, 9), array(0), array(1), array(2), array(3), array(4),
                                   array(5), array(6), array(7), array(8));
      break;
    case TaskKind::rotate:
      rotate<T>({s[0], s[1], s[2], s[3], s[4], (task.option & 1) != 0, (task.option & 2) != 0}, array(0), array(1),
                array(2), array(3));
      break;
    default: break;
  }
  return good ? TaskStatus::done : TaskStatus::no_memory;
}

template TaskStatus run_attention<float>(const Task&, const TaskContext&, const size_t*);
template TaskStatus run_attention<double>(const Task&, const TaskContext&, const size_t*);

}  // namespace gradstep
