// Normalisations by rows and by columns.
#pragma once
#include "family.h"

namespace gradstep {

// Arrays that may lack are told by bits of the option.
//
// normalizeRows: out, mean, inverse, x, gamma, beta; rows, columns; epsilon. option: RowNorm, 4: gamma, 8: beta.
// normalizeRowsGradient: dx, dgamma, dbeta, dy, x, mean, inverse, gamma. option: RowNorm, 4: gamma, 8: dgamma, 16:
// dbeta. normalizeColumns: out, mean, variance, x, gamma, beta; outer, reduced, inner, groups. option: 1: gamma, 2:
// beta. normalizeColumnsGradient: dx, dgamma, dbeta, dy, x, mean, variance, gamma. option: 1: gamma, 2: dgamma, 4:
// dbeta. normalizeColumnsWith: out, x, mean, variance, gamma, beta; rows, columns. option: 1: gamma, 2: beta.
#define GRADSTEP_NORMALIZATION_TASKS(X) \
  X(normalizeRows, 6, 2, 1)             \
  X(normalizeRowsGradient, 8, 2, 0)     \
  X(normalizeColumns, 6, 4, 1)          \
  X(normalizeColumnsGradient, 8, 4, 1)  \
  X(normalizeColumnsWith, 6, 2, 1)

bool normalization_fits(const Task& task, const TaskRoom& room, const size_t* items);
template <class T> TaskStatus run_normalization(const Task& task, const TaskContext& context, const size_t* items);

}  // namespace gradstep
