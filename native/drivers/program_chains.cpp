// Which element-wise tasks that follow each other can go through memory together.
#include "program.h"

namespace gradstep {
namespace {

struct Stretch {
  Operand at;
  size_t bytes;
  bool is_scalar, is_written;
};

constexpr size_t kMostStretches = 12;

// What an element-wise task reads and writes; 0 when it is too much to look at.
size_t stretches_of(const Task& task, const TaskLists& lists, Stretch* to) {
  const size_t bytes = task.sizes[0] * kFormatBytes[static_cast<size_t>(task.format)];
  const size_t element = kFormatBytes[static_cast<size_t>(task.format)];
  size_t count = 0;
  const auto add = [&](const Operand& at, bool is_scalar, bool is_written) {
    to[count++] = {at, is_scalar ? element : bytes, is_scalar, is_written};
  };
  add(task.arrays[0], false, true);
  if (task.kind == TaskKind::addN) {
    if (task.count + 1 > kMostStretches) return 0;
    for (size_t t = 0; t < task.count; ++t) add(lists.terms[task.list + t], false, false);
  } else if (task.kind != TaskKind::fill) {
    const Operands operands = task.kind == TaskKind::binary ? static_cast<Operands>(task.count) : Operands::vectors;
    add(task.arrays[1], task.kind == TaskKind::repeat || operands == Operands::scalar_a, false);
    if (task.kind == TaskKind::binary) add(task.arrays[2], operands == Operands::scalar_b, false);
  }
  return count;
}

// Whether elements of one are those of the other at the same positions, or none at all.
bool go_together(const Stretch& a, const Stretch& b) {
  if (!a.is_written && !b.is_written) return true;
  if (a.at.place != b.at.place) return a.at.place == 0 || b.at.place == 0;  // others may be the same memory
  if (a.at.offset + a.bytes <= b.at.offset || b.at.offset + b.bytes <= a.at.offset) return true;
  return a.at.offset == b.at.offset && !a.is_scalar && !b.is_scalar;
}

bool can_follow(const Task& task, const Task& before, const TaskLists& lists) {
  if (!is_elementwise(task) || task.format != before.format || task.sizes[0] != before.sizes[0]) return false;
  Stretch own[kMostStretches], others[kMostStretches];
  const size_t count = stretches_of(task, lists, own), other_count = stretches_of(before, lists, others);
  bool good = count > 0 && other_count > 0;
  for (size_t i = 0; i < count; ++i) {
    for (size_t k = 0; k < other_count; ++k) good = good && go_together(own[i], others[k]);
  }
  return good;
}

}  // namespace

void Program::link_chains(size_t from, size_t to) {
  constexpr size_t kLongest = 32;
  for (size_t first = from; first < to;) {
    size_t next = first + 1;
    const auto all_before = [&] {
      for (size_t i = first; i < next; ++i) {
        if (!can_follow(tasks_[next], tasks_[i], task_lists_)) return false;
      }
      return true;
    };
    while (is_elementwise(tasks_[first]) && next < to && next - first < kLongest && all_before()) ++next;
    segments_.add_reserved({first, next - first});
    first = next;
  }
}

}  // namespace gradstep
