// Elements moved from one layout into another, of whatever type they are.
#pragma once
#include "family.h"

namespace gradstep {

// How many bytes an element has, as its logarithm: 0 for bool, 2, 3.
//
// stridedCopy: out, x; option: the logarithm plus four times the dimensions in which x runs backwards, a bit for each.
//   Items: where out starts and where x does, then of each dimension its size, then how far the next element lies in
//   out, then in x: 0 where it repeats. All counted in elements.
// stridedAdd: the same, of the task's format; out += x. No two elements lie at one place of out.
// fillWhole: [n]; the value; option: the logarithm, 0 or 2: whole numbers of 8 or 32 bits.
// cast: out, x [n]; option: what x has plus four times what out has: 0 float32, 1 float64, 2 int32, 3 bool.
// select: out, condition, x, y; option: the logarithm. Items: of each dimension its size, then how far the next element
//   lies in the condition, in x and in y. Elements of out follow each other.
#define GRADSTEP_COPY_TASKS(X) \
  X(stridedCopy, 2, 0, 0)      \
  X(stridedAdd, 2, 0, 0)       \
  X(fillWhole, 1, 1, 1)        \
  X(cast, 2, 1, 0)             \
  X(select, 4, 0, 0)

bool copy_fits(const Task& task, const TaskRoom& room, const size_t* items);
template <class T> TaskStatus run_copy(const Task& task, const TaskContext& context, const size_t* items);

}  // namespace gradstep
