// Programs that exchange their gradients: among threads, and with others that tell lies.
#include "../runtime/exchange.h"

#include <math.h>
#include <string.h>

#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "../drivers/meeting_exchange.h"
#include "../drivers/program.h"
#include "check.h"
#include "program_table.h"
#include "ranks.h"
#include "scarce_memory.h"

using namespace gradstep;

namespace {

using Problem = ProgramExchange::Problem;

constexpr size_t kDense = 8, kOther = 3, kRows = 5, kListed = 3, kColumns = 2;

struct Shape {
  size_t ranks = 1, parts = 1;
  bool is_in_place = true, unscales_first = false;
};

// In float32. Gradients are copies of what is given: x [8] and the first of its elements [3], in one bucket, and y [3,
// 2], rows of a variable of 5 that a list tells. The loss is the first of x. Before all else x is read at the place
// `where`.
Table program(const Shape& of) {
  const double parts = static_cast<double>(of.parts), is_cut = of.parts > 1 ? 1 : 0, accumulates = is_cut;
  const double bucket = of.is_in_place && of.parts == 1 ? 0 : 256;
  const double whole = of.is_in_place ? bucket : 384;
  Table table;
  append(table, {1024, parts, 0, 3});
  append(table, {kDense * 4, is_cut * kDense * 4, 1, 0});                          // place 1: x
  append(table, {kListed * kColumns * 4, is_cut * kListed * kColumns * 4, 1, 0});  // place 2: y
  append(table, {4, 0, 1, kInt32Place});                                           // place 3: where
  append(table, {1, kListed, is_cut * kListed, kRows, 0});                         // list 0
  append(table, {0});
  append(table, {4});
  append(table, {number_of(TaskKind::gatherAt), 0, 2, 0, 512, 1, 0, 3, 0, 1, 1, 1, kDense, 1, 0});  // [512] = x[where]
  append(table, {number_of(TaskKind::copy), 0, 0, 0, 0, 1, 0, kDense, 0});
  append(table, {number_of(TaskKind::copy), 0, 0, 0, 64, 1, 0, kOther, 0});
  append(table, {number_of(TaskKind::copy), 0, 0, 0, 128, 2, 0, kListed * kColumns, 0});
  append(table, {0});
  append(table, {0, 1, 0, 1});
  append(table, {accumulates, 0, 0, 1, 0, 3});
  append(table, {0, 0, 0, kDense, 0, 0, whole, 0, 0});
  append(table, {0, 0, 64, kOther, 0, 0, whole + 64, 0, 0});
  append(table, {0, 0, 128, kListed * kColumns, 1, 0, kRows, kColumns, 0, 640, 0, 768});
  append(table, {static_cast<double>(of.ranks), of.unscales_first ? 1.0 : 0, 2});
  append(table, {3, 0, 0, bucket, 16 + kOther, 2, 0, 0, 1, 16});
  append(table, {4, 1, 2});
  return table;
}

struct Given {
  std::vector<float> x, y;
  std::vector<int32_t> list, where;

  Given(size_t rank, size_t parts) : where{0} {
    for (size_t i = 0; i < parts * kDense; ++i)
      x.push_back(static_cast<float>(sin(static_cast<double>(i + 31 * rank))));
    for (size_t i = 0; i < parts * kListed * kColumns; ++i) y.push_back(static_cast<float>(cos(double(i + 17 * rank))));
    for (size_t i = 0; i < parts * kListed; ++i) list.push_back(static_cast<int32_t>((3 * rank + 2 * i) % kRows));
  }

  void put(Program& program) {
    program.put_place(0, x.data());
    program.put_place(1, y.data());
    program.put_place(2, where.data());
    program.put_list(0, list.data());
  }
};

struct Place : MeetingPlace {
  explicit Place(size_t size) : MeetingPlace(size) { check(is_made(), "a meeting is made of memory"); }
};

std::unique_ptr<Program> parsed(const Table& table) {
  auto program = std::make_unique<Program>();
  const char* const problem = program->parse(table.data(), table.size());
  check(problem == nullptr, std::string("a program is parsed: ") + (problem ? problem : ""));
  return program;
}

// What a rank has of its own: the mean over its parts.
std::vector<float> own_mean(const std::vector<float>& all, size_t length, size_t parts) {
  std::vector<float> sum(length);
  for (size_t i = 0; i < length; ++i) {
    sum[i] = all[i];
    for (size_t part = 1; part < parts; ++part) sum[i] += all[part * length + i];
    if (parts > 1) sum[i] *= static_cast<float>(1 / static_cast<double>(parts));
  }
  return sum;
}

void check_means(const Program& program, const Shape& of, float unscale, const std::string& name) {
  const float before = of.unscales_first ? unscale : 1, factor = static_cast<float>(1 / double(of.ranks));
  std::vector<float> dense(kDense), rows(kRows * kColumns);
  std::vector<bool> has_row(kRows);
  for (size_t rank = 0; rank < of.ranks; ++rank) {
    const Given given(rank, of.parts);
    std::vector<float> scaled = given.x;
    for (float& value : scaled) value *= before;
    const std::vector<float> own = own_mean(scaled, kDense, of.parts);
    for (size_t i = 0; i < kDense; ++i) dense[i] = rank == 0 ? own[i] : dense[i] + own[i];
    std::vector<float> own_rows(kRows * kColumns);
    for (size_t i = 0; i < given.list.size(); ++i) {
      for (size_t c = 0; c < kColumns; ++c) {
        float& sum = (of.parts > 1 ? own_rows : rows)[static_cast<size_t>(given.list[i]) * kColumns + c];
        sum += given.y[i * kColumns + c] * before;
      }
      has_row[static_cast<size_t>(given.list[i])] = true;
    }
    const float part_factor = static_cast<float>(1 / double(of.parts));
    for (size_t i = 0; i < rows.size() && of.parts > 1; ++i) rows[i] += own_rows[i] * part_factor;
  }
  const float expected_factor = of.unscales_first ? factor : factor * unscale;
  const GradientNow& now = program.tail().now(0);
  check(memcmp(now.values, dense.data(), kDense * 4) == 0, name + ": dense sums have the bits of their order");
  check(static_cast<float>(now.factor) == expected_factor, name + ": the mean is a factor");
  check(memcmp(program.tail().now(1).values, dense.data(), kOther * 4) == 0, name + ": so have others of the bucket");
  const GradientNow& sparse = program.tail().now(2);
  size_t k = 0;
  for (size_t row = 0; row < kRows; ++row) {
    if (!has_row[row]) continue;
    const bool is_there = k < sparse.row_count && sparse.rows[k] == static_cast<int32_t>(row);
    check(is_there, name + ": rows are in their order");
    const float* const values = static_cast<const float*>(sparse.values) + k * kColumns;
    check(is_there && memcmp(values, rows.data() + row * kColumns, kColumns * 4) == 0, name + ": rows are summed");
    ++k;
  }
  check(k == sparse.row_count && sparse.count == k * kColumns, name + ": there are no others");
}

void means_over_ranks() {
  for (const size_t ranks : {1, 2, 3, 4}) {
    for (const size_t parts : {1, 2}) {
      for (const bool is_in_place : {true, false}) {
        for (const bool unscales_first : {true, false}) {
          const Shape of = {ranks, parts, is_in_place, unscales_first || parts > 1};
          const std::string name = std::to_string(ranks) + " ranks, " + std::to_string(parts) + " parts";
          Place place(ranks);
          on_threads(ranks, [&](size_t rank) {
            MeetingExchange exchange(&place.meeting(), rank);
            const auto program = parsed(::program(of));
            for (int run = 0; run < 3; ++run) {
              Given given(rank, parts);
              given.put(*program);
              program->put_unscale(0.25);
              Program::Result result = {};
              check(program->run(result, &exchange) == TaskStatus::done && result.applied, name + ": a program runs");
              check_means(*program, of, 0.25f, name);
              double loss = 0;
              for (size_t other = 0; other < ranks; ++other) {
                const Given theirs(other, parts);
                double own = static_cast<double>(theirs.x[0]);
                if (parts > 1) own = (own + static_cast<double>(theirs.x[kDense])) * 0.5;
                loss += own;
              }
              check(result.loss == loss * (1 / static_cast<double>(ranks)), name + ": the loss is the mean");
            }
          });
        }
      }
    }
  }
}

void a_rank_that_fails_is_told_of() {
  for (const size_t parts : {1, 2}) {
    constexpr size_t kRanks = 3;
    Place place(kRanks);
    on_threads(kRanks, [&](size_t rank) {
      MeetingExchange exchange(&place.meeting(), rank);
      const auto program = parsed(::program({kRanks, parts, true, true}));
      for (int run = 0; run < 4; ++run) {
        const bool is_bad = run % 2 == 0;
        Given given(rank, parts);
        if (is_bad && rank == 1) given.where[0] = 1000;
        given.put(*program);
        Program::Result result = {};
        const TaskStatus status = program->run(result, &exchange);
        if (!is_bad) {
          check(status == TaskStatus::done, "then all go on");
          check_means(*program, {kRanks, parts, true, true}, 1, "after a failure");
          continue;
        }
        check(status == (rank == 1 ? TaskStatus::bad_index : TaskStatus::not_exchanged), "a failure ends it for all");
        const std::string text = program->exchange().text();
        check(rank == 1 || (program->exchange().problem() == Problem::left_out && text.find("rank 1 ") == 0),
              "others are told whose it was: " + text);
        check(!result.applied, "nobody has made a step");
      }
    });
  }
}

// Also one that has never been given anything.
void a_rank_that_is_absent_says_why() {
  for (const size_t parts : {1, 2}) {
    constexpr size_t kRanks = 3;
    Place place(kRanks);
    on_threads(kRanks, [&](size_t rank) {
      MeetingExchange exchange(&place.meeting(), rank);
      const auto program = parsed(::program({kRanks, parts, true, true}));
      for (int run = 0; run < 4; ++run) {
        if (run % 2 == 0 && rank == 1) {
          program->miss(run == 0 ? "it is ill" : std::string(1000, 'x').c_str(), exchange);
          check(!program->has_run || run > 0, "that is no run");
          continue;
        }
        Given given(rank, parts);
        given.put(*program);
        Program::Result result = {};
        const TaskStatus status = program->run(result, &exchange);
        if (run % 2 == 1) {
          check(status == TaskStatus::done, "then all go on");
          check_means(*program, {kRanks, parts, true, true}, 1, "after an absence");
          continue;
        }
        check(status == TaskStatus::not_exchanged && !result.applied, "nobody makes a step");
        const std::string text = program->exchange().text(), why = run == 0 ? "it is ill" : std::string(255, 'x');
        check(text == "rank 1 has no gradients for this step: " + why, "others are told why: " + text);
      }
    });
  }
}

void programs_that_differ_are_refused() {
  constexpr size_t kRanks = 3;
  Place place(kRanks);
  on_threads(kRanks, [&](size_t rank) {
    MeetingExchange exchange(&place.meeting(), rank);
    const auto program = parsed(::program({kRanks, rank == 2 ? size_t{2} : size_t{1}, true, true}));
    Given given(rank, 2);
    given.put(*program);
    Program::Result result = {};
    check(program->run(result, &exchange) == TaskStatus::not_exchanged, "programs that differ do not run");
    const std::string text = program->exchange().text();
    check(program->exchange().problem() == Problem::unlike && text.find("rank 2 ") == 0, "one is named: " + text);
  });
}

void a_rank_that_is_gone_ends_it() {
  constexpr size_t kRanks = 3;
  Place place(kRanks);
  on_threads(kRanks, [&](size_t rank) {
    MeetingExchange exchange(&place.meeting(), rank);
    const auto program = parsed(::program({kRanks, 1, true, true}));
    Given given(rank, 1);
    Program::Result result = {};
    for (int run = 0; run < 5; ++run) {
      given.put(*program);
      if (rank == 1 && run == 3) return place.meeting().break_up(7);
      const TaskStatus status = program->run(result, &exchange);
      check(status == (run < 3 ? TaskStatus::done : TaskStatus::not_exchanged), "the others are not left waiting");
      check(run < 3 || program->exchange().problem() == Problem::aborted, "they know that it was aborted");
    }
  });
}

// Says that another rank has sent what it likes.
class Liar final : public Exchange {
 public:
  explicit Liar(size_t size, uint32_t seed) : size_(size), random_(seed) {}
  size_t rank() const override { return 0; }
  size_t size() const override { return size_; }
  void start_sum(void*, size_t, Format) override {}
  void start_gather(const void* values, size_t bytes, void* out) override {
    for (size_t rank = 0; rank < size_; ++rank) {
      char* const to = static_cast<char*>(out) + rank * bytes;
      if (bytes > 0) memcpy(to, values, bytes);
      if (rank == 0 || bytes <= 16) continue;
      for (size_t i = 0; i + 4 <= bytes; i += 4) {
        const int32_t word = static_cast<int32_t>(random_() % 3 == 0 ? random_() : random_() % 8) - 1;
        memcpy(to + i, &word, 4);
      }
    }
  }
  const char* wait() override { return nullptr; }
  const char* gather_made(const WhenCertain&, const Piece*, size_t) override { return nullptr; }

 private:
  size_t size_;
  std::mt19937 random_;
};

void lies_are_found() {
  size_t refused = 0;
  const Shape of = {3, 2, true, true};
  const auto program = parsed(::program(of));
  for (uint32_t seed = 0; seed < 200; ++seed) {
    Liar liar(3, seed);
    Given given(0, 2);
    given.put(*program);
    Program::Result result = {};
    const TaskStatus status = program->run(result, &liar);
    refused += status == TaskStatus::not_exchanged && program->exchange().problem() == Problem::unlike ? 1 : 0;
  }
  check(refused > 0, "rows that there are not are refused");
}

// Every prefix, and every number replaced by others.
void wrong_tables_are_refused() {
  const double numbers[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 16, 31, 32, 64, 256, 512, 767, 768, 1024, -1, 0.5, 2e16, NAN};
  size_t refused = 0, ran = 0;
  for (const size_t parts : {1, 2}) {
    const Table table = program({2, parts, true, false});
    const auto attempt = [&](const Table& other) {
      Program program;
      const std::vector<double> exact(other);
      if (program.parse(exact.data(), exact.size()) != nullptr) return ++refused, void();
      if (program.place_count() != 3 || program.list_count() != 1 || program.ranks() > 64 || program.ranks() == 0)
        return;
      std::vector<std::vector<char>> memory;
      for (size_t i = 0; i < 3; ++i) {
        const size_t bytes = program.given_length(i) * place_element_bytes(program.place(i).kind);
        if (bytes > 1 << 20) return;
        memory.emplace_back(bytes + 8);
        program.put_place(i, memory.back().data());
      }
      if (program.given_list_length(0) > 1 << 20 || program.list(0).limit == 0) return;
      const std::vector<int32_t> indices(program.given_list_length(0) + 1);
      program.put_list(0, indices.data());
      Liar liar(program.ranks(), 5);
      Program::Result result = {};
      if (!program.tail().has_step) ran += program.run(result, &liar) == TaskStatus::done;
    };
    for (size_t i = 0; i < table.size(); ++i) {
      attempt({table.begin(), table.begin() + static_cast<std::ptrdiff_t>(i)});
      for (const double number : numbers) {
        Table other = table;
        other[i] = number;
        if (other[0] <= 1e6 && other[0] >= 0) attempt(other);
      }
    }
  }
  check(refused > 0 && ran > 0, "some tables are refused, and some run");
}

void finds_no_memory() {
  const Table table = program({2, 2, true, true});
  for (size_t allowed = 0;; ++allowed) {
    Program program;
    scarce_memory::allow(allowed);
    const char* const problem = program.parse(table.data(), table.size());
    scarce_memory::allow_all();
    if (problem == nullptr) break;
    check(problem == Program::kNoMemory, "a program that finds no memory says so");
    if (allowed > 1000) return check(false, "a program takes a bounded number of allocations");
  }
}

void gathers_bytes() {
  constexpr size_t kRanks = 3;
  Place place(kRanks);
  on_threads(kRanks, [&](size_t rank) {
    MeetingExchange exchange(&place.meeting(), rank);
    for (const size_t bytes : {0, 1, 7, 1000}) {
      const std::vector<char> own(bytes, static_cast<char>('a' + rank));
      std::vector<char> all(kRanks * bytes + 1);
      exchange.start_gather(own.data(), bytes, all.data());
      const char* const why = exchange.wait();
      bool is_right = why == nullptr;
      for (size_t i = 0; i < kRanks * bytes; ++i) is_right = is_right && all[i] == static_cast<char>('a' + i / bytes);
      check(is_right, "bytes are gathered, however many");
    }
  });
}

}  // namespace

int main() {
  means_over_ranks();
  a_rank_that_fails_is_told_of();
  a_rank_that_is_absent_says_why();
  programs_that_differ_are_refused();
  a_rank_that_is_gone_ends_it();
  lies_are_found();
  wrong_tables_are_refused();
  finds_no_memory();
  gathers_bytes();
  return report();
}
