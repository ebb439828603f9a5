// Products of many matrices.
#pragma once
#include "family.h"

namespace gradstep {

// gemmBatch: out, a, b, bias (option: GemmOption); m, n, k. Items: for each dimension in front of the matrices how many
// of them out has, then how far it is from one to the next in a, then in b: in matrices, 0 where one serves again.
#define GRADSTEP_PRODUCT_TASKS(X) X(gemmBatch, 4, 3, 0)

bool product_fits(const Task& task, const TaskRoom& room, const size_t* items);
template <class T> TaskStatus run_product(const Task& task, const TaskContext& context, const size_t* items);

}  // namespace gradstep
