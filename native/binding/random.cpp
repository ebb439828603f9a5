// Random numbers and dropout. lib/native.ts says what each takes.
#include "../drivers/random.h"
#include "arguments.h"
#include "bindings.h"

namespace gradstep {
namespace {

using Info = Napi::CallbackInfo;

Draw read_draw(Arguments& args) {
  Draw draw;
  draw.key = args.size("key");
  draw.stream = args.size("stream");
  draw.counter = args.size("counter");
  return draw;
}

// randomUniform(out, key, stream, counter, low, high)
Napi::Value uniform_op(const Info& info) {
  Arguments args(info);
  const Floats out = args.floats("out");
  const Draw draw = read_draw(args);
  const double low = args.number("low"), high = args.number("high");
  args.require(low < high, "low must be below high");
  if (args.failed()) return args.undefined();
  with_type(out.format, [&](auto t) {
    using T = decltype(t);
    random_uniform(out.as<T>(), draw, static_cast<T>(low), static_cast<T>(high), out.length);
  });
  return args.undefined();
}

// randomNormal(out, key, stream, counter, mean, stddev, truncated)
Napi::Value normal_op(const Info& info) {
  Arguments args(info);
  const Floats out = args.floats("out");
  const Draw draw = read_draw(args);
  const double mean = args.number("mean"), stddev = args.number("stddev");
  const bool truncated = args.boolean("truncated");
  if (args.failed()) return args.undefined();
  with_type(out.format,
            [&](auto t) { random_normal(out.as<decltype(t)>(), draw, mean, stddev, truncated, out.length); });
  return args.undefined();
}

// randomBernoulli(out, key, stream, counter, probability)
Napi::Value bernoulli_op(const Info& info) {
  Arguments args(info);
  const Floats out = args.floats("out");
  const Draw draw = read_draw(args);
  const double probability = args.number("probability");
  args.require(probability >= 0 && probability <= 1, "probability must lie in [0, 1]");
  if (args.failed()) return args.undefined();
  with_type(out.format, [&](auto t) { random_bernoulli(out.as<decltype(t)>(), draw, probability, out.length); });
  return args.undefined();
}

// dropout(out, x, key, stream, counter, rate)
Napi::Value dropout_op(const Info& info) {
  Arguments args(info);
  const Floats out = args.floats("out"), x = args.floats("x", out.format, out.length);
  const Draw draw = read_draw(args);
  const double rate = args.number("rate");
  args.require(rate >= 0 && rate < 1, "rate must lie in [0, 1)");
  if (args.failed()) return args.undefined();
  with_type(out.format, [&](auto t) {
    using T = decltype(t);
    dropout(out.as<T>(), x.as<T>(), draw, rate, out.length);
  });
  return args.undefined();
}

}  // namespace

void export_random(Napi::Env env, Napi::Object exports) {
  add<uniform_op>(env, exports, "randomUniform");
  add<normal_op>(env, exports, "randomNormal");
  add<bernoulli_op>(env, exports, "randomBernoulli");
  add<dropout_op>(env, exports, "dropout");
}

}  // namespace gradstep
