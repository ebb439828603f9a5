// Histograms, for gradstep/tensorboard.
#include "../drivers/histogram.h"
#include "addresses.h"
#include "arguments.h"
#include "bindings.h"

namespace gradstep {
namespace {

using Info = Napi::CallbackInfo;

constexpr size_t kBeforeCounts = 6;

void write(const Histogram& result, double* out) {
  const HistogramSums& sums = result.sums;
  const double numbers[kBeforeCounts] = {static_cast<double>(sums.count),
                                         static_cast<double>(result.non_finite),
                                         sums.min,
                                         sums.max,
                                         sums.sum,
                                         sums.sum_squares};
  for (size_t i = 0; i < kBeforeCounts; ++i) out[i] = numbers[i];
  for (size_t i = 0; i < kHistogramLimits; ++i) out[kBeforeCounts + i] = static_cast<double>(result.counts[i]);
}

// histogramAt(out, table: Float64Array of address, length, factor, format)
Napi::Value histogram_at(const Info& info) {
  Arguments args(info);
  const Floats out = args.floats("out", Format::float64, kBeforeCounts + kHistogramLimits);
  const Floats table = args.floats("table", Format::float64);
  const Format format = args.format("format");
  args.require(table.length >= 3, "table must have three numbers");
  if (args.failed()) return args.undefined();
  const bool is_known = with_type(format, [&](auto t) {
    static thread_local Buffer<Values<decltype(t)>> values;
    if (!read_values(args, table.as<double>(), 1, values)) return;
    Histogram result;
    if (!histogram(values[0], result)) return args.out_of_memory("the histogram of so many values");
    write(result, out.as<double>());
  });
  if (!is_known) args.type_error(std::string("there is no histogram of ") + name_of(format));
  return args.undefined();
}

// histogramLimits(out)
Napi::Value histogram_limits_of(const Info& info) {
  Arguments args(info);
  const Floats out = args.floats("out", Format::float64, kHistogramLimits);
  if (!args.failed()) histogram_limits(out.as<double>());
  return args.undefined();
}

}  // namespace

void export_histograms(Napi::Env env, Napi::Object exports) {
  add<histogram_at>(env, exports, "histogramAt");
  add<histogram_limits_of>(env, exports, "histogramLimits");
  exports.Set("histogramBuckets", Napi::Number::New(env, static_cast<double>(kHistogramLimits)));
}

}  // namespace gradstep
