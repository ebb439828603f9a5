// A step as a value: groups, dtypes and sparse gradients in one, at the same time on several threads, and with memory
// that runs out at every single place.
#include "../drivers/laid_out_step.h"
#include "../drivers/update.h"

#include <stdlib.h>
#include <string.h>

#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "../runtime/dispatch.h"
#include "../runtime/pool.h"
#include "check.h"
#include "scarce_memory.h"

using namespace gradstep;

namespace {

size_t rule_named(const char* name) {
  for (size_t r = 0; r < kRuleCount; ++r) {
    if (strcmp(scalar::kTable.rules[r].name, name) == 0) return r;
  }
  return kRuleCount;
}

// A variable, its slots and its gradient.
template <class T> struct Owned {
  std::vector<T> param, gradient;
  std::vector<std::vector<T>> slots;
  std::vector<int32_t> indices;
  bool sparse = false;
  size_t row_elements = 1, group = 0;
  double factor = 0.5;

  Owned(size_t length, std::mt19937& random) : param(length), gradient(length), slots(kMaxSlots, param) {
    for (T& x : param) x = std::normal_distribution<T>()(random);
    for (T& x : gradient) x = std::normal_distribution<T>()(random);
    for (auto& slot : slots) {
      for (T& x : slot) x = std::uniform_real_distribution<T>(0.5, 1)(random);
    }
  }

  VariableUpdate update() {
    VariableUpdate result = {group, param.size(), factor, gradient.data(), param.data(), {}, {}};
    for (size_t k = 0; k < kMaxSlots; ++k) result.slots[k] = slots[k].data();
    result.formats = Stored<T, T, T>::formats();
    return result;
  }
  bool add_to(Update& update_) {
    if (!sparse) return update_.add(update());
    return update_.add(update(), row_elements, indices.data(), indices.size()) != nullptr;
  }
  bool operator==(const Owned& other) const { return param == other.param && slots == other.slots; }
};

// Variables of both dtypes in three groups; some of them have sparse gradients.
struct Model {
  std::vector<Owned<float>> floats;
  std::vector<Owned<double>> doubles;
  std::vector<double> hyper;

  Model(size_t rule, bool sparse) {
    std::mt19937 random(7);
    for (const size_t length : {1000, 40000, 64, 0, 64, 120, 50000, 33}) {
      floats.emplace_back(length, random);
      doubles.emplace_back(length, random);
    }
    for (size_t i = 0; i < floats.size(); ++i) {
      floats[i].group = i % 3;
      doubles[i].group = 2 - i % 3;
      if (sparse && (i == 1 || i == 5)) {
        make_sparse(floats[i], random);
        make_sparse(doubles[i], random);
      }
    }
    const size_t hyper_count = scalar::kTable.rules[rule].hyper_count;
    for (size_t i = 0; i < 3 * hyper_count; ++i) hyper.push_back(0.25 + 0.01 * double(i));
  }

  template <class T> static void make_sparse(Owned<T>& variable, std::mt19937& random) {
    variable.sparse = true;
    variable.row_elements = 8;
    const size_t rows = variable.param.size() / 8;
    for (size_t i = 0; i < rows / 2; ++i) variable.indices.push_back(int32_t(random() % (rows / 4)));
    variable.gradient.resize(variable.indices.size() * 8);
  }

  bool prepare(Update& update, size_t rule, bool all_rows) {
    bool ok = update.start(rule, all_rows, hyper.data(), 3);
    for (auto& variable : floats) ok = ok && variable.add_to(update);
    for (auto& variable : doubles) ok = ok && variable.add_to(update);
    return ok && update.prepare();
  }
  bool step(Update& update, size_t rule, bool all_rows) {
    const bool ok = prepare(update, rule, all_rows);
    if (ok) update.run();
    update.clear();
    return ok;
  }
  bool operator==(const Model& other) const { return floats == other.floats && doubles == other.doubles; }
};

// One variable at a time, each in an update of its own.
void step_alone(Model& model, size_t rule, bool all_rows) {
  const size_t hyper_count = scalar::kTable.rules[rule].hyper_count;
  const auto alone = [&](auto& variable) {
    Update update;
    auto copy = variable;
    copy.group = 0;
    bool ok = update.start(rule, all_rows, model.hyper.data() + variable.group * hyper_count, 1);
    ok = ok && copy.add_to(update) && update.prepare();
    check(ok, "a variable alone finds memory");
    if (ok) update.run();
    variable.param = copy.param;
    variable.slots = copy.slots;
  };
  for (auto& variable : model.floats) alone(variable);
  for (auto& variable : model.doubles) alone(variable);
}

const char* const kRules[] = {"adam", "gradientDescent", "lamb", "lars"};

void variables_step_together_as_they_would_alone() {
  for (const char* name : kRules) {
    const size_t rule = rule_named(name);
    for (const bool sparse : {false, true}) {
      for (const bool all_rows : {false, true}) {
        Model expected(rule, sparse);
        step_alone(expected, rule, all_rows);
        for (const size_t count : {1, 2, 4}) {
          set_threads(count);
          Model model(rule, sparse);
          Update update;
          check(model.step(update, rule, all_rows), "a step finds memory");
          check(model == expected, std::string(name) + " on " + std::to_string(count) + " threads, all at once");
        }
      }
    }
  }
}

void an_update_can_be_used_again() {
  set_threads(2);
  const size_t adam = rule_named("adam"), lars = rule_named("lars");
  Model model(adam, true), expected(adam, true), other(lars, true);
  Update update;
  for (int i = 0; i < 3; ++i) {
    Update fresh;
    check(expected.step(fresh, adam, false) && model.step(update, adam, false), "a step finds memory");
    check(model == expected, "an update that has run before does the same");
    check(other.step(update, lars, true), "another rule in between");
  }
  const size_t before = scarce_memory::allocations;
  for (int i = 0; i < 10; ++i) model.step(update, adam, false);
  check(scarce_memory::allocations == before, "steps that are all alike allocate nothing");
}

void one_update_is_put_together_while_another_waits() {
  const size_t rule = rule_named("adam");
  Model a(rule, true), b(rule, true), expected(rule, true);
  Update first, second, alone;
  check(expected.step(alone, rule, true), "a step finds memory");
  check(a.prepare(first, rule, true) && b.prepare(second, rule, true), "two updates at once find memory");
  // They own what they were told.
  for (Model* model : {&a, &b}) {
    model->hyper.assign(model->hyper.size(), 1e9);
    for (auto& variable : model->floats) variable.indices.assign(variable.indices.size(), INT32_MAX);
  }
  first.run();
  second.run();
  check(a == expected && b == expected, "both do what they were put together for");
}

void threads_step_at_the_same_time() {
  const size_t rule = rule_named("adam");
  set_threads(3);
  Model expected(rule, true);
  Update update;
  for (int i = 0; i < 5; ++i) check(expected.step(update, rule, true), "a step finds memory");
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&] {
      Model model(rule, true);
      Update own;
      bool ok = true;
      for (int i = 0; i < 5; ++i) ok = model.step(own, rule, true) && ok;
      check(ok && model == expected, "two threads step models of their own at the same time");
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// Indices may lie in memory that another thread writes: the copy is what counts, and it is what the caller checks.
void indices_are_read_once() {
  std::atomic<bool> stop{false};
  int32_t shared[4] = {0, 1, 2, 3};
  std::thread writer([&] {
    for (int32_t i = 0; !stop; ++i) __atomic_store_n(&shared[i & 3], i & 7, __ATOMIC_RELAXED);
  });
  std::mt19937 random(1);
  Owned<float> variable(32, random);
  const double hyper[] = {0.1};
  Update update;
  bool ok = true;
  for (int i = 0; i < 1000; ++i) {
    ok = ok && update.start(rule_named("gradientDescent"), false, hyper, 1);
    const int32_t* const copy = update.add(variable.update(), 4, shared, 4);
    ok = ok && copy != nullptr;
    for (size_t k = 0; ok && k < 4; ++k) ok = copy[k] >= 0 && copy[k] < 8;
    ok = ok && update.prepare();
    if (ok) update.run();
  }
  stop = true;
  writer.join();
  check(ok, "indices that change while they are read");
}

void nothing_changes_when_memory_runs_out() {
  for (const char* name : kRules) {
    const size_t rule = rule_named(name);
    Model expected(rule, true), start(rule, true);
    Update alone;
    check(expected.step(alone, rule, true), "a step finds memory");
    size_t refused = 0;
    for (size_t allowed = 0;; ++allowed) {
      Model model(rule, true);
      Update update;
      scarce_memory::allow(allowed);
      const bool done = model.step(update, rule, true);
      scarce_memory::allow_all();
      if (!done) {
        ++refused;
        check(model == start, std::string(name) + " without memory changes nothing");
        check(model.step(update, rule, true), "the same update, once there is memory");
      }
      check(model == expected, std::string(name) + " after memory had run out");
      if (done) break;
    }
    check(refused > 5, "memory ran out at several places");
  }
  const double hyper[] = {0.1};
  Update update;
  check(!update.start(0, false, hyper, SIZE_MAX / 64), "more groups than there is memory for");
}

// Each column has a format of its own; only combinations of GRADSTEP_STORED have loops.
void formats_that_have_no_loop_are_refused() {
  const size_t adam = rule_named("adam"), descent = rule_named("gradientDescent");
  const Format f32 = Format::float32, f64 = Format::float64;
  const Formats plain = Stored<float, float, float>::formats();
  check(stored_of(plain, 2) < kStoredCount, "float32 throughout has a loop");
  check(stored_of(Stored<double, double, double>::formats(), 4) < kStoredCount, "so has float64");
  check(stored_of({f32, f32, {f32, f64, f64, f64}}, 1) < kStoredCount, "slots that a rule does not have are no matter");
  const std::vector<Formats> refused = {
      {f64, f32, {f32, f32}}, {f32, f64, {f32, f32}}, {f32, f32, {f64, f32}}, {f32, f32, {f32, f64}}};
  std::mt19937 random(3);
  Owned<float> good(40, random), bad(40, random);
  bad.indices = {0, 1};
  const Owned<float> good_start = good, bad_start = bad;
  const std::vector<double> hyper(scalar::kTable.rules[adam].hyper_count, 0.1);
  for (const Formats& formats : refused) {
    VariableUpdate variable = bad.update();
    variable.formats = formats;
    Update update;
    check(update.start(adam, false, hyper.data(), 1) && good.add_to(update), "a step starts");
    check(!update.add(variable), "a dense gradient, with formats that have no loop");
    check(update.add(variable, 1, bad.indices.data(), 2) == nullptr,
          "a sparse gradient, with formats that have no loop");
    variable.length = 0;
    check(!update.add(variable), "however few elements there are");
    variable.length = 40;
    const VariableUpdate variables[] = {good.update(), variable};
    std::vector<double> memory(LaidOutStep::bytes_for(adam, 1, 2) / sizeof(double));
    const size_t bytes = memory.size() * sizeof(double);
    check(!LaidOutStep::lay_out(memory.data(), bytes, adam, 1, variables, 2), "a step that would be laid out");
    check(LaidOutStep::at(memory.data(), bytes) == nullptr, "is none");
  }
  check(good == good_start && bad == bad_start, "nothing was written");
  Update update;
  check(update.start(descent, false, hyper.data(), 1), "a step starts");
  VariableUpdate variable = good.update();
  variable.formats.slots[0] = f64;
  check(update.add(variable) && update.prepare(), "a rule without slots does not care for theirs");
}

void formats_are_what_they_say() {
  for (size_t f = 0; f < kFormatCount; ++f) {
    check(strncmp(kFormatNames[f], "float", 5) != 0 || kFormatBytes[f] * 8 == size_t(atoi(kFormatNames[f] + 5)),
          std::string("the bytes of ") + kFormatNames[f]);
    for (size_t r = 0; r < kRuleCount; ++r) {
      const Rule& rule = scalar::kTable.rules[r];
      const RuleKernels kernels = rule_kernels(arithmetic_of(rule, Format(f)), r);
      check(kernels.step != nullptr, std::string(rule.name) + " has a loop in its arithmetic");
      check((kernels.measure != nullptr) == rule.measured, std::string(rule.name) + " measures or does not");
    }
  }
  char column[64];
  check(column_at(column, Format::float32, 3) == column + 12, "the fourth float32 lies 12 bytes on");
  check(column_at(column, Format::float64, 3) == column + 24, "the fourth float64 lies 24 bytes on");
  Range range = {};
  range.param = range.slots[0] = range.slots[1] = column;
  range.formats = {Format::float64, Format::float32, {Format::float32, Format::float64}};
  range.count = 8;
  const Range half = part(range, 4, 8);
  check(half.param == column + 32 && half.slots[0] == column + 16 && half.slots[1] == column + 32 &&
            half.gradient == nullptr && half.slots[2] == nullptr && half.count == 4,
        "a part of a range lies in each column where that column's format says");
}

// A step that is laid out in memory of the caller's, which is what JavaScript does.
struct LaidOut {
  std::vector<double> memory;
  size_t rule, bytes;

  LaidOut(Model& model, size_t rule_) : rule(rule_) {
    std::vector<VariableUpdate> variables;
    for (auto& variable : model.floats) variables.push_back(variable.update());
    for (auto& variable : model.doubles) variables.push_back(variable.update());
    bytes = LaidOutStep::bytes_for(rule, 3, variables.size());
    memory.resize(bytes / sizeof(double));
    check(!LaidOutStep::lay_out(memory.data(), bytes - 8, rule, 3, variables.data(), variables.size()),
          "too little memory is no step's");
    check(LaidOutStep::at(memory.data(), bytes) == nullptr, "memory in which nothing was laid out is no step");
    check(LaidOutStep::lay_out(memory.data(), bytes, rule, 3, variables.data(), variables.size()),
          "a step is laid out");
  }

  bool run(Model& model) {
    double* next = memory.data() + LaidOutStep::kHeaderNumbers;
    for (const double h : model.hyper) *next++ = h;
    const auto write = [&](auto& variable) {
      *next++ = variable.factor;
      *next++ = double(reinterpret_cast<uintptr_t>(variable.gradient.data()));
    };
    for (auto& variable : model.floats) write(variable);
    for (auto& variable : model.doubles) write(variable);
    LaidOutStep* const step = LaidOutStep::at(memory.data(), bytes);
    return step != nullptr && step->run();
  }
};

void a_step_that_is_laid_out_runs_again_and_again() {
  for (const char* name : kRules) {
    const size_t rule = rule_named(name);
    Model model(rule, false), expected(rule, false);
    LaidOut laid_out(model, rule);
    for (int round = 0; round < 3; ++round) {
      for (Model* each : {&model, &expected}) {
        each->hyper[0] += 0.125;
        each->floats[1].factor *= 0.75;
        std::vector<float>(each->floats[1].gradient).swap(each->floats[1].gradient);  // elsewhere
      }
      Update update;
      check(expected.step(update, rule, false) && laid_out.run(model), "both step");
      check(model == expected, std::string("a step that is laid out gives the bytes of another: ") + name);
    }
    std::vector<double> copy = laid_out.memory;
    check(LaidOutStep::at(copy.data(), laid_out.bytes) == nullptr, "a copy is no step: its addresses are another's");
  }
}

void laid_out_steps_run_at_the_same_time() {
  const size_t rule = rule_named("adam");
  Model expected(rule, false);
  Update update;
  for (int round = 0; round < 10; ++round) check(expected.step(update, rule, false), "a step finds memory");
  const auto work = [&] {
    Model model(rule, false);
    LaidOut laid_out(model, rule);
    for (int round = 0; round < 10; ++round) check(laid_out.run(model), "a step runs");
    check(model == expected, "what is laid out on one thread is nothing to another");
  };
  std::thread first(work), second(work);
  first.join();
  second.join();
}

}  // namespace

int main() {
  variables_step_together_as_they_would_alone();
  an_update_can_be_used_again();
  one_update_is_put_together_while_another_waits();
  threads_step_at_the_same_time();
  indices_are_read_once();
  nothing_changes_when_memory_runs_out();
  formats_that_have_no_loop_are_refused();
  formats_are_what_they_say();
  a_step_that_is_laid_out_runs_again_and_again();
  laid_out_steps_run_at_the_same_time();
  return report();
}
