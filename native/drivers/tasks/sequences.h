// Losses of sequences.
#pragma once
#include "family.h"

namespace gradstep {

// ctcLoss: loss [batch], its gradient [times, batch, classes], logits [times, batch, classes], then of int32 labels
// [batch, width] and how many times each sequence has [batch]; times, batch, classes, width. A sequence's labels end
// before the first blank, which is the last class. Option: CtcOption.
#define GRADSTEP_SEQUENCE_TASKS(X) X(ctcLoss, 5, 4, 0)

enum CtcOption : size_t {
  kMergeRepeated = 1,     // in what is read off the times
  kCollapseRepeated = 2,  // in the labels
  kIgnoreLonger = 4,      // more labels than times: no loss, rather than a bad index
  kCtcOptions = 8
};

bool sequence_fits(const Task& task, const TaskRoom& room, const size_t* items);
template <class T> TaskStatus run_sequence(const Task& task, const TaskContext& context, const size_t* items);

}  // namespace gradstep
