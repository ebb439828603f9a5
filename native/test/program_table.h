// How tests write the table of a program down, piece by piece.
#pragma once
#include <stddef.h>

#include <vector>

#include "../drivers/tasks.h"

namespace gradstep {

using Table = std::vector<double>;

inline void append(Table& table, const Table& more) { table.insert(table.end(), more.begin(), more.end()); }

inline double number_of(TaskKind kind) { return static_cast<double>(static_cast<size_t>(kind)); }

}  // namespace gradstep
