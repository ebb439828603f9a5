#include "laid_out_step.h"

#include "../runtime/dispatch.h"

namespace gradstep {
namespace {

constexpr uint64_t kMark = 0x6c61696473746570;
constexpr size_t kHeaderBytes = LaidOutStep::kHeaderNumbers * sizeof(double);
static_assert(sizeof(LaidOutStep) <= kHeaderBytes, "what follows starts behind the header");
static_assert(sizeof(Range<float>) == sizeof(Range<double>), "both lie in one list");

// Where the parts are.
struct Parts {
  double* hyper;
  double* inputs;
  void* ranges;          // Range<float>[float32_count], then Range<double>[float64_count]; the lists below likewise
  const double** group;  // the hyperparameters of each range
  size_t* ends;          // where each range ends when those of one dtype are laid end to end
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
    ranges = take(count, sizeof(Range<float>));
    group = static_cast<const double**>(take(count, sizeof(double*)));
    ends = static_cast<size_t*>(take(count, sizeof(size_t)));
    variable = static_cast<size_t*>(take(count, sizeof(size_t)));
    bytes = static_cast<size_t>(next - static_cast<char*>(memory));
  }
};

template <class T>
size_t add_ranges(const Parts& parts, size_t rule, const VariableUpdate* variables, size_t count, size_t first) {
  const Rule& description = scalar::kTable.rules[rule];
  constexpr bool is_float64 = sizeof(T) == sizeof(double);
  size_t next = first, total = 0;
  for (size_t i = 0; i < count; ++i) {
    const VariableUpdate& variable = variables[i];
    if (variable.is_float64 != is_float64 || variable.length == 0) continue;
    static_cast<Range<T>*>(parts.ranges)[next] = range_of<T>(variable, description.slot_count);
    parts.group[next] = parts.hyper + variable.group * description.hyper_count;
    parts.ends[next] = total += variable.length;
    parts.variable[next] = i;
    ++next;
  }
  return next - first;
}

template <class T> void read_inputs(const Parts& parts, size_t first, size_t count) {
  Range<T>* const ranges = static_cast<Range<T>*>(parts.ranges);
  for (size_t k = first; k < first + count; ++k) {
    const double* const input = parts.inputs + 2 * parts.variable[k];
    ranges[k].factor = input[0];
    ranges[k].gradient = reinterpret_cast<const T*>(static_cast<uintptr_t>(static_cast<int64_t>(input[1])));
  }
}

template <class T> void run_part(const Parts& parts, size_t rule, size_t first, size_t count) {
  if (count == 0) return;
  read_inputs<T>(parts, first, count);
  run_ranges(of<T>(kernels()), rule, static_cast<const Range<T>*>(parts.ranges) + first, parts.group + first,
             parts.ends + first, count);
}

template <class T> bool add_all(StepRanges<T>& ranges, const Parts& parts, size_t rule, size_t first, size_t count) {
  ranges.clear();
  if (count == 0) return true;
  if (!ranges.reserve(count)) return false;
  read_inputs<T>(parts, first, count);
  for (size_t k = first; k < first + count; ++k) {
    ranges.add_reserved(static_cast<const Range<T>*>(parts.ranges)[k], parts.group[k]);
  }
  return ranges.prepare(rule);
}

// The sums of a measured rule need memory, all of which is taken before anything is written.
bool run_measured(const Parts& parts, const LaidOutStep& step) {
  static thread_local StepRanges<float> float32;
  static thread_local StepRanges<double> float64;
  if (!add_all(float32, parts, step.rule, 0, step.float32_count)) return false;
  if (!add_all(float64, parts, step.rule, step.float32_count, step.float64_count)) return false;
  if (!float32.empty()) float32.run(step.rule);
  if (!float64.empty()) float64.run(step.rule);
  return true;
}

}  // namespace

size_t LaidOutStep::bytes_for(size_t rule, size_t groups, size_t count) {
  return Parts(nullptr, rule, groups, count).bytes;
}

bool LaidOutStep::lay_out(void* memory, size_t bytes, size_t rule, size_t groups, const VariableUpdate* variables,
                          size_t count) {
  if (bytes < bytes_for(rule, groups, count)) return false;
  const Parts parts(memory, rule, groups, count);
  LaidOutStep& step = *static_cast<LaidOutStep*>(memory);
  step = {kMark, &step, rule, groups, count, 0, 0, bytes};
  step.float32_count = add_ranges<float>(parts, rule, variables, count, 0);
  step.float64_count = add_ranges<double>(parts, rule, variables, count, step.float32_count);
  return true;
}

LaidOutStep* LaidOutStep::at(void* memory, size_t bytes) {
  LaidOutStep* const step = static_cast<LaidOutStep*>(memory);
  const bool is_one = bytes >= kHeaderBytes && step->mark == kMark && step->self == step && step->bytes == bytes;
  return is_one ? step : nullptr;
}

bool LaidOutStep::run() {
  const Parts parts(this, rule, groups, count);
  if (scalar::kTable.rules[rule].measured) return run_measured(parts, *this);
  run_part<float>(parts, rule, 0, float32_count);
  run_part<double>(parts, rule, float32_count, float64_count);
  return true;
}

}  // namespace gradstep
