// The update rules and their plans. A plan is made once for a list of variables and knows where they and their slots
// are, so that a step asks the engine for nothing but the gradients.
#include <algorithm>
#include <memory>
#include <vector>

#include "../drivers/update.h"
#include "addresses.h"
#include "arguments.h"
#include "bindings.h"

namespace gradstep {

using Info = Napi::CallbackInfo;

struct Item {
  Floats param;
  Floats slots[kMaxSlots];
  size_t row_elements;
  bool fixed;  // stays where it is while its length stays, which the caller has checked; else it is looked up each step
};

struct Plan {
  size_t rule;
  bool all_rows, all_fixed;
  std::vector<Item> items;
  // Shared memory of the plan's owner, written by it before each step: the rule's hyperparameters, each gradient's
  // factor and each dense gradient's address.
  const double *hyper, *factors, *addresses;
  Napi::ObjectReference params, slots, numbers;  // keep the memory alive
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
    if (!args.failed() && item.slots[k].dtype != item.param.dtype)
      args.type_error("a slot must have its variable's dtype");
  }
}

// createPlan(rule, params: FloatArray[], slots: FloatArray[][], rowElements: Float64Array, fixed: boolean[], allRows,
//            numbers: Float64Array over shared memory: hyperparameters, factors, addresses)
static Napi::Value create_plan(const Info& info) {
  Arguments args(info);
  auto plan = std::make_unique<Plan>();
  plan->rule = args.size("rule");
  const Napi::Array params = array_argument(args, "params"), slots = array_argument(args, "slots");
  const size_t count = params.Length();
  Buffer<size_t> row_elements;
  args.sizes("rowElements", row_elements);
  const Napi::Array fixed = array_argument(args, "fixed");
  plan->all_rows = args.boolean("allRows");
  const Napi::Value number_array = args.next();
  const Floats numbers = args.floats_of(number_array, "numbers");
  args.require(plan->rule < kRuleCount, "no such rule");
  if (args.failed()) return args.undefined();
  const size_t hyper_count = scalar::kTable.rules[plan->rule].hyper_count;
  args.require(numbers.dtype == DType::float64 && numbers.length == hyper_count + 2 * count,
               "numbers must hold the rule's hyperparameters, and a factor and an address for each variable");
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
  plan->all_fixed = std::all_of(plan->items.begin(), plan->items.end(), [](const Item& item) { return item.fixed; });
  plan->hyper = numbers.as<double>();
  plan->factors = plan->hyper + hyper_count;
  plan->addresses = plan->factors + count;
  plan->numbers = Napi::Persistent(number_array.As<Napi::Object>());
  plan->params = Napi::Persistent(Napi::Object(params));
  plan->slots = Napi::Persistent(Napi::Object(slots));
  return Napi::External<Plan>::New(info.Env(), plan.release(), [](Napi::Env, Plan* done) { delete done; });
}

// The next gradient of a step, once it is known to fit its variable.
struct Gradient {
  Floats values;
  Int32s rows;
  bool sparse = false;
};

static void check_rows(Arguments& args, const Item& item, size_t i, const Int32s& rows) {
  if (item.row_elements == 0) return;  // rows of nothing: no memory is reached through them
  const size_t limit = item.param.length / item.row_elements;
  for (size_t k = 0; k < rows.length; ++k) {
    const int32_t index = rows.data[k];
    if (index >= 0 && static_cast<size_t>(index) < limit) continue;
    return args.range_error("gradient " + std::to_string(i) + " has indices[" + std::to_string(k) + "] = " +
                            std::to_string(index) + ", expected 0 to " + std::to_string(limit) + " (exclusive)");
  }
}

static Gradient read_gradient(Arguments& args, const Item& item, napi_value gradients, napi_value indices, size_t i) {
  Gradient result;
  result.values = args.floats_of(element(args.env(), gradients, i), "a gradient");
  const Napi::Value rows(args.env(), element(args.env(), indices, i));
  result.sparse = !rows.IsUndefined();
  if (result.sparse) result.rows = args.int32s_of(rows, "indices");
  if (args.failed()) return result;
  const size_t expected = result.sparse ? result.rows.length * item.row_elements : item.param.length;
  if (result.values.dtype != item.param.dtype) {
    args.type_error("gradient " + std::to_string(i) + " must have its variable's dtype");
  } else if (result.values.length != expected) {
    args.range_error("gradient " + std::to_string(i) + " has the wrong number of elements");
  }
  return result;
}

// Memory over a buffer that can be resized.
static void relocate(Arguments& args, Plan& plan, size_t i) {
  Item& item = plan.items[i];
  const size_t length = item.param.length;
  locate(args, plan.rule, plan.params.Value(), plan.slots.Value(), i, item);
  if (!args.failed() && item.param.length != length) {
    args.range_error("variable " + std::to_string(i) + " had " + std::to_string(length) +
                     " elements, its memory now has " + std::to_string(item.param.length));
  }
  item.param.length = length;
}

static thread_local Update update;

static VariableUpdate update_of(const Plan& plan, size_t i, const void* gradient) {
  const Item& item = plan.items[i];
  VariableUpdate result = {
      item.param.dtype == DType::float64, 0, item.param.length, plan.factors[i], gradient, item.param.data, {}};
  for (size_t k = 0; k < kMaxSlots; ++k) result.slots[k] = item.slots[k].data;
  return result;
}

static Napi::Value finish(Arguments& args) {
  if (!args.failed()) {
    if (update.prepare()) update.run();
    else args.out_of_memory("a step");
  }
  update.clear();
  return args.undefined();
}

// runStep(table, rows): lib/native.ts has the table
static Napi::Value run_step(const Info& info) {
  Arguments args(info);
  read_update(args, update);
  return finish(args);
}

static Plan* plan_argument(Arguments& args) {
  void* handle = nullptr;
  if (napi_get_value_external(args.env(), args.next(), &handle) != napi_ok) {
    args.type_error("plan must come from createPlan");
  }
  return static_cast<Plan*>(handle);
}

static void relocate_unfixed(Arguments& args, Plan& plan) {
  if (plan.all_fixed) return;
  for (size_t i = 0; i < plan.items.size() && !args.failed(); ++i) {
    if (!plan.items[i].fixed) relocate(args, plan, i);
  }
}

// step(plan): every gradient is dense, of its variable's dtype and length, and lies at its address
static Napi::Value step_of(const Info& info) {
  Arguments args(info);
  Plan* const plan = plan_argument(args);
  if (args.failed()) return args.undefined();
  relocate_unfixed(args, *plan);
  if (args.failed()) return args.undefined();
  bool added = update.start(plan->rule, plan->all_rows, plan->hyper, 1);
  for (size_t i = 0; added && i < plan->items.size(); ++i) {
    added = update.add(update_of(*plan, i, pointer_at(plan->addresses[i])));
  }
  if (!added) args.out_of_memory("a step");
  return finish(args);
}

// stepSparse(plan, gradients: FloatArray[], indices: (Int32Array | undefined)[]): undefined for a dense gradient
static Napi::Value step_sparse_of(const Info& info) {
  Arguments args(info);
  Plan* const plan = plan_argument(args);
  const Napi::Array gradients = array_argument(args, "gradients"), indices = array_argument(args, "indices");
  if (args.failed()) return args.undefined();
  args.require(gradients.Length() == plan->items.size(), "a step needs a gradient for every variable of its plan");
  relocate_unfixed(args, *plan);
  if (!update.start(plan->rule, plan->all_rows, plan->hyper, 1)) args.out_of_memory("a step");
  for (size_t i = 0; i < plan->items.size() && !args.failed(); ++i) {
    // A list of 10,000 gradients would otherwise keep as many handles open until the call returns.
    const Napi::HandleScope scope(info.Env());
    const Item& item = plan->items[i];
    const Gradient gradient = read_gradient(args, item, gradients, indices, i);
    if (args.failed()) break;
    const VariableUpdate variable = update_of(*plan, i, gradient.values.data);
    if (!gradient.sparse) {
      if (!update.add(variable)) args.out_of_memory("a step");
      continue;
    }
    const int32_t* const copy = update.add(variable, item.row_elements, gradient.rows.data, gradient.rows.length);
    if (copy == nullptr) args.out_of_memory("a step");
    else check_rows(args, item, i, {copy, gradient.rows.length});
  }
  return finish(args);
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
  add<run_step>(env, exports, "runStep");
  add<create_plan>(env, exports, "createPlan");
  add<step_of>(env, exports, "step");
  add<step_sparse_of>(env, exports, "stepSparse");
}

}  // namespace gradstep
