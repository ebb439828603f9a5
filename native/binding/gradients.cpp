// Norms of lists of gradients, and the few functions that write a gradient anew.
#include "../drivers/average.h"
#include "../drivers/elementwise.h"
#include "../drivers/norm.h"
#include "arguments.h"
#include "bindings.h"

namespace gradstep {

using Info = Napi::CallbackInfo;

struct List {
  DType dtype = DType::float32;
  std::vector<Floats> arrays;
  std::vector<double> factors;
};

// (arrays)
static List read_arrays(Arguments& args) {
  List list;
  const Napi::Value value = args.next();
  if (!value.IsArray()) {
    args.type_error("arrays must be an array");
    return list;
  }
  const Napi::Array arrays = value.As<Napi::Array>();
  const uint32_t count = arrays.Length();
  for (uint32_t i = 0; i < count && !args.failed(); ++i) {
    napi_value item;
    napi_get_element(args.env(), arrays, i, &item);
    list.arrays.push_back(args.floats_of(item, "an array"));
    if (i == 0) list.dtype = list.arrays[0].dtype;
    if (!args.failed() && list.arrays[i].dtype != list.dtype) args.type_error("all arrays must have one dtype");
  }
  list.factors.assign(list.arrays.size(), 1.0);
  return list;
}

// (arrays, factors | undefined)
static List read_list(Arguments& args) {
  List list = read_arrays(args);
  if (args.failed() || args.next_is_undefined()) return list;
  const Floats factors = args.floats("factors", DType::float64, list.arrays.size());
  if (!args.failed()) list.factors.assign(factors.as<double>(), factors.as<double>() + factors.length);
  return list;
}

template <class T> static std::vector<Values<T>> values_of(const List& list) {
  std::vector<Values<T>> values;
  values.reserve(list.arrays.size());
  for (size_t i = 0; i < list.arrays.size(); ++i) {
    values.push_back({list.arrays[i].as<T>(), list.arrays[i].length, list.factors[i]});
  }
  return values;
}

// sumOfSquares(arrays, factors | undefined): number
static Napi::Value sum_of_squares_of(const Info& info) {
  Arguments args(info);
  const List list = read_list(args);
  if (args.failed()) return args.undefined();
  double sum = 0;
  with_type(list.dtype, [&](auto t) {
    const auto values = values_of<decltype(t)>(list);
    sum = sum_of_squares(values.data(), values.size());
  });
  return Napi::Number::New(info.Env(), sum);
}

// sumOfSquaresAt(table: Float64Array of [address, length, factor] for each array, count, isFloat64): number
static Napi::Value sum_of_squares_at(const Info& info) {
  Arguments args(info);
  const Floats table = args.floats("table", DType::float64);
  const size_t count = args.size("count");
  const bool is_float64 = args.boolean("isFloat64");
  args.require(3 * count <= table.length, "table must have three numbers for each array");
  if (args.failed()) return args.undefined();
  double sum = 0;
  with_type(is_float64 ? DType::float64 : DType::float32, [&](auto t) {
    using T = decltype(t);
    static thread_local std::vector<Values<T>> values;
    values.clear();
    for (const double* row = table.as<double>(); values.size() < count; row += 3) {
      values.push_back({static_cast<const T*>(pointer_of(row[0])), static_cast<size_t>(row[1]), row[2]});
    }
    sum = sum_of_squares(values.data(), values.size());
  });
  return Napi::Number::New(info.Env(), sum);
}

// addressOf(array): number
static Napi::Value address_of(const Info& info) {
  Arguments args(info);
  const Floats array = args.floats("array");
  if (args.failed()) return args.undefined();
  return Napi::Number::New(info.Env(), static_cast<double>(reinterpret_cast<uintptr_t>(array.data)));
}

// allFinite(arrays): boolean
static Napi::Value all_finite_of(const Info& info) {
  Arguments args(info);
  const List list = read_arrays(args);
  if (args.failed()) return args.undefined();
  bool finite = true;
  with_type(list.dtype, [&](auto t) {
    const auto values = values_of<decltype(t)>(list);
    finite = all_finite(values.data(), values.size());
  });
  return Napi::Boolean::New(info.Env(), finite);
}

// addN(out, terms): out = terms[0] + terms[1] + ...
static Napi::Value add_n_of(const Info& info) {
  Arguments args(info);
  const Floats out = args.floats("out");
  const List list = read_arrays(args);
  args.require(!list.arrays.empty(), "there must be terms to add");
  for (const Floats& term : list.arrays) {
    args.require(term.length == out.length && term.dtype == out.dtype, "every term must be like out");
  }
  if (args.failed()) return args.undefined();
  with_type(out.dtype, [&](auto t) {
    using T = decltype(t);
    std::vector<const T*> terms;
    for (const Floats& term : list.arrays) terms.push_back(term.as<T>());
    add_n(out.as<T>(), terms.data(), terms.size(), out.length);
  });
  return args.undefined();
}

// scale(out, x, factor); out may be x
static Napi::Value scale_op(const Info& info) {
  Arguments args(info);
  const Floats out = args.floats("out"), x = args.floats("x", out.dtype, out.length);
  const double factor = args.number("factor");
  if (args.failed()) return args.undefined();
  with_type(out.dtype, [&](auto t) { scale(out.as<decltype(t)>(), x.as<decltype(t)>(), factor, out.length); });
  return args.undefined();
}

// addScaled(out, x, factor): out += x factor
static Napi::Value add_scaled_op(const Info& info) {
  Arguments args(info);
  const Floats out = args.floats("out"), x = args.floats("x", out.dtype, out.length);
  const double factor = args.number("factor");
  if (args.failed()) return args.undefined();
  with_type(out.dtype, [&](auto t) { add_scaled(out.as<decltype(t)>(), x.as<decltype(t)>(), factor, out.length); });
  return args.undefined();
}

// moveToward(averages, values, rate): averages[i] -= (averages[i] - values[i]) rate
static Napi::Value move_toward_op(const Info& info) {
  Arguments args(info);
  const List averages = read_arrays(args), values = read_arrays(args);
  const double rate = args.number("rate");
  args.require(averages.arrays.size() == values.arrays.size(), "there must be as many values as averages");
  args.require(averages.arrays.empty() || averages.dtype == values.dtype, "averages and values must have one dtype");
  for (size_t i = 0; i < averages.arrays.size() && !args.failed(); ++i) {
    args.require(averages.arrays[i].length == values.arrays[i].length, "every value must be as long as its average");
  }
  if (args.failed()) return args.undefined();
  with_type(averages.dtype, [&](auto t) {
    using T = decltype(t);
    std::vector<Average<T>> pairs;
    pairs.reserve(averages.arrays.size());
    for (size_t i = 0; i < averages.arrays.size(); ++i) {
      pairs.push_back({averages.arrays[i].as<T>(), values.arrays[i].as<T>(), averages.arrays[i].length});
    }
    move_toward(pairs.data(), pairs.size(), rate);
  });
  return args.undefined();
}

// clipByValue(out, x, low, high); out may be x
static Napi::Value clip_by_value_op(const Info& info) {
  Arguments args(info);
  const Floats out = args.floats("out"), x = args.floats("x", out.dtype, out.length);
  const double low = args.number("low"), high = args.number("high");
  if (args.failed()) return args.undefined();
  with_type(out.dtype, [&](auto t) {
    using T = decltype(t);
    clip_by_value(out.as<T>(), x.as<T>(), static_cast<T>(low), static_cast<T>(high), out.length);
  });
  return args.undefined();
}

void export_gradients(Napi::Env env, Napi::Object exports) {
  add<sum_of_squares_of>(env, exports, "sumOfSquares");
  add<sum_of_squares_at>(env, exports, "sumOfSquaresAt");
  add<address_of>(env, exports, "addressOf");
  add<all_finite_of>(env, exports, "allFinite");
  add<add_n_of>(env, exports, "addN");
  add<scale_op>(env, exports, "scale");
  add<add_scaled_op>(env, exports, "addScaled");
  add<move_toward_op>(env, exports, "moveToward");
  add<clip_by_value_op>(env, exports, "clipByValue");
}

}  // namespace gradstep
