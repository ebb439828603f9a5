// Tasks of families, one at a time: what programs make of them at once. native/drivers/tasks.h has them all.
#include "../drivers/tasks.h"

#include "../drivers/table_reader.h"
#include "arguments.h"
#include "bindings.h"

namespace gradstep {
namespace {

using Info = Napi::CallbackInfo;

// An array of a task: floats, 32-bit whole numbers, or bytes. What a task reads others than its format for is its
// business.
void read_array(Arguments& args, napi_value value, size_t i, TaskRoom& room, char** places) {
  napi_valuetype type;
  if (napi_typeof(args.env(), value, &type) != napi_ok || type == napi_undefined) return;
  napi_typedarray_type kind;
  size_t length, offset;
  void* data;
  napi_value buffer;
  if (napi_get_typedarray_info(args.env(), value, &kind, &length, &data, &buffer, &offset) != napi_ok) {
    return args.type_error("the arrays of a task must be typed arrays");
  }
  size_t bytes = 0;
  switch (kind) {
    case napi_uint8_array: bytes = 1; break;
    case napi_int32_array:
    case napi_float32_array: bytes = 4; break;
    case napi_float64_array: bytes = 8; break;
    default: return args.type_error("the arrays of a task must be of floats, int32 or bool");
  }
  places[i] = static_cast<char*>(data);
  room.bytes[i] = length * bytes;
  room.phase[i] = offset % 64;  // buffers start at multiples of what any element needs
}

// runTask(kind, format, option, [...sizes, ...numbers, ...items], ...arrays): arguments, as elements of an array take
// longer to ask for
Napi::Value run_task_op(const Info& info) {
  Arguments args(info);
  const size_t kind = args.size("kind");
  Task task = {};
  task.format = args.format("format");
  task.option = args.size("option");
  const Floats numbers = args.floats("numbers", Format::float64);
  args.require(kind < kTaskKindCount && is_of_family(static_cast<TaskKind>(kind)), "no such kind of task");
  if (args.failed()) return args.undefined();
  task.kind = static_cast<TaskKind>(kind);
  const TaskForm& form = kTaskForms[kind];

  static thread_local TaskLists lists;
  TableReader reader(numbers.as<double>(), numbers.length);
  for (size_t i = 0; i < form.sizes; ++i) task.sizes[i] = reader.whole();
  for (size_t i = 0; i < form.numbers; ++i) task.numbers[i] = reader.number();
  lists.layouts.clear();
  while (reader.good && !reader.is_at_end()) {
    if (!lists.layouts.add(reader.whole())) args.out_of_memory("a task");
    if (args.failed()) return args.undefined();
  }
  task.count = lists.layouts.size();
  args.require(reader.good, "the numbers of a task must be as many as it has, sizes and items whole");

  TaskRoom room = {};
  room.format = task.format;
  char* places[kMaxTaskArrays] = {};
  for (size_t i = 0; i < form.arrays; ++i) task.arrays[i] = {i, 0};
  for (size_t i = 0; i < form.arrays && !args.failed(); ++i) read_array(args, args.next(), i, room, places);
  if (args.failed()) return args.undefined();
  args.require(task_fits(task, room, lists.layouts.data()), "the sizes of a task do not fit its arrays");
  if (args.failed()) return args.undefined();
  switch (run_task(task, {places, nullptr, &lists, nullptr})) {
    case TaskStatus::not_exchanged:
    case TaskStatus::absent:
    case TaskStatus::done: break;
    case TaskStatus::no_memory: args.out_of_memory("a task"); break;
    case TaskStatus::bad_index: args.range_error("an index is out of range"); break;
  }
  return args.undefined();
}

}  // namespace

void export_tasks(Napi::Env env, Napi::Object exports) {
  exports.Set("taskKinds", names(env, kTaskKindNames, kTaskKindCount));
  add<run_task_op>(env, exports, "runTask");
}

}  // namespace gradstep
