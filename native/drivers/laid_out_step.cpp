#include "laid_out_step.h"

#include "../runtime/dispatch.h"

namespace gradstep {
namespace {

constexpr uint64_t kMark = 0x6c61696473746570;
constexpr size_t kHeaderBytes = LaidOutStep::kHeaderNumbers * sizeof(double);
static_assert(sizeof(LaidOutStep) <= kHeaderBytes, "what follows starts behind the header");

// Where the parts are.
struct Parts {
  double* hyper;
  double* inputs;
  Range* ranges;         // those of one arithmetic after those of another, as in the lists below
  const double** group;  // the hyperparameters of each range
  size_t* ends;          // where each range ends when those of one arithmetic are laid end to end
  size_t* variable;      // whose range it is
  size_t bytes;

  Parts(void* memory, size_t rule, size_t groups, size_t count) {
    char* next = static_cast<char*>(memory) + kHeaderBytes;
    const auto take = [&](size_t length, size_t size) {
      void* const part = next;
      next += length * size;
      return part;
    };
    hyper = static_cast<double*>(take(groups * scalar::kTable.rules[rule].hyper_count, sizeof(double)));
    inputs = static_cast<double*>(take(2 * count, sizeof(double)));
    ranges = static_cast<Range*>(take(count, sizeof(Range)));
    group = static_cast<const double**>(take(count, sizeof(double*)));
    ends = static_cast<size_t*>(take(count, sizeof(size_t)));
    variable = static_cast<size_t*>(take(count, sizeof(size_t)));
    bytes = static_cast<size_t>(next - static_cast<char*>(memory));
  }
};

// Adds from `first` on the ranges that are stepped in this arithmetic. Returns how many they are.
size_t add_ranges(const Parts& parts, size_t rule, const VariableUpdate* variables, size_t count, Arithmetic arithmetic,
                  size_t first) {
  const Rule& description = scalar::kTable.rules[rule];
  size_t next = first, total = 0;
  for (size_t i = 0; i < count; ++i) {
    const VariableUpdate& variable = variables[i];
    if (arithmetic_of(description, variable.formats.param) != arithmetic || variable.length == 0) continue;
    const uint8_t stored = stored_of(variable.formats, description.slot_count);
    parts.ranges[next] = range_of(variable, description.slot_count, stored);
    parts.group[next] = parts.hyper + variable.group * description.hyper_count;
    parts.ends[next] = total += variable.length;
    parts.variable[next] = i;
    ++next;
  }
  return next - first;
}

void read_inputs(const Parts& parts, size_t count) {
  for (size_t k = 0; k < count; ++k) {
    const double* const input = parts.inputs + 2 * parts.variable[k];
    parts.ranges[k].factor = input[0];
    parts.ranges[k].gradient = reinterpret_cast<const void*>(static_cast<uintptr_t>(static_cast<int64_t>(input[1])));
  }
}

// Calls f(arithmetic, first, count) for the ranges of each arithmetic that has some.
template <class F> void each_arithmetic(const LaidOutStep& step, F f) {
  size_t first = 0;
  for (size_t a = 0; a < kArithmeticCount; ++a) {
    if (step.counts[a] > 0) f(static_cast<Arithmetic>(a), first, step.counts[a]);
    first += step.counts[a];
  }
}

bool add_all(StepRanges& ranges, const Parts& parts, size_t rule, size_t first, size_t count) {
  ranges.clear();
  if (!ranges.reserve(count)) return false;
  for (size_t k = first; k < first + count; ++k) ranges.add_reserved(parts.ranges[k], parts.group[k]);
  return ranges.prepare(rule);
}

// The sums of a measured rule need memory, all of which is taken before anything is written.
bool run_measured(const Parts& parts, const LaidOutStep& step) {
#define GRADSTEP_RANGES(name, type) StepRanges(Arithmetic::name),
  static thread_local StepRanges ranges[] = {GRADSTEP_ARITHMETICS(GRADSTEP_RANGES)};
#undef GRADSTEP_RANGES
  bool found_memory = true;
  each_arithmetic(step, [&](Arithmetic arithmetic, size_t first, size_t count) {
    StepRanges& own = ranges[static_cast<size_t>(arithmetic)];
    found_memory = found_memory && add_all(own, parts, step.rule, first, count);
  });
  if (!found_memory) return false;
  each_arithmetic(
      step, [&](Arithmetic arithmetic, size_t, size_t) { ranges[static_cast<size_t>(arithmetic)].run(step.rule); });
  return true;
}

}  // namespace

size_t LaidOutStep::bytes_for(size_t rule, size_t groups, size_t count) {
  return Parts(nullptr, rule, groups, count).bytes;
}

bool LaidOutStep::lay_out(void* memory, size_t bytes, size_t rule, size_t groups, const VariableUpdate* variables,
                          size_t count) {
  if (bytes < bytes_for(rule, groups, count)) return false;
  for (size_t i = 0; i < count; ++i) {
    if (stored_of(variables[i].formats, scalar::kTable.rules[rule].slot_count) == kStoredCount) return false;
  }
  const Parts parts(memory, rule, groups, count);
  LaidOutStep& step = *static_cast<LaidOutStep*>(memory);
  step = {kMark, &step, rule, groups, count, {}, bytes};
  size_t first = 0;
  for (size_t a = 0; a < kArithmeticCount; ++a) {
    first += step.counts[a] = add_ranges(parts, rule, variables, count, static_cast<Arithmetic>(a), first);
  }
  return true;
}

LaidOutStep* LaidOutStep::at(void* memory, size_t bytes) {
  LaidOutStep* const step = static_cast<LaidOutStep*>(memory);
  const bool is_one = bytes >= kHeaderBytes && step->mark == kMark && step->self == step && step->bytes == bytes;
  return is_one ? step : nullptr;
}

bool LaidOutStep::run() {
  const Parts parts(this, rule, groups, count);
  size_t ranges = 0;
  for (const size_t of_arithmetic : counts) ranges += of_arithmetic;
  read_inputs(parts, ranges);
  if (scalar::kTable.rules[rule].measured) return run_measured(parts, *this);
  each_arithmetic(*this, [&](Arithmetic arithmetic, size_t first, size_t n) {
    run_ranges(rule_kernels(arithmetic, rule), parts.ranges + first, parts.group + first, nullptr, parts.ends + first,
               n);
  });
  return true;
}

}  // namespace gradstep
