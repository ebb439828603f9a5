// The update rules and their plans. A plan is made once for a list of variables and knows where they and their slots
// are, so that a step asks the engine for nothing but the gradients.
#include "../drivers/sparse.h"
#include "../drivers/step.h"
#include "arguments.h"
#include "bindings.h"

namespace gradstep {

using Info = Napi::CallbackInfo;

struct Item {
  Floats param;
  Floats slots[kMaxSlots];
  size_t row_elements;
  bool fixed;  // shared memory: stays where it is for as long as it is referenced; other memory is looked up each step
};

struct Plan {
  size_t rule;
  bool all_rows;
  std::vector<Item> items;
  Napi::ObjectReference params, slots;  // keep the memory alive
};

static Napi::Array array_argument(Arguments& args, const char* name) {
  const Napi::Value value = args.next();
  if (value.IsArray()) return value.As<Napi::Array>();
  args.type_error(std::string(name) + " must be an array");
  return Napi::Array::New(args.env());
}

static napi_value element(Napi::Env env, napi_value array, size_t i) {
  napi_value result = nullptr;
  napi_get_element(env, array, static_cast<uint32_t>(i), &result);
  return result;
}

static void locate(Arguments& args, size_t rule, napi_value params, napi_value slots, size_t i, Item& item) {
  item.param = args.floats_of(element(args.env(), params, i), "a variable");
  const napi_value row = element(args.env(), slots, i);
  for (size_t k = 0; k < scalar::kTable.rules[rule].slot_count && !args.failed(); ++k) {
    item.slots[k] = args.floats_of(element(args.env(), row, k), "a slot");
    if (!args.failed() && item.slots[k].length != item.param.length) args.range_error("a slot's memory has changed");
    if (!args.failed() && item.slots[k].dtype != item.param.dtype) args.type_error("a slot must have its variable's dtype");
  }
}

// createPlan(rule, params: FloatArray[], slots: FloatArray[][], rowElements: Float64Array, fixed: boolean[], allRows)
static Napi::Value create_plan(const Info& info) {
  Arguments args(info);
  auto plan = std::make_unique<Plan>();
  plan->rule = args.size("rule");
  const Napi::Array params = array_argument(args, "params"), slots = array_argument(args, "slots");
  const size_t count = params.Length();
  const std::vector<size_t> row_elements = args.sizes("rowElements");
  const Napi::Array fixed = array_argument(args, "fixed");
  plan->all_rows = args.boolean("allRows");
  args.require(plan->rule < kRuleCount, "no such rule");
  args.require(row_elements.size() == count && slots.Length() == count && fixed.Length() == count,
               "a plan needs slots, rowElements and fixed for every variable");
  if (args.failed()) return args.undefined();
  plan->items.resize(count);
  for (size_t i = 0; i < count && !args.failed(); ++i) {
    Item& item = plan->items[i];
    item.row_elements = row_elements[i];
    napi_get_value_bool(info.Env(), element(info.Env(), fixed, i), &item.fixed);
    locate(args, plan->rule, params, slots, i, item);
  }
  if (args.failed()) return args.undefined();
  plan->params = Napi::Persistent(Napi::Object(params));
  plan->slots = Napi::Persistent(Napi::Object(slots));
  return Napi::External<Plan>::New(info.Env(), plan.release(), [](Napi::Env, Plan* done) { delete done; });
}

// All that one step reads, collected and checked before anything is written.
template <class T>
struct Work {
  std::vector<Range<T>> ranges;
  SparseRanges<T> sparse;

  void add(const Item& item, const Floats& gradient, const int32_t* indices, size_t index_count, double factor,
           bool all_rows) {
    Range<T> range = {};
    range.param = item.param.as<T>();
    range.gradient = gradient.as<T>();
    for (size_t k = 0; k < kMaxSlots; ++k) range.slots[k] = item.slots[k].as<T>();
    range.factor = factor;
    range.count = item.param.length;
    if (indices == nullptr) {
      ranges.push_back(range);
    } else {
      const SparseRows<T> rows = {gradient.as<T>(), indices, index_count, item.row_elements};
      sparse.append(range, rows, all_rows, ranges);
    }
  }

  void run(size_t rule, const double* hyper) {
    if (!ranges.empty()) step(rule, hyper, ranges.data(), ranges.size());
    ranges.clear();
    sparse.clear();
  }
};

static void check_gradient(Arguments& args, const Plan& plan, size_t i, const Floats& gradient, const Int32s* indices) {
  const Item& item = plan.items[i];
  const std::string which = "gradient " + std::to_string(i);
  const size_t expected = indices == nullptr ? item.param.length : indices->length * item.row_elements;
  if (args.failed()) return;
  if (gradient.dtype != item.param.dtype) return args.type_error(which + " must have its variable's dtype");
  if (gradient.length != expected) return args.range_error(which + " has the wrong number of elements");
  if (indices == nullptr) return;
  const size_t rows = item.row_elements == 0 ? 0 : item.param.length / item.row_elements;
  for (size_t k = 0; k < indices->length; ++k) {
    const int32_t index = indices->data[k];
    if (index >= 0 && static_cast<size_t>(index) < rows) continue;
    return args.range_error(which + " has indices[" + std::to_string(k) + "] = " + std::to_string(index) +
                            ", expected 0 to " + std::to_string(rows) + " (exclusive)");
  }
}

// step(plan, hyper: Float64Array, gradients: FloatArray[], factors: Float64Array,
//      indices: (Int32Array | undefined)[] | undefined)
static Napi::Value step_of(const Info& info) {
  Arguments args(info);
  const Napi::Value handle = args.next();
  if (!handle.IsExternal()) args.type_error("plan must come from createPlan");
  const Floats hyper = args.floats("hyper", DType::float64);
  const Napi::Array gradients = array_argument(args, "gradients");
  const Floats factors = args.floats("factors", DType::float64);
  const napi_value indices = args.next_is_undefined() ? nullptr : napi_value(array_argument(args, "indices"));
  if (args.failed()) return args.undefined();
  Plan& plan = *handle.As<Napi::External<Plan>>().Data();
  args.require(hyper.length == scalar::kTable.rules[plan.rule].hyper_count, "hyper has the wrong length");
  args.require(gradients.Length() == plan.items.size() && factors.length == plan.items.size(),
               "a step needs a gradient and a factor for every variable of its plan");
  if (args.failed()) return args.undefined();

  thread_local Work<float> f32;
  thread_local Work<double> f64;
  for (size_t i = 0; i < plan.items.size() && !args.failed(); ++i) {
    // A list of 10,000 gradients would otherwise keep as many handles open until the call returns.
    const Napi::HandleScope scope(info.Env());
    Item& item = plan.items[i];
    const size_t length = item.param.length;
    if (!item.fixed) locate(args, plan.rule, plan.params.Value(), plan.slots.Value(), i, item);
    if (!args.failed() && item.param.length != length) {
      args.range_error("variable " + std::to_string(i) + " had " + std::to_string(length) + " elements, its memory now has " +
                       std::to_string(item.param.length));
      item.param.length = length;
    }
    const Floats gradient = args.floats_of(element(info.Env(), gradients, i), "a gradient");
    Int32s rows;
    bool sparse = false;
    if (indices != nullptr) {
      const Napi::Value value(info.Env(), element(info.Env(), indices, i));
      sparse = !value.IsUndefined();
      if (sparse) rows = args.int32s_of(value, "indices");
    }
    check_gradient(args, plan, i, gradient, sparse ? &rows : nullptr);
    if (args.failed()) break;
    // An empty array may have no address, and no address stands for a gradient of zeros.
    if (item.param.length == 0 || (sparse && rows.length == 0 && !plan.all_rows)) continue;
    static const int32_t kNoRows = 0;
    const int32_t* const row_data = !sparse ? nullptr : rows.length > 0 ? rows.data : &kNoRows;
    const double factor = factors.as<double>()[i];
    with_type(item.param.dtype, [&](auto t) {
      auto& work = [&]() -> auto& {
        if constexpr (sizeof t == sizeof(float)) {
          return f32;
        } else {
          return f64;
        }
      }();
      work.add(item, gradient, row_data, rows.length, factor, plan.all_rows);
    });
  }
  if (args.failed()) {
    f32 = {};
    f64 = {};
    return args.undefined();
  }
  f32.run(plan.rule, hyper.as<double>());
  f64.run(plan.rule, hyper.as<double>());
  return args.undefined();
}

void export_optimizers(Napi::Env env, Napi::Object exports) {
  Napi::Array rules = Napi::Array::New(env, kRuleCount);
  for (uint32_t i = 0; i < kRuleCount; ++i) {
    const Rule& rule = scalar::kTable.rules[i];
    Napi::Object entry = Napi::Object::New(env);
    entry.Set("id", static_cast<double>(i));
    entry.Set("name", rule.name);
    entry.Set("slots", names(env, rule.slots, rule.slot_count));
    entry.Set("hyper", names(env, rule.hyper, rule.hyper_count));
    rules.Set(i, entry);
  }
  exports.Set("rules", rules);
  add<create_plan>(env, exports, "createPlan");
  add<step_of>(env, exports, "step");
}

}  // namespace gradstep
