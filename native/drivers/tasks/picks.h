// Elements by their numbers. Numbers are read once, whoever else writes them meanwhile, and none is followed that is
// out of range: then the task has failed, and what it writes holds anything.
#pragma once
#include "family.h"

namespace gradstep {

// Options are the logarithms of the bytes of an element; indices are of int32.
//
// gatherAt: out [batches, outer, count, inner], x [batches, outer, limit, inner], indices [batches, count];
//   batches, outer, count, limit, inner. out[b, o, i] = x[b, o, indices[b, i]].
// scatterAddAt: out as x there, values as out there, indices; factor. out[b, o, indices[b, i]] += values[b, o, i] *
// factor,
//   in the order of i. Floats.
// gatherNd: out [count, inner], x [...dims, inner], indices [count, rank of dims]; count, inner; items: dims.
// scatterNdAdd: out as x there += values as out there, in their order. Floats.
// oneHot: out [outer, depth, inner], indices [outer, inner]; outer, depth, inner; on, off. Floats. What is no number
// below
//   depth has no element that is on.
// sequenceMask: out [rows, columns] of bool, lengths [rows]; rows, columns. True in front of the length.
// sparseSoftmaxCrossEntropyAt: loss [rows], backprop and logits [rows, columns], labels [rows]; rows, columns.
#define GRADSTEP_PICK_TASKS(X) \
  X(gatherAt, 3, 5, 0)         \
  X(scatterAddAt, 3, 5, 1)     \
  X(gatherNd, 3, 2, 0)         \
  X(scatterNdAdd, 3, 2, 0)     \
  X(oneHot, 2, 3, 2)           \
  X(sequenceMask, 2, 2, 0)     \
  X(sparseSoftmaxCrossEntropyAt, 4, 2, 0)

bool pick_fits(const Task& task, const TaskRoom& room, const size_t* items);
template <class T> TaskStatus run_pick(const Task& task, const TaskContext& context, const size_t* items);

}  // namespace gradstep
