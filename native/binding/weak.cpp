// Objects that are watched without being kept alive: what JavaScript calls.
#include "arguments.h"
#include "bindings.h"
#include "environment.h"

namespace gradstep {
namespace {

using Info = Napi::CallbackInfo;

Watch& watch_of(const Info& info) { return Environment::of(info.Env())->watch; }

// watch(object, bytes): number
Napi::Value watch(const Info& info) {
  Arguments args(info);
  const Napi::Value object = args.next();
  if (!object.IsObject()) args.type_error("object must be an object");
  const size_t bytes = args.size("bytes");
  if (args.failed()) return args.undefined();
  double id = 0;
  if (!watch_of(info).add(object, bytes, id)) args.out_of_memory("watching an object");
  return Napi::Number::New(info.Env(), id);
}

// watched(id): object | undefined
Napi::Value watched(const Info& info) {
  Arguments args(info);
  const double id = args.number("id");
  if (args.failed()) return args.undefined();
  const napi_value object = watch_of(info).find(id);
  return object == nullptr ? args.undefined() : Napi::Value(info.Env(), object);
}

}  // namespace

void export_weak(Napi::Env env, Napi::Object exports) {
  add<watch>(env, exports, "watch");
  add<watched>(env, exports, "watched");
}

}  // namespace gradstep
