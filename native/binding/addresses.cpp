#include "addresses.h"

namespace gradstep {
namespace {

// Numbers of a table, each read once: it may be shared memory. `good` stays true while they are what they must be.
class Reader {
 public:
  explicit Reader(const double* next) : next_(next) {}
  double number() { return *next_++; }
  size_t whole() {
    const double x = *next_++;
    const bool fits = x >= 0 && x <= kMaxSafeInteger;
    const int64_t n = fits ? static_cast<int64_t>(x) : 0;
    good = good && fits && static_cast<double>(n) == x;
    return static_cast<size_t>(n);
  }
  bool flag() {
    const size_t n = whole();
    good = good && n <= 1;
    return n == 1;
  }
  Format format() {
    const size_t n = whole();
    good = good && n < kFormatCount;
    return n < kFormatCount ? static_cast<Format>(n) : Format();
  }
  void* address() {  // nullptr for 0
    const double x = *next_++;
    const bool fits = x >= 0 && x <= kMaxSafeInteger;
    good = good && fits;
    return pointer_at(fits ? x : 0);
  }

  bool good = true;

 private:
  const double* next_;
};

constexpr size_t kHeader = 4, kBeforeSlots = 9, kSlot = 2;  // numbers

size_t numbers_of_item(size_t slot_count) { return kBeforeSlots + kSlot * slot_count; }

struct Item {
  VariableUpdate variable;
  size_t row_elements, gradient_length;
};

Item read_item(Reader& reader, size_t slot_count) {
  Item item;
  VariableUpdate& variable = item.variable;
  variable.group = reader.whole();
  variable.length = reader.whole();
  item.row_elements = reader.whole();
  variable.factor = reader.number();
  variable.formats.gradient = reader.format();
  variable.gradient = reader.address();
  item.gradient_length = reader.whole();
  variable.formats.param = reader.format();
  variable.param = reader.address();
  bool present = variable.param != nullptr;
  for (size_t k = 0; k < slot_count; ++k) {
    variable.formats.slots[k] = reader.format();
    present = (variable.slots[k] = reader.address()) != nullptr && present;
  }
  reader.good = reader.good && (present || variable.length == 0);
  reader.good = reader.good && (variable.gradient != nullptr || item.gradient_length == 0);
  return item;
}

// TypeError for columns that no rule has a loop over together.
void refuse_formats(Arguments& args, const Formats& formats, size_t slot_count, size_t i) {
  std::string message = "variable " + std::to_string(i) + " of a step has a parameter in " + name_of(formats.param) +
                        ", a gradient in " + name_of(formats.gradient);
  for (size_t k = 0; k < slot_count; ++k) {
    message += (k == 0 ? " and slots in " : ", ") + std::string(name_of(formats.slots[k]));
  }
  args.type_error(message + ": there is no kernel for these together");
}

std::string of_gradient(size_t i) { return "gradient " + std::to_string(i); }

bool has_rows(const Item& item, size_t rows) {  // gradient_length == rows * row_elements, which could be too large
  if (item.row_elements == 0 || rows == 0) return item.gradient_length == 0;
  return item.gradient_length % item.row_elements == 0 && item.gradient_length / item.row_elements == rows;
}

void add_sparse(Arguments& args, Update& update, const Item& item, size_t i, Int32s rows) {
  if (!has_rows(item, rows.length)) return args.range_error(of_gradient(i) + " has the wrong number of elements");
  if (!update.can_sum(item.variable)) {
    return args.type_error(of_gradient(i) + " is sparse and in " + name_of(item.variable.formats.gradient) +
                           ": there is no kernel that sums its rows");
  }
  const int32_t* const indices = update.add(item.variable, item.row_elements, rows.data, rows.length);
  if (indices == nullptr) return args.out_of_memory("the indices of a gradient");
  if (item.row_elements == 0) return;  // rows of nothing: no memory is reached through them
  const size_t limit = item.variable.length / item.row_elements;
  const size_t k = first_outside({indices, rows.length}, limit);
  if (k == rows.length) return;
  args.range_error(of_gradient(i) + " has indices[" + std::to_string(k) + "] = " + std::to_string(indices[k]) +
                   ", expected 0 to " + std::to_string(limit) + " (exclusive)");
}

// Inline, unlike what it does when something is wrong: it is most of what a step of many small variables costs.
inline bool add_dense(Update& update, const Item& item) {
  return item.gradient_length == item.variable.length && update.add(item.variable);
}

void refuse_dense(Arguments& args, const Item& item, size_t i) {
  if (item.gradient_length != item.variable.length) {
    args.range_error(of_gradient(i) + " has the wrong number of elements");
  } else {
    args.out_of_memory("a step of so many variables");
  }
}

// Adds item i with its rows, or without where they are undefined.
void add_item(Arguments& args, Update& update, const Item& item, size_t i, napi_value rows_of_items) {
  // A list of 10,000 would otherwise keep as many handles open until the call returns.
  const Napi::HandleScope scope(args.env());
  napi_value rows = nullptr;
  napi_valuetype type = napi_undefined;
  const bool found = napi_get_element(args.env(), rows_of_items, static_cast<uint32_t>(i), &rows) == napi_ok &&
                     napi_typeof(args.env(), rows, &type) == napi_ok;
  if (!found) return args.type_error("rows must be an array");
  if (type == napi_undefined) {
    if (!add_dense(update, item)) refuse_dense(args, item, i);
    return;
  }
  const Int32s indices = args.int32s_of(rows, "indices");
  if (!args.failed()) add_sparse(args, update, item, i, indices);
}

}  // namespace

double address_of(const void* memory) { return static_cast<double>(reinterpret_cast<uintptr_t>(memory)); }

// Addresses of user space have at most 53 bits.
void* pointer_at(double address) {
  return reinterpret_cast<void*>(static_cast<uintptr_t>(static_cast<int64_t>(address)));
}

template <class T> bool read_values(Arguments& args, const double* table, size_t count, Buffer<Values<T>>& values) {
  values.clear();
  if (!values.reserve(count)) return args.out_of_memory("a list of arrays"), false;
  Reader reader(table);
  while (values.size() < count) {
    const T* const data = static_cast<const T*>(reader.address());
    const size_t length = reader.whole();
    values.add_reserved({data, length, reader.number()});
    reader.good = reader.good && (data != nullptr || length == 0);
  }
  args.require(reader.good, "the table must have an address and a length for each array");
  return !args.failed();
}

template bool read_values<float>(Arguments&, const double*, size_t, Buffer<Values<float>>&);
template bool read_values<double>(Arguments&, const double*, size_t, Buffer<Values<double>>&);

namespace {

struct Header {
  size_t rule, groups, count;
  bool all_rows;
  const double* hyper;
  const double* items;
};

bool read_header(Arguments& args, const Floats& table, Header& header) {
  args.require(table.length >= kHeader, "the table of a step has four numbers at least");
  if (args.failed()) return false;
  Reader reader(table.as<double>());
  header.rule = reader.whole();
  header.all_rows = reader.flag();
  header.groups = reader.whole();
  header.count = reader.whole();
  args.require(reader.good && header.rule < kRuleCount,
               "the table of a step begins with no rule's number, or not with counts");
  if (args.failed()) return false;
  const Rule& rule = scalar::kTable.rules[header.rule];
  const size_t most = table.length;  // no product of these overflows
  args.require(
      header.groups <= most && header.count <= most &&
          table.length == kHeader + header.groups * rule.hyper_count + header.count * numbers_of_item(rule.slot_count),
      "the table of a step must be as long as its counts say");
  header.hyper = table.as<double>() + kHeader;
  header.items = header.hyper + header.groups * rule.hyper_count;
  return !args.failed();
}

void refuse_item(Arguments& args, size_t i) {
  args.range_error("the numbers of variable " + std::to_string(i) + " in the table of a step are out of range");
}

}  // namespace

bool read_layout(Arguments& args, void* step, size_t bytes) {
  const Floats table = args.floats("table", Format::float64);
  Header header;
  if (args.failed() || !read_header(args, table, header)) return false;
  static thread_local Buffer<VariableUpdate> variables;
  variables.clear();
  if (!variables.reserve(header.count)) return args.out_of_memory("a step of so many variables"), false;
  const size_t slot_count = scalar::kTable.rules[header.rule].slot_count;
  for (size_t i = 0; i < header.count; ++i) {
    Reader reader(header.items + i * numbers_of_item(slot_count));
    const Item item = read_item(reader, slot_count);
    if (!reader.good || item.variable.group >= header.groups) return refuse_item(args, i), false;
    if (stored_of(item.variable.formats, slot_count) == kStoredCount) {
      return refuse_formats(args, item.variable.formats, slot_count, i), false;
    }
    variables.add_reserved(item.variable);
  }
  const bool fits = LaidOutStep::lay_out(step, bytes, header.rule, header.groups, variables.data(), variables.size());
  args.require(fits, "step must have as many bytes as stepBytes says");
  return !args.failed();
}

bool read_program_step(Arguments& args, ProgramStep& step) {
  const Floats table = args.floats("table", Format::float64);
  Header header;
  if (args.failed() || !read_header(args, table, header)) return false;
  const size_t slot_count = scalar::kTable.rules[header.rule].slot_count,
               hyper_count = static_cast<size_t>(header.items - header.hyper);
  step.rule = header.rule;
  step.all_rows = header.all_rows;
  step.groups = header.groups;
  step.variables.clear();
  step.row_elements.clear();
  if (!step.hyper.resize(hyper_count) || !step.variables.reserve(header.count) ||
      !step.row_elements.reserve(header.count)) {
    return args.out_of_memory("a step of so many variables"), false;
  }
  for (size_t i = 0; i < hyper_count; ++i) step.hyper[i] = header.hyper[i];
  Reader reader(header.items);
  for (size_t i = 0; i < header.count; ++i) {
    const Item item = read_item(reader, slot_count);
    if (!reader.good || item.variable.group >= header.groups) return refuse_item(args, i), false;
    if (stored_of(item.variable.formats, slot_count) == kStoredCount) {
      return refuse_formats(args, item.variable.formats, slot_count, i), false;
    }
    step.variables.add_reserved(item.variable);
    step.row_elements.add_reserved(item.row_elements);
  }
  return true;
}

bool read_update(Arguments& args, Update& update) {
  const Floats table = args.floats("table", Format::float64);
  const bool has_sparse = !args.next_is_undefined();
  const Napi::Value rows = args.next();
  if (has_sparse && !rows.IsArray()) args.type_error("rows must be an array");
  Header header;
  if (args.failed() || !read_header(args, table, header)) return false;
  const size_t slot_count = scalar::kTable.rules[header.rule].slot_count, count = header.count;
  args.require(!has_sparse || (!args.failed() && rows.As<Napi::Array>().Length() == count),
               "rows must have an entry for each variable of the step");
  if (args.failed()) return false;

  if (!update.start(header.rule, header.all_rows, header.hyper, header.groups)) {
    args.out_of_memory("the hyperparameters of a step");
  }
  Reader reader(header.items);
  for (size_t i = 0; i < count && !args.failed(); ++i) {
    const Item item = read_item(reader, slot_count);
    if (!reader.good || item.variable.group >= header.groups) {
      refuse_item(args, i);
    } else if (stored_of(item.variable.formats, slot_count) == kStoredCount) {
      refuse_formats(args, item.variable.formats, slot_count, i);
    } else if (has_sparse) {
      add_item(args, update, item, i, rows);
    } else if (!add_dense(update, item)) {
      refuse_dense(args, item, i);
    }
  }
  return !args.failed();
}

}  // namespace gradstep
