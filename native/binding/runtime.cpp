// The instruction set and the threads in use.
#include "../runtime/dispatch.h"

#include "../runtime/pool.h"
#include "arguments.h"
#include "bindings.h"
#include "version.h"

namespace gradstep {
namespace {

Napi::Value get_isa(const Napi::CallbackInfo& info) { return Napi::String::New(info.Env(), kernels().isa); }

Napi::Value get_available_isas(const Napi::CallbackInfo& info) {
  Napi::Array result = Napi::Array::New(info.Env());
  for (const KernelTable* table : available_isas())
    result.Set(result.Length(), Napi::String::New(info.Env(), table->isa));
  return result;
}

Napi::Value set_isa(const Napi::CallbackInfo& info) {
  Arguments args(info);
  const std::string name = args.string("isa");
  if (args.failed()) return args.undefined();
  return Napi::Boolean::New(info.Env(), use_isa(name.c_str()));
}

Napi::Value get_threads(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(threads()));
}

Napi::Value change_threads(const Napi::CallbackInfo& info) {
  Arguments args(info);
  const size_t n = args.size("threads");
  if (!args.failed()) set_threads(n);
  return args.undefined();
}

}  // namespace

Napi::Array names(Napi::Env env, const char* const* list, size_t count) {
  Napi::Array result = Napi::Array::New(env, count);
  for (uint32_t i = 0; i < count; ++i) result.Set(i, Napi::String::New(env, list[i]));
  return result;
}

void export_runtime(Napi::Env env, Napi::Object exports) {
  exports.Set("version", kVersion);
  add<get_isa>(env, exports, "isa");
  add<get_available_isas>(env, exports, "availableIsas");
  add<set_isa>(env, exports, "useIsa");
  add<get_threads>(env, exports, "threads");
  add<change_threads>(env, exports, "setThreads");
  exports.Set("formats", names(env, kFormatNames, kFormatCount));
  exports.Set("maxThreads", static_cast<double>(kMaxThreads));
}

}  // namespace gradstep
