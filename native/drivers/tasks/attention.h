// Attention, and rotation of heads.
#pragma once
#include "family.h"

namespace gradstep {

// attention: y, saved, q, k, v, mask; batch, heads, shared heads, queries, keys, depth, value depth; scale, offset,
// rate of dropout. option: 1: causal, 2: a mask of numbers, 4: one of bytes, 8: dropout. Items: strides of batch, head
// and row of q, k, v and y; those of the mask and its column's; with dropout the number of a draw, or its key, stream
// and counter. attentionGradient: dq, dk, dv, dy, y, saved, q, k, v, mask; the same. rotate: out, x, cosines, sines;
// outer, tokens, inner, depth, rotated. option: 1: pairs are neighbours, 2: backward.
#define GRADSTEP_ATTENTION_TASKS(X) \
  X(attention, 6, 7, 3)             \
  X(attentionGradient, 10, 7, 3)    \
  X(rotate, 4, 5, 0)

bool attention_fits(const Task& task, const TaskRoom& room, const size_t* items);
template <class T> TaskStatus run_attention(const Task& task, const TaskContext& context, const size_t* items);

}  // namespace gradstep
