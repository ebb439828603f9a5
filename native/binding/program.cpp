// Programs: lib/native.ts says how one is written down. What is parsed here once is run as often as one likes.
#include "../drivers/program.h"

#include "../runtime/make.h"
#include "addresses.h"
#include "bindings.h"
#include "environment.h"
#include "exchange.h"
#include "patience.h"

namespace gradstep {
namespace {

using Info = Napi::CallbackInfo;

using Problem = ProgramExchange::Problem;

constexpr const char* kBadIndex = "an index that was computed is out of range";

// What tells an object of ours from others.
constexpr napi_type_tag kProgramTag = {0x677261647374657, 0x70726f6772616d1};

void end_program(napi_env env, void* data, void*) {
  Program* const program = static_cast<Program*>(data);
  int64_t all;
  napi_adjust_external_memory(env, -static_cast<int64_t>(program->bytes()), &all);
  unmake(program);
}

// makeProgram(table): Program
Napi::Value make_program(const Info& info) {
  Arguments args(info);
  const Floats table = args.floats("table", Format::float64);
  if (args.failed()) return args.undefined();
  Program* const program = make<Program>();
  const char* const problem =
      program == nullptr ? Program::kNoMemory : program->parse(table.as<double>(), table.length);
  if (problem == Program::kNoMemory) args.out_of_memory("a program");
  else if (problem != nullptr) args.range_error(problem);
  if (args.failed()) {
    unmake(program);
    return args.undefined();
  }
  napi_value object;
  if (napi_create_object(info.Env(), &object) != napi_ok ||
      napi_wrap(info.Env(), object, program, end_program, nullptr, nullptr) != napi_ok) {
    unmake(program);
    args.out_of_memory("a program");
    return args.undefined();
  }
  int64_t all;
  napi_adjust_external_memory(info.Env(), static_cast<int64_t>(program->bytes()), &all);
  if (napi_type_tag_object(info.Env(), object, &kProgramTag) != napi_ok) {
    args.out_of_memory("a program");  // the object has it: it goes with it
    return args.undefined();
  }
  return {info.Env(), object};
}

Program* program_of(Arguments& args) {
  const napi_value object = args.next();
  bool is_one = false;
  void* data = nullptr;
  if (napi_check_object_type_tag(args.env(), object, &kProgramTag, &is_one) != napi_ok || !is_one ||
      napi_unwrap(args.env(), object, &data) != napi_ok) {
    args.type_error("program must be one that makeProgram made");
  }
  return static_cast<Program*>(data);
}

// Where the caller has located places, the factor that gradients are unscaled by, and draws.
void put_located(Arguments& args, Program& program, const Floats& numbers) {
  size_t next = 0;
  for (size_t i = 0; i < program.place_count(); ++i) {
    const ProgramPlace& place = program.place(i);
    if (place.is_given) continue;
    const double address = next < numbers.length ? numbers.as<double>()[next] : -1;
    ++next;
    if (!(address >= 0 && address <= kMaxSafeInteger) || (address == 0 && place.bytes > 0)) {
      return args.range_error("numbers must have an address for each place");
    }
    program.put_place(i, pointer_at(address));
  }
  args.require(numbers.length == next + 1 + 3 * program.draw_count(),
               "numbers must have an address for each place, a factor, and three numbers for each draw");
  if (args.failed()) return;
  program.put_unscale(numbers.as<double>()[next++]);
  for (size_t i = 0; i < program.draw_count(); ++i) {
    uint64_t draw[3];
    for (uint64_t& number : draw) {
      const double value = numbers.as<double>()[next++];
      if (!(value >= 0 && value <= kMaxSafeInteger)) return args.range_error("a draw must be of whole numbers");
      number = static_cast<uint64_t>(value);
    }
    program.put_draw(i, {draw[0], draw[1], draw[2]});
  }
}

napi_value element(Arguments& args, napi_value list, size_t i) {
  napi_value item = nullptr;
  // Fails in a thread that is being terminated.
  const bool found = napi_get_element(args.env(), list, static_cast<uint32_t>(i), &item) == napi_ok;
  if (!found) args.type_error("given must be an array");
  return item;
}

void put_given_place(Arguments& args, Program& program, size_t i, napi_value item) {
  const size_t kind = program.place(i).kind;
  Floats array;
  if (kind < kFormatCount) array = args.floats_of(item, "an input");
  else if (kind == kInt32Place) array = args.wholes_of(item, napi_int32_array, "an input");
  else array = args.wholes_of(item, napi_uint8_array, "an input");
  if (args.failed()) return;
  if (kind < kFormatCount && array.format != static_cast<Format>(kind)) {
    return args.type_error("an input has another dtype");
  }
  args.require(array.length == program.given_length(i), "an input has the wrong number of elements");
  program.put_place(i, array.data);
}

// Whether all indices are in their list's range; `wrong` tells which is not.
bool put_given_list(Arguments& args, Program& program, size_t i, size_t number, napi_value item, double& wrong) {
  const Int32s array = args.int32s_of(item, "an input");
  const size_t length = program.given_list_length(i);
  args.require(array.length == length, "an input has the wrong number of elements");
  if (args.failed()) return false;
  const int32_t* const copy = program.put_list(i, array.data);
  const size_t position = first_outside({copy, length}, program.list(i).limit);
  if (position == length) return true;
  constexpr double kList = 4294967296.0;
  wrong = static_cast<double>(number) * kList + static_cast<double>(position);
  return false;
}

bool put_given(Arguments& args, Program& program, napi_value given, double& wrong) {
  size_t next = 0, number = 0;
  for (size_t i = 0; i < program.place_count() && !args.failed(); ++i) {
    if (!program.place(i).is_given) continue;
    const napi_value item = element(args, given, next++);
    if (!args.failed()) put_given_place(args, program, i, item);
  }
  for (size_t i = 0; i < program.list_count() && !args.failed(); ++i) {
    if (program.list(i).parts > 0) continue;
    const napi_value item = element(args, given, next++);
    if (!args.failed() && !put_given_list(args, program, i, number++, item, wrong)) return false;
  }
  return !args.failed();
}

// A program that has been given all that it needs.
struct Ready {
  Program* program = nullptr;
  Exchange* exchange = nullptr;  // of one that has ranks
  double* statistics = nullptr;
  double wrong = -1;  // or which index is out of range

  // How long it waits for other ranks.
  TaskStatus run(const Patience& patience) const {
    Program::Result result;
    if (exchange != nullptr) exchange->have_patience(patience);
    const TaskStatus status = program->run(result, exchange);
    if (exchange != nullptr) exchange->have_patience(kEndless);
    if (status != TaskStatus::done) return status;
    statistics[0] = result.loss;
    statistics[1] = result.norm;
    statistics[2] = result.applied ? 1 : 0;
    return TaskStatus::done;
  }
};

// Whether other ranks did not meet this one: the caller knows what to make of it.
bool is_aborted(TaskStatus status, const Program& program) {
  return status == TaskStatus::not_exchanged && program.exchange().problem() == Problem::aborted;
}

bool is_range_error(TaskStatus status, const Program& program) {
  return status == TaskStatus::bad_index ||
         (status == TaskStatus::not_exchanged && program.exchange().problem() == Problem::unlike);
}

// What is wrong with a run; nullptr where nothing is, or where it was aborted, which is no error here.
const char* failure_of(TaskStatus status, const Program& program) {
  switch (status) {
    case TaskStatus::no_memory: return "out of memory: a step";
    case TaskStatus::bad_index: return kBadIndex;
    case TaskStatus::not_exchanged: return is_aborted(status, program) ? nullptr : program.exchange().text();
    case TaskStatus::absent:
    case TaskStatus::done: break;
  }
  return nullptr;
}

// (program, numbers, given, statistics, table | undefined, exchange | undefined). False: it has thrown, or an index is
// wrong.
bool read_run(Arguments& args, Ready& ready) {
  ready.program = program_of(args);
  if (args.failed()) return false;
  ready.program->has_run = false;
  const Floats numbers = args.floats("numbers", Format::float64);
  const Napi::Value given = args.next();
  const Floats statistics = args.floats("statistics", Format::float64, 3);
  if (args.failed()) return false;
  ready.statistics = statistics.as<double>();
  put_located(args, *ready.program, numbers);
  if (args.failed() || !put_given(args, *ready.program, given, ready.wrong)) return false;
  if (ready.program->tail().has_step) {
    if (!read_program_step(args, ready.program->step())) return false;
    args.require(ready.program->step_fits(), "the step of a program must be of its gradients");
  } else {
    args.next();  // no table
  }
  const Napi::Value exchange = args.next();
  if (args.failed() || ready.program->ranks() == 0) return !args.failed();
  ready.exchange = exchange_of(args, exchange);
  args.require(ready.exchange != nullptr && ready.exchange->size() == ready.program->ranks(),
               "exchange must be of as many ranks as the program was made for");
  args.require(args.failed() || ready.program->is_of_rank(ready.exchange->rank()),
               "exchange must be of the rank that the program was made for");
  return !args.failed();
}

Napi::Value refused(Arguments& args, const Ready& ready) {
  return args.failed() ? args.undefined() : Napi::Value(Napi::Number::New(args.env(), ready.wrong));
}

// runProgram(program, numbers, given, statistics, table | undefined, exchange | undefined): undefined, or which index
// is out of range, or why the ranks did not meet
Napi::Value run_program(const Info& info) {
  Arguments args(info);
  Ready ready;
  if (!read_run(args, ready)) return refused(args, ready);
  UntilTerminated until(info.Env());
  const TaskStatus status = ready.run(until.patience());
  const char* const failure = failure_of(status, *ready.program);
  if (failure == nullptr) {
    if (!is_aborted(status, *ready.program)) return args.undefined();
    return Napi::String::New(info.Env(), ready.program->exchange().text());
  }
  if (status == TaskStatus::no_memory) args.out_of_memory("a step");
  else if (is_range_error(status, *ready.program)) args.range_error(failure);
  else Napi::Error::New(info.Env(), failure).ThrowAsJavaScriptException();
  return args.undefined();
}

class ProgramJob : public PromisedJob {
 public:
  // Once it has been enqueued its thread may end without it.
  void run() override { status_ = ready.run({is_over, queue}); }
  const char* failure() const override { return failure_of(status_, *ready.program); }
  bool is_range_error() const override { return gradstep::is_range_error(status_, *ready.program); }
  napi_status value(napi_env env, napi_value* value) const override {
    if (!is_aborted(status_, *ready.program)) return napi_get_undefined(env, value);
    return napi_create_string_utf8(env, ready.program->exchange().text(), NAPI_AUTO_LENGTH, value);
  }

  Ready ready;
  Queue* queue = nullptr;

 private:
  static bool is_over(void* queue) { return static_cast<Queue*>(queue)->is_closed(); }

  TaskStatus status_ = TaskStatus::no_memory;
};

// runProgramAsync(held, program, numbers, given, statistics, table | undefined, exchange | undefined): Promise, or
// which index is wrong
Napi::Value run_program_async(const Info& info) {
  Arguments args(info);
  const Napi::Value held = args.object("held");
  Owned<ProgramJob> job = make_job<ProgramJob>();
  if (job == nullptr) args.out_of_memory("a step");
  if (args.failed()) return args.undefined();
  if (!read_run(args, job->ready)) return refused(args, job->ready);
  job->queue = Environment::of(info.Env())->jobs.queue();
  return enqueued(info.Env(), std::move(job), held);
}

// Program, exchange and why this rank does not run it; whether a run was asked for, in which case it may have been
// made.
struct Missing {
  Program* program = nullptr;
  Exchange* exchange = nullptr;
  std::string why;

  // False: it has thrown, or there is nobody to be told.
  bool read(Arguments& args) {
    program = program_of(args);
    const Napi::Value given = args.next();
    why = args.string("why");
    const bool was_asked_for = args.boolean("wasAskedFor");
    if (args.failed() || program->ranks() == 0 || (was_asked_for && program->has_run)) return false;
    exchange = exchange_of(args, given);
    args.require(exchange != nullptr && exchange->size() == program->ranks(),
                 "exchange must be of as many ranks as the program was made for");
    return !args.failed();
  }

  void tell(const Patience& patience) const {
    exchange->have_patience(patience);
    program->miss(why.c_str(), *exchange);
    exchange->have_patience(kEndless);
  }
};

// missProgram(program, exchange, why, wasAskedFor)
Napi::Value miss_program(const Info& info) {
  Arguments args(info);
  Missing missing;
  if (!missing.read(args)) return args.undefined();
  UntilTerminated until(info.Env());
  missing.tell(until.patience());
  return args.undefined();
}

class MissJob : public PromisedJob {
 public:
  void run() override { missing.tell({is_over, queue}); }
  const char* failure() const override { return nullptr; }

  Missing missing;
  Queue* queue = nullptr;

 private:
  static bool is_over(void* queue) { return static_cast<Queue*>(queue)->is_closed(); }
};

// missProgramAsync(held, program, exchange, why, wasAskedFor): Promise<void> | undefined
Napi::Value miss_program_async(const Info& info) {
  Arguments args(info);
  const Napi::Value held = args.object("held");
  Owned<MissJob> job = make_job<MissJob>();
  if (job == nullptr) args.out_of_memory("a step");
  if (args.failed() || !job->missing.read(args)) return args.undefined();
  job->queue = Environment::of(info.Env())->jobs.queue();
  return enqueued(info.Env(), std::move(job), held);
}

}  // namespace

void export_program(Napi::Env env, Napi::Object exports) {
  add<make_program>(env, exports, "makeProgram");
  add<run_program>(env, exports, "runProgram");
  add<run_program_async>(env, exports, "runProgramAsync");
  add<miss_program>(env, exports, "missProgram");
  add<miss_program_async>(env, exports, "missProgramAsync");
}

}  // namespace gradstep
