// Programs: what their parser lets through computes inside of its places, whatever the numbers are.
#include "../drivers/program.h"

#include <math.h>
#include <string.h>

#include <random>
#include <string>
#include <vector>

#include "../runtime/pool.h"
#include "check.h"
#include "program_table.h"
#include "scarce_memory.h"

using namespace gradstep;

namespace {

// In float32: x [rows, 4] is given, w [4] lies somewhere, labels [rows] are given. The rows of w's gradient, the sum of
// x's columns, are 1; the loss is the sum of squares of x. Two element-wise tasks make a chain.
constexpr size_t kRows = 3;
Table program(size_t repetitions) {
  Table table;
  append(table, {512, double(repetitions), 1, 2});
  append(table, {kRows * 16, repetitions > 1 ? kRows * 16.0 : 0, 1, 0});  // place 1: x
  append(table, {16, 0, 0, 0});                                           // place 2: w
  append(table, {2, kRows, repetitions > 1 ? double(kRows) : 0, 4, 0});   // list 0: labels
  append(table, {2 * kRows, 0, 4, 2, 0, 0});                              // list 1: twice these
  append(table, {1, 0, 448, 1, 2});                                       // a 2 at 448
  append(table, {7});
  append(table, {number_of(TaskKind::sum), 0, 0, 0, 0, 1, 0, 1, kRows, 4, 1, 0});           // [0] = columns of x
  append(table, {number_of(TaskKind::binary), 0, 2, 0, 64, 0, 0, 2, 0, 4, 1, 0});           // [64] = [0] * w
  append(table, {number_of(TaskKind::binary), 0, 2, 0, 128, 0, 64, 0, 448, 4, 1, 2});       // [128] = [64] * 2
  append(table, {number_of(TaskKind::addN), 0, 0, 0, 192, 4, 4, 0, 0, 0, 128});             // [192] = [0] + [128]
  append(table, {number_of(TaskKind::sumOfSquares), 0, 0, 0, 256, 1, 0, 4 * kRows, 1, 0});  // [256]
  append(table, {number_of(TaskKind::gather), 0, 0, 0, 320, 2, 0, 2 * kRows, 4, 1, 1, 1});  // [320] = w[labels twice]
  append(table, {number_of(TaskKind::dropout), 0, 0, 0, 416, 0, 0, 4, 0.5, 1, 0});          // [416]
  append(table, {0});
  append(table, {0, 0, 256, 1});                                // the loss
  append(table, {repetitions > 1 ? 1.0 : 0, 1, 1.5, 1, 0, 1});  // clipped to a global norm of 1.5
  append(table, {0, 0, 192, 4, 0, 0, 384, 0, 0});               // the gradient
  return table;
}

struct Memory {
  std::vector<float> x, w;
  std::vector<int32_t> labels;
  explicit Memory(size_t repetitions) : x(repetitions * kRows * 4), w(4), labels(repetitions * kRows) {
    for (size_t i = 0; i < x.size(); ++i) x[i] = float(i % 7) - 3;
    for (size_t i = 0; i < w.size(); ++i) w[i] = float(i) + 1;
    for (size_t i = 0; i < labels.size(); ++i) labels[i] = int32_t(i % 4);
  }
};

// Gives it all that it asks for. False when it asks for something else.
bool put_all(Program& program, Memory& memory, std::vector<std::vector<char>>& others) {
  for (size_t i = 0; i < program.place_count(); ++i) {
    const ProgramPlace& place = program.place(i);
    const size_t bytes = program.given_length(i) * place_element_bytes(place.kind);
    if (bytes > 1 << 20) return false;
    if (place.is_given && bytes == memory.x.size() * 4) {
      program.put_place(i, memory.x.data());
    } else if (!place.is_given && bytes == memory.w.size() * 4) {
      program.put_place(i, memory.w.data());
    } else {
      others.emplace_back(bytes + 8);
      program.put_place(i, others.back().data());
    }
  }
  for (size_t i = 0; i < program.list_count(); ++i) {
    if (program.list(i).parts > 0) continue;
    const size_t length = program.given_list_length(i), limit = program.list(i).limit;
    if (length > 1 << 20 || (limit == 0 && length > 0)) return false;
    std::vector<int32_t> indices(length);
    for (size_t k = 0; k < length; ++k) {
      indices[k] = memory.labels[k % memory.labels.size()] % static_cast<int32_t>(limit > 4 ? 4 : limit);
    }
    program.put_list(i, indices.data());
  }
  return true;
}

void computes() {
  for (const size_t repetitions : {1, 2}) {
    Program compiled;
    Memory memory(repetitions);
    std::vector<std::vector<char>> others;
    const Table table = program(repetitions);
    const char* const problem = compiled.parse(table.data(), table.size());
    check(problem == nullptr, std::string("a program is parsed: ") + (problem ? problem : ""));
    if (problem != nullptr) continue;
    check(put_all(compiled, memory, others) && others.empty(), "it asks for what it was told of");
    double loss = 0, squares = 0;
    for (size_t column = 0; column < 4; ++column) {
      double sum = 0;
      for (size_t row = 0; row < repetitions * kRows; ++row) sum += double(memory.x[4 * row + column]);
      const double gradient = (sum + sum * double(memory.w[column]) * 2) / double(repetitions);
      squares += gradient * gradient;
    }
    for (const float x : memory.x) loss += double(x) * double(x) / double(repetitions);
    for (int run = 0; run < 2; ++run) {
      Program::Result result = {};
      check(compiled.run(result) == TaskStatus::done && result.applied, "a program runs");
      check(result.loss == loss, "the loss is that of all repetitions");
      check(fabs(result.norm - sqrt(squares)) < 1e-5, "the norm is that of the mean");
      const double factor = compiled.tail().now(0).factor;
      check(fabs(factor - (repetitions == 1 ? 1 : 0.5) * 1.5 / result.norm) < 1e-6, "clipping changes the factor");
    }
  }
}

// Every prefix, and every number replaced by others, one at a time and many at once.
void refuses() {
  std::mt19937 random(3);
  size_t refused = 0, ran = 0;
  const double numbers[] = {0,     1,   2,        3,        4,   5,    7,  8,   16,  63,           64,
                            256,   448, 511,      512,      513, 4096, -1, 0.5, 1e9, 4294967296.0, 9007199254740991.0,
                            1e300, NAN, INFINITY, -INFINITY};
  constexpr size_t kCount = sizeof numbers / sizeof *numbers;
  const auto attempt = [&](Table table) {
    Program compiled;
    if (!table.empty() && table[0] > 1e6) table[0] = 1024;  // zeroing all memory there is would take long
    const std::vector<double> exact(table);                 // its end is the end of its memory
    if (compiled.parse(exact.data(), exact.size()) != nullptr) return ++refused, void();
    Memory memory(2);
    std::vector<std::vector<char>> others;
    others.reserve(64);
    if (!put_all(compiled, memory, others)) return;
    Program::Result result = {};
    if (!compiled.tail().has_step) ran += compiled.run(result) == TaskStatus::done;
  };
  for (const size_t repetitions : {1, 2}) {
    const Table table = program(repetitions);
    for (size_t length = 0; length < table.size(); ++length) {
      const size_t before = refused;
      attempt({table.begin(), table.begin() + static_cast<std::ptrdiff_t>(length)});
      check(refused == before + 1, "a program that ends early is refused");
    }
    for (size_t i = 0; i < table.size(); ++i) {
      for (const double number : numbers) {
        Table other = table;
        other[i] = number;
        attempt(other);
      }
    }
    for (int i = 0; i < 3000; ++i) {
      Table other = table;
      for (size_t k = 0; k < 1 + random() % 6; ++k) other[random() % other.size()] = numbers[random() % kCount];
      attempt(other);
    }
  }
  check(refused > 0 && ran > 0, "some of them are refused, and some run");
}

void finds_no_memory() {
  const Table table = program(2);
  for (size_t allowed = 0;; ++allowed) {
    Program compiled;
    Memory memory(2);
    std::vector<std::vector<char>> others;
    scarce_memory::allow(allowed);
    const char* const problem = compiled.parse(table.data(), table.size());
    scarce_memory::allow_all();
    if (problem == nullptr) break;
    check(problem == Program::kNoMemory, "a program that finds no memory says so");
    if (allowed > 1000) return check(false, "a program takes a bounded number of allocations");
  }
}

}  // namespace

int main() {
  for (const size_t count : {1, 3}) {
    set_threads(count);
    computes();
  }
  refuses();
  finds_no_memory();
  return report();
}
