// Norms of lists of gradients, and the few functions that write a gradient anew.
#include "../drivers/average.h"
#include "../drivers/blocks.h"
#include "../drivers/elementwise.h"
#include "../drivers/norm.h"
#include "addresses.h"
#include "arguments.h"
#include "bindings.h"
#include "environment.h"

namespace gradstep {
namespace {

using Info = Napi::CallbackInfo;

// A list of arrays of one format.
struct List {
  Format format = Format::float32;
  Buffer<Floats> arrays;
};

// (arrays)
void read_arrays(Arguments& args, List& list) {
  const Napi::Value value = args.next();
  if (!value.IsArray()) return args.type_error("arrays must be an array");
  const Napi::Array arrays = value.As<Napi::Array>();
  const uint32_t count = arrays.Length();
  if (!list.arrays.reserve(count)) return args.out_of_memory("a list of arrays");
  for (uint32_t i = 0; i < count && !args.failed(); ++i) {
    // A list of 10,000 would otherwise keep as many handles open until the call returns.
    const Napi::HandleScope scope(args.env());
    napi_value item = nullptr;
    // Fails in a thread that is being terminated.
    if (napi_get_element(args.env(), arrays, i, &item) != napi_ok) return args.type_error("arrays must be an array");
    const Floats array = args.floats_of(item, "an array");
    if (i == 0) list.format = array.format;
    if (!args.failed() && array.format != list.format) args.type_error("all arrays must have one dtype");
    list.arrays.add_reserved(array);
  }
}

// The list's arrays, each with its factor, or 1 without factors. False when there is no memory.
template <class T> bool values_of(const List& list, const double* factors, Buffer<Values<T>>& values) {
  if (!values.reserve(list.arrays.size())) return false;
  for (size_t i = 0; i < list.arrays.size(); ++i) {
    values.add_reserved({list.arrays[i].as<T>(), list.arrays[i].length, factors ? factors[i] : 1.0});
  }
  return true;
}

// sumOfSquares(arrays, factors | undefined): number
Napi::Value sum_of_squares_of(const Info& info) {
  Arguments args(info);
  List list;
  read_arrays(args, list);
  Floats factors;
  if (!args.next_is_undefined()) factors = args.floats("factors", Format::float64, list.arrays.size());
  if (args.failed()) return args.undefined();
  double sum = 0;
  with_type(list.format, [&](auto t) {
    Buffer<Values<decltype(t)>> values;
    const bool done =
        values_of(list, factors.as<double>(), values) && sum_of_squares(values.data(), values.size(), sum);
    if (!done) args.out_of_memory("the norm of so many arrays");
  });
  return Napi::Number::New(info.Env(), sum);
}

// sumOfSquaresAt(table: Float64Array of [address, length, factor] for each array, count, format): number
Napi::Value sum_of_squares_at(const Info& info) {
  Arguments args(info);
  const Floats table = args.floats("table", Format::float64);
  const size_t count = args.size("count");
  const Format format = args.format("format");
  args.require(count <= table.length / 3, "table must have three numbers for each array");
  if (args.failed()) return args.undefined();
  double sum = 0;
  const bool is_known = with_type(format, [&](auto t) {
    static thread_local Buffer<Values<decltype(t)>> values;
    if (!read_values(args, table.as<double>(), count, values)) return;
    if (!sum_of_squares(values.data(), values.size(), sum)) args.out_of_memory("the norm of so many arrays");
  });
  if (!is_known) args.type_error(std::string("there is no norm of ") + name_of(format));
  return Napi::Number::New(info.Env(), sum);
}

// sumsOfSquaresAt(table, count, format, out: Float64Array with a number for each block)
Napi::Value sums_of_squares_at(const Info& info) {
  Arguments args(info);
  const Floats table = args.floats("table", Format::float64);
  const size_t count = args.size("count");
  const Format format = args.format("format");
  const Floats out = args.floats("out", Format::float64);
  args.require(count <= table.length / 3, "table must have three numbers for each array");
  if (args.failed()) return args.undefined();
  const bool is_known = with_type(format, [&](auto t) {
    static thread_local Buffer<Values<decltype(t)>> values;
    if (!read_values(args, table.as<double>(), count, values)) return;
    size_t blocks = 0;
    for (const auto& array : values) blocks += blocks_of(array.count);
    if (blocks != out.length) return args.range_error("out must have a number for each block");
    if (!sums_of_squares(values.data(), values.size(), out.as<double>())) {
      args.out_of_memory("the norms of so many blocks");
    }
  });
  if (!is_known) args.type_error(std::string("there is no norm of ") + name_of(format));
  return args.undefined();
}

template <class T> class SquaresJob : public PromisedJob {
 public:
  void run() override { found_memory_ = sum_of_squares(values.data(), values.size(), sum_); }
  const char* failure() const override { return found_memory_ ? nullptr : "out of memory: the norm of so many arrays"; }
  napi_status value(napi_env env, napi_value* value) const override { return napi_create_double(env, sum_, value); }

  Buffer<Values<T>> values;

 private:
  double sum_ = 0;
  bool found_memory_ = false;
};

// sumOfSquaresAtAsync(held, table, count, format): Promise<number>
Napi::Value sum_of_squares_at_async(const Info& info) {
  Arguments args(info);
  const Napi::Value held = args.object("held");
  const Floats table = args.floats("table", Format::float64);
  const size_t count = args.size("count");
  const Format format = args.format("format");
  args.require(count <= table.length / 3, "table must have three numbers for each array");
  if (args.failed()) return args.undefined();
  Napi::Value promise = args.undefined();
  const bool is_known = with_type(format, [&](auto t) {
    using T = decltype(t);
    Owned<SquaresJob<T>> job = make_job<SquaresJob<T>>();
    if (job == nullptr) return args.out_of_memory("the norm of so many arrays");
    if (read_values(args, table.as<double>(), count, job->values)) promise = enqueued(info.Env(), std::move(job), held);
  });
  if (!is_known) args.type_error(std::string("there is no norm of ") + name_of(format));
  return promise;
}

// addressOf(array): number
Napi::Value address_of_array(const Info& info) {
  Arguments args(info);
  const Floats array = args.floats("array");
  if (args.failed()) return args.undefined();
  return Napi::Number::New(info.Env(), address_of(array.data));
}

// allFinite(arrays): boolean
Napi::Value all_finite_of(const Info& info) {
  Arguments args(info);
  List list;
  read_arrays(args, list);
  if (args.failed()) return args.undefined();
  bool finite = true;
  with_type(list.format, [&](auto t) {
    Buffer<Values<decltype(t)>> values;
    const bool done = values_of(list, nullptr, values) && all_finite(values.data(), values.size(), finite);
    if (!done) args.out_of_memory("looking at so many arrays");
  });
  return Napi::Boolean::New(info.Env(), finite);
}

// addN(out, terms): out = terms[0] + terms[1] + ...
Napi::Value add_n_of(const Info& info) {
  Arguments args(info);
  const Floats out = args.floats("out");
  List list;
  read_arrays(args, list);
  args.require(!list.arrays.empty(), "there must be terms to add");
  for (const Floats& term : list.arrays) {
    args.require(term.length == out.length && term.format == out.format, "every term must be like out");
  }
  if (args.failed()) return args.undefined();
  with_type(out.format, [&](auto t) {
    using T = decltype(t);
    Buffer<const T*> terms;
    if (!terms.reserve(list.arrays.size())) return args.out_of_memory("a sum of so many terms");
    for (const Floats& term : list.arrays) terms.add_reserved(term.as<T>());
    add_n(out.as<T>(), terms.data(), terms.size(), out.length);
  });
  return args.undefined();
}

// scale(out, x, factor); out may be x
Napi::Value scale_op(const Info& info) {
  Arguments args(info);
  const Floats out = args.floats("out"), x = args.floats("x", out.format, out.length);
  const double factor = args.number("factor");
  if (args.failed()) return args.undefined();
  with_type(out.format, [&](auto t) { scale(out.as<decltype(t)>(), x.as<decltype(t)>(), factor, out.length); });
  return args.undefined();
}

// addScaled(out, x, factor): out += x factor
Napi::Value add_scaled_op(const Info& info) {
  Arguments args(info);
  const Floats out = args.floats("out"), x = args.floats("x", out.format, out.length);
  const double factor = args.number("factor");
  if (args.failed()) return args.undefined();
  with_type(out.format, [&](auto t) { add_scaled(out.as<decltype(t)>(), x.as<decltype(t)>(), factor, out.length); });
  return args.undefined();
}

// moveToward(averages, values, rate): averages[i] -= (averages[i] - values[i]) rate
Napi::Value move_toward_op(const Info& info) {
  Arguments args(info);
  List averages, values;
  read_arrays(args, averages);
  read_arrays(args, values);
  const double rate = args.number("rate");
  args.require(averages.arrays.size() == values.arrays.size(), "there must be as many values as averages");
  args.require(averages.arrays.empty() || averages.format == values.format, "averages and values must have one dtype");
  for (size_t i = 0; i < averages.arrays.size() && !args.failed(); ++i) {
    args.require(averages.arrays[i].length == values.arrays[i].length, "every value must be as long as its average");
  }
  if (args.failed()) return args.undefined();
  with_type(averages.format, [&](auto t) {
    using T = decltype(t);
    Buffer<Average<T>> pairs;
    bool done = pairs.reserve(averages.arrays.size());
    for (size_t i = 0; done && i < averages.arrays.size(); ++i) {
      pairs.add_reserved({averages.arrays[i].as<T>(), values.arrays[i].as<T>(), averages.arrays[i].length});
    }
    done = done && move_toward(pairs.data(), pairs.size(), rate);
    if (!done) args.out_of_memory("moving so many averages");
  });
  return args.undefined();
}

// clipByValue(out, x, low, high); out may be x
Napi::Value clip_by_value_op(const Info& info) {
  Arguments args(info);
  const Floats out = args.floats("out"), x = args.floats("x", out.format, out.length);
  const double low = args.number("low"), high = args.number("high");
  if (args.failed()) return args.undefined();
  with_type(out.format, [&](auto t) {
    using T = decltype(t);
    clip_by_value(out.as<T>(), x.as<T>(), static_cast<T>(low), static_cast<T>(high), out.length);
  });
  return args.undefined();
}

}  // namespace

void export_gradients(Napi::Env env, Napi::Object exports) {
  add<sum_of_squares_of>(env, exports, "sumOfSquares");
  add<sum_of_squares_at>(env, exports, "sumOfSquaresAt");
  add<sums_of_squares_at>(env, exports, "sumsOfSquaresAt");
  add<sum_of_squares_at_async>(env, exports, "sumOfSquaresAtAsync");
  add<address_of_array>(env, exports, "addressOf");
  add<all_finite_of>(env, exports, "allFinite");
  add<add_n_of>(env, exports, "addN");
  add<scale_op>(env, exports, "scale");
  add<add_scaled_op>(env, exports, "addScaled");
  add<move_toward_op>(env, exports, "moveToward");
  add<clip_by_value_op>(env, exports, "clipByValue");
}

}  // namespace gradstep
