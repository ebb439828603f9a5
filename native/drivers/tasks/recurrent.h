// Layers of recurrent cells.
#pragma once
#include "family.h"

namespace gradstep {

// recurrent: y, state, saved, x, kernel, recurrent kernel, bias, recurrent bias, hidden, cells; time, batch, inputs,
// units; forget bias. option: 1: GRU, else LSTM; 2: gates in the order i, f, j, o, or the reset comes after; 4: time
// comes first; 8, 16, 32, 64: the last four arrays. Items: nothing, or the length of each example. recurrentGradient:
// dx, dkernel, drecurrent kernel, dbias, drecurrent bias, dstate, dy, dlast, saved, kernel, recurrent kernel; the same.
// option: the same up to 4; 8: dbias, 16: drecurrent bias, 32: dlast.
#define GRADSTEP_RECURRENT_TASKS(X) \
  X(recurrent, 10, 4, 1)            \
  X(recurrentGradient, 11, 4, 1)

bool recurrent_fits(const Task& task, const TaskRoom& room, const size_t* items);
template <class T> TaskStatus run_recurrent(const Task& task, const TaskContext& context, const size_t* items);

}  // namespace gradstep
