// Tasks of families: what fits stays inside of its arrays, whatever the numbers are. Each array ends, or begins, where
// its page does, and has no byte more than the task has asked for.
#include "../drivers/tasks.h"
#include "../runtime/pool.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <memory>
#include <random>
#include <vector>

using namespace gradstep;

// So that impossible sizes are answered as they are without a sanitizer.
extern "C" __attribute__((visibility("default"), used)) const char* __asan_default_options() {
  return "allocator_may_return_null=1";
}
extern "C" __attribute__((visibility("default"), used)) const char* __tsan_default_options() {
  return "allocator_may_return_null=1";
}

namespace {

// Memory with nothing in front of its page and nothing behind it.
class Fenced {
 public:
  Fenced(size_t bytes, bool at_end) {
    const size_t page = size_t(sysconf(_SC_PAGESIZE));
    const size_t inside = (bytes + page - 1) / page * page;
    mapped_ = inside + 2 * page;
    base_ = static_cast<char*>(mmap(nullptr, mapped_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (base_ == MAP_FAILED) abort();
    if (inside > 0 && mprotect(base_ + page, inside, PROT_READ | PROT_WRITE) != 0) abort();
    data_ = base_ + page + (at_end ? inside - bytes : 0);
  }
  Fenced(const Fenced&) = delete;
  ~Fenced() { munmap(base_, mapped_); }
  char* data() const { return data_; }

 private:
  char *base_, *data_;
  size_t mapped_;
};

constexpr size_t kMostBytes = size_t(1) << 15;

struct Try {
  Task task = {};
  std::vector<size_t> items;
  TaskRoom room = {};
};

class Tries {
 public:
  explicit Tries(unsigned seed) : random_(seed) {}

  Try make(TaskKind kind) {
    Try result;
    const TaskForm& form = kTaskForms[static_cast<size_t>(kind)];
    result.task.kind = kind;
    result.task.format = random_() % 2 == 0 ? Format::float32 : Format::float64;
    result.task.option = random_() % 3 == 0 ? 0 : random_() % 3 == 0 ? 2 + random_() % 2 : random_() % 40;
    for (size_t i = 0; i < form.sizes; ++i) result.task.sizes[i] = size();
    for (size_t i = 0; i < form.numbers; ++i) result.task.numbers[i] = double(int(random_() % 5)) - 1;
    if (random_() % 4 != 0)
      result.items.resize(random_() % 3 == 0 ? random_() % 24 : 3 * (random_() % 5) + random_() % 3);
    for (size_t& item : result.items) item = size();
    result.task.count = result.items.size();
    result.room.format = result.task.format;
    for (size_t i = 0; i < form.arrays; ++i) result.room.bytes[i] = kMostBytes;
    return result;
  }

  size_t below(size_t limit) { return random_() % limit; }

 private:
  size_t size() {
    switch (random_() % 16) {
      case 0: return 0;
      case 1: return size_t(1) << random_() % 64;
      case 2: return SIZE_MAX - random_() % 3;
      case 3: return random_() % 100;
      default: return 1 + random_() % 5;
    }
  }

  std::mt19937_64 random_;
};

bool fits(const Try& attempt) { return task_fits(attempt.task, attempt.room, attempt.items.data()); }

// The fewest bytes of each array that the task takes.
void shrink(Try& attempt, size_t arrays) {
  for (size_t i = 0; i < arrays; ++i) {
    size_t& bytes = attempt.room.bytes[i];
    size_t enough = bytes, too_few = 0;
    bytes = 0;
    if (fits(attempt)) continue;
    while (enough - too_few > 1) {
      bytes = too_few + (enough - too_few) / 2;
      (fits(attempt) ? enough : too_few) = bytes;
    }
    bytes = enough;
  }
}

// Bytes that are small whole numbers, floats or anything.
void fill(char* to, size_t bytes, Tries& tries) {
  const size_t how = tries.below(3);
  for (size_t i = 0; i + 4 <= bytes; i += 4) {
    const int32_t whole = int32_t(tries.below(6)) - int32_t(tries.below(20) == 0);
    const float number = float(whole) / 2;
    memcpy(to + i, how == 0 ? static_cast<const void*>(&whole) : &number, 4);
  }
  for (size_t i = 0; how == 2 && i < bytes; ++i) to[i] = char(tries.below(3));
}

void run(const Try& attempt, size_t arrays, bool at_end, Tries& tries) {
  std::vector<std::unique_ptr<Fenced>> memory;
  char* places[kMaxTaskArrays] = {};
  Task task = attempt.task;
  for (size_t i = 0; i < arrays; ++i) {
    // Whole elements of the largest size, so that what begins with its page or ends there is aligned.
    const size_t bytes = at_end ? (attempt.room.bytes[i] + 7) / 8 * 8 : attempt.room.bytes[i];
    memory.push_back(std::make_unique<Fenced>(bytes, at_end));
    places[i] = memory.back()->data();
    fill(places[i], attempt.room.bytes[i], tries);
    task.arrays[i] = {i, 0};
  }
  TaskLists lists;
  for (const size_t item : attempt.items) {
    if (!lists.layouts.add(item)) abort();
  }
  // Without memory for what it wants beside its arrays, for an image with a border of 2^24 pixels, say, nothing is
  // done.
  static_cast<void>(run_task(task, {places, nullptr, &lists, nullptr}));
}

}  // namespace

int main() {
  set_threads(1);  // random strides have parts that overlap, which nobody asks for and threads would write at once
  constexpr size_t kTries = 60000, kEnough = 400;
  int passed = 0, rare = 0;  // kinds of which random numbers are some, or hardly any
  for (size_t k = 0; k < kTaskKindCount; ++k) {
    const TaskKind kind = static_cast<TaskKind>(k);
    if (!is_of_family(kind)) continue;
    if (getenv("GRADSTEP_TEST_VERBOSE") != nullptr) fprintf(stderr, "%s\n", kTaskKindNames[k]);
    Tries tries(static_cast<unsigned>(k) + 1);
    const size_t arrays = kTaskForms[k].arrays;
    size_t found = 0;
    for (size_t i = 0; i < kTries && found < kEnough; ++i) {
      Try attempt = tries.make(kind);
      if (!fits(attempt)) continue;
      ++found;
      shrink(attempt, arrays);
      for (const bool at_end : {true, false}) run(attempt, arrays, at_end, tries);
    }
    ++(found < 10 ? rare : passed);
  }
  const bool is_enough = passed > 3 * rare;
  if (!is_enough) printf("FAILED: of %d kinds there were hardly any tasks that fit\n", rare);
  printf("%d passed, %d failed\n", passed, is_enough ? 0 : 1);
  return is_enough ? 0 : 1;
}
