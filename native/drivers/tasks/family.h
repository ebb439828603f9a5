// What a family of tasks is declared with. Each has a list of its kinds, X(kind, arrays, sizes, numbers), and two
// functions:
//
//     bool <family>_fits(const Task& task, const TaskRoom& room, const size_t* items)
//         whether arrays, sizes, numbers, option and items go together. Nobody else looks at them: what fits stays
//         inside of its arrays, whatever the numbers are.
//     TaskStatus run_<family><T>(const Task& task, const TaskContext& context, const size_t* items)
//
// Items are further whole numbers, task.count of them. GRADSTEP_FAMILIES in ../tasks.h lists the families.
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace gradstep {

struct Task;
struct TaskContext;
struct TaskRoom;

enum class TaskStatus : uint8_t { done, no_memory, bad_index, not_exchanged, absent };  // the last two of programs only

}  // namespace gradstep
