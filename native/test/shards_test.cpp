// Programs whose step is divided among ranks: the bytes of the step that all make whole.
#include <math.h>
#include <string.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "../drivers/meeting_exchange.h"
#include "../drivers/program.h"
#include "../kernels/table.h"
#include "check.h"
#include "program_table.h"
#include "ranks.h"
#include "scarce_memory.h"

using namespace gradstep;

namespace {

using Bounds = std::vector<size_t>;

constexpr size_t kDense = 12, kRows = 5, kListed = 3, kColumns = 2, kTable = kRows * kColumns;

// Where the elements of each rank end. Of rows they end within some.
Bounds divided(size_t length, size_t ranks) {
  Bounds bounds{0};
  for (size_t rank = 1; rank < ranks; ++rank) bounds.push_back(length * rank / ranks);
  bounds.push_back(length);
  return bounds;
}

struct Shape {
  size_t ranks = 1, rank = 0;
  Clip clip = Clip::none;
  bool is_divided = true;
};

// In float32. Gradients are copies of what is given: x [12] of all of a variable and y [3, 2] of rows of a table of 5.
Table program(const Shape& of) {
  const double copy = number_of(TaskKind::copy);
  Table table;
  append(table, {1024, 1, 0, 4});
  append(table, {kDense * 4, 0, 1, 0, kListed * kColumns * 4, 0, 1, 0});  // places 1 and 2: x and y
  append(table, {kDense * 4, 0, 0, 0, kTable * 4, 0, 0, 0});              // places 3 and 4: the variable and the table
  append(table, {1, kListed, 0, kRows, 0});
  append(table, {0});
  append(table, {2});
  append(table, {copy, 0, 0, 0, 0, 1, 0, kDense, 0});
  append(table, {copy, 0, 0, 0, 128, 2, 0, kListed * kColumns, 0});
  append(table, {0});
  append(table, {0, 1, 0, 1});
  append(table, {0, static_cast<double>(of.clip), 0.5, 0, 1, 2});
  append(table, {0, 0, 0, kDense, 0, 0, 0, 0, 0});
  append(table, {0, 0, 128, kListed * kColumns, 1, 0, kRows, kColumns, 0, 512, 0, 0});
  append(table, {static_cast<double>(of.ranks), 0, 2});
  append(table, {2, 0, 0, 0, 16, 1, 0, 0});
  append(table, {2, 1, 1});
  if (!of.is_divided) return table;
  append(table, {static_cast<double>(of.rank)});
  for (const size_t length : {kDense, kTable}) {
    append(table, {length == kDense ? 3.0 : 4.0, 0});
    for (const size_t bound : divided(length, of.ranks)) table.push_back(static_cast<double>(bound));
  }
  return table;
}

size_t momentum() {
  for (size_t rule = 0; rule < kRuleCount; ++rule) {
    if (strcmp(scalar::kTable.rules[rule].name, "momentum") == 0) return rule;
  }
  return 0;
}

// What a rank has: variables, and slots of all of them, of which a divided step uses its part.
struct Rank {
  explicit Rank(const Shape& shape) : of(shape), variables(2), slots(2) {
    for (const size_t length : {kDense, kTable}) {
      const size_t i = length == kDense ? 0 : 1;
      for (size_t k = 0; k < length; ++k) variables[i].push_back(static_cast<float>(sin(double(k + 7 * i))));
      slots[i].resize(length);
    }
  }

  void put(Program& program, size_t run) {
    x.clear();
    y.clear();
    for (size_t i = 0; i < kDense; ++i) x.push_back(static_cast<float>(sin(double(i + 31 * of.rank + 5 * run))));
    for (size_t i = 0; i < kListed * kColumns; ++i)
      y.push_back(static_cast<float>(cos(double(i + 17 * of.rank + run))));
    list = {static_cast<int32_t>((3 * of.rank + run) % kRows), static_cast<int32_t>(run % kRows), 4};
    program.put_place(0, x.data());
    program.put_place(1, y.data());
    program.put_place(2, variables[0].data());
    program.put_place(3, variables[1].data());
    program.put_list(0, list.data());
    put_step(program.step());
  }

  void put_step(ProgramStep& step) {
    step.rule = momentum();
    step.groups = 1;
    check(step.hyper.resize(2) && step.variables.resize(2) && step.row_elements.resize(2), "there is memory");
    step.hyper[0] = 0.1;
    step.hyper[1] = 0.9;
    for (size_t i = 0; i < 2; ++i) {
      const Bounds bounds = divided(variables[i].size(), of.ranks);
      const size_t begin = of.is_divided ? bounds[of.rank] : 0;
      const size_t end = of.is_divided ? bounds[of.rank + 1] : variables[i].size();
      VariableUpdate update = {};
      update.length = end - begin;
      update.param = variables[i].data() + begin;
      update.slots[0] = slots[i].data() + begin;
      step.variables[i] = update;
      step.row_elements[i] = begin % 2 == 0 && end % 2 == 0 ? 2 : 1;
    }
  }

  Shape of;
  std::vector<std::vector<float>> variables, slots;
  std::vector<float> x, y;
  std::vector<int32_t> list;
};

std::unique_ptr<Program> parsed(const Shape& of) {
  auto made = std::make_unique<Program>();
  const Table table = program(of);
  const char* const problem = made->parse(table.data(), table.size());
  check(problem == nullptr, std::string("a program is parsed: ") + (problem ? problem : ""));
  return made;
}

bool same(const std::vector<float>& a, const std::vector<float>& b, size_t begin, size_t end) {
  return begin == end || memcmp(a.data() + begin, b.data() + begin, (end - begin) * sizeof(float)) == 0;
}

void divided_steps_have_the_bytes_of_whole_ones() {
  for (const size_t ranks : {1, 2, 3, 4}) {
    for (const Clip clip : {Clip::none, Clip::global_norm, Clip::value, Clip::norm, Clip::average_norm}) {
      const std::string name = std::to_string(ranks) + " ranks, clip " + std::to_string(static_cast<int>(clip));
      MeetingPlace place(ranks);
      on_threads(ranks, [&](size_t rank) {
        MeetingExchange exchange(&place.meeting(), rank);
        Rank whole({ranks, rank, clip, false}), part({ranks, rank, clip, true});
        const auto all = parsed(whole.of), own = parsed(part.of);
        check(own->is_of_rank(rank) && !own->is_of_rank(rank + 1), "a divided program is of one rank");
        for (size_t run = 0; run < 4; ++run) {
          for (const auto& [of, program] : {std::pair(&whole, &*all), std::pair(&part, &*own)}) {
            of->put(*program, run);
            check(program->step_fits(), name + ": the step fits");
            Program::Result result = {};
            const bool is_done = program->run(result, &exchange) == TaskStatus::done && result.applied;
            check(is_done, name + ": a step is made");
          }
          for (size_t i = 0; i < 2; ++i) {
            const size_t length = whole.variables[i].size();
            const Bounds bounds = divided(length, ranks);
            check(same(whole.variables[i], part.variables[i], 0, length), name + ": variables are the same on all");
            check(same(whole.slots[i], part.slots[i], bounds[rank], bounds[rank + 1]), name + ": slots are the same");
          }
        }
      });
    }
  }
}

void a_rank_that_is_gone_leaves_all_as_it_was() {
  constexpr size_t kRanks = 3;
  MeetingPlace place(kRanks);
  on_threads(kRanks, [&](size_t rank) {
    MeetingExchange exchange(&place.meeting(), rank);
    Rank own({kRanks, rank});
    const auto program = parsed(own.of);
    for (size_t run = 0; run < 5; ++run) {
      own.put(*program, run);
      if (rank == 1 && run == 3) return place.meeting().break_up(7);
      const auto variables = own.variables, slots = own.slots;
      Program::Result result = {};
      const TaskStatus status = program->run(result, &exchange);
      check(status == (run < 3 ? TaskStatus::done : TaskStatus::not_exchanged), "the others are not left waiting");
      if (run < 3) continue;
      check(own.variables == variables && own.slots == slots && !result.applied, "nothing has changed");
    }
  });
}

void ranks_that_divide_otherwise_are_refused() {
  constexpr size_t kRanks = 2;
  MeetingPlace place(kRanks);
  on_threads(kRanks, [&](size_t rank) {
    MeetingExchange exchange(&place.meeting(), rank);
    Rank own({kRanks, rank, Clip::none, rank == 0});
    const auto program = parsed(own.of);
    own.put(*program, 0);
    Program::Result result = {};
    check(program->run(result, &exchange) == TaskStatus::not_exchanged, "other parts are other programs");
    check(program->exchange().problem() == ProgramExchange::Problem::unlike, "they are told so");
  });
}

// Counts how often it is asked to make something, and says at which meeting there is nobody.
class Counting final : public Exchange {
 public:
  size_t rank() const override { return 0; }
  size_t size() const override { return 2; }
  void start_sum(void*, size_t, Format) override {}
  void start_gather(const void* values, size_t bytes, void* out) override {
    for (size_t rank = 0; rank < 2; ++rank) {
      if (bytes > 0) memcpy(static_cast<char*>(out) + rank * bytes, values, bytes);
    }
  }
  const char* wait() override { return nullptr; }
  const char* gather_made(const WhenCertain& make, const Piece*, size_t) override {
    if (is_gone) return "nobody is there";
    make.run(make.context);
    ++made;
    return nullptr;
  }

  bool is_gone = false;
  size_t made = 0;
};

// Every prefix, and every number of what is divided replaced by others.
void wrong_tables_are_refused() {
  const double numbers[] = {0, 1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 48, 64, 1e9, -1, 0.5, 2e16, NAN};
  const Table table = program({2, 0}), whole = program({2, 0, Clip::none, false});
  size_t refused = 0, ran = 0;
  const auto attempt = [&](const Table& other) {
    Program program;
    const Table exact(other);
    if (program.parse(exact.data(), exact.size()) != nullptr) return ++refused, void();
    Rank own({2, 0});
    own.put(program, 0);
    if (!program.step_fits() || !program.is_of_rank(0)) return;
    Counting exchange;
    Program::Result result = {};
    ran += program.run(result, &exchange) == TaskStatus::done;
  };
  for (size_t i = whole.size() + 1; i < table.size(); ++i) attempt({table.begin(), table.begin() + std::ptrdiff_t(i)});
  for (size_t i = whole.size(); i < table.size(); ++i) {
    for (const double number : numbers) {
      Table other = table;
      other[i] = number;
      attempt(other);
    }
  }
  check(refused > 100 && ran > 0, "most tables are refused, and some run");
}

void finds_no_memory() {
  const Table table = program({2, 0});
  for (size_t allowed = 0;; ++allowed) {
    Program program;
    scarce_memory::allow(allowed);
    const char* const problem = program.parse(table.data(), table.size());
    scarce_memory::allow_all();
    if (problem == nullptr) break;
    check(problem == Program::kNoMemory, "a program that finds no memory says so");
    if (allowed > 1000) return check(false, "a program takes a bounded number of allocations");
  }
  // A step that finds none: all are told before any has made its part.
  for (size_t allowed = 0; allowed < 100; ++allowed) {
    Rank own({2, 0});
    const auto program = parsed(own.of);
    own.put(*program, 0);
    const auto before = own.variables;
    Counting exchange;
    Program::Result result = {};
    scarce_memory::allow(allowed);
    const TaskStatus status = program->run(result, &exchange);
    scarce_memory::allow_all();
    if (status == TaskStatus::done) return check(allowed > 0 && exchange.made == 1, "a step takes memory");
    check(status == TaskStatus::no_memory && exchange.made == 0 && own.variables == before, "nothing has changed");
  }
  check(false, "a step takes a bounded number of allocations");
}

void is_not_made_where_nobody_is() {
  Rank own({2, 0});
  const auto program = parsed(own.of);
  own.put(*program, 0);
  const auto before = own.variables;
  Counting exchange;
  exchange.is_gone = true;
  Program::Result result = {};
  check(program->run(result, &exchange) == TaskStatus::not_exchanged && !result.applied, "it is not made");
  check(strcmp(program->exchange().text(), "nobody is there") == 0 && own.variables == before, "it is told why");
}

}  // namespace

int main() {
  divided_steps_have_the_bytes_of_whole_ones();
  a_rank_that_is_gone_leaves_all_as_it_was();
  ranks_that_divide_otherwise_are_refused();
  wrong_tables_are_refused();
  finds_no_memory();
  is_not_made_where_nobody_is();
  return report();
}
