#include "exchange.h"

#include "../runtime/make.h"

namespace gradstep {
namespace {

// What tells an object of ours from others.
constexpr napi_type_tag kExchangeTag = {0x677261647374657, 0x65786368616e6765};

struct Held {
  Exchange* exchange;
  void (*end)(Exchange* exchange);
  napi_ref kept;
};

void end_exchange(napi_env env, void* data, void*) {
  Held* const held = static_cast<Held*>(data);
  if (held->kept != nullptr) napi_delete_reference(env, held->kept);
  held->end(held->exchange);
  unmake(held);
}

}  // namespace

napi_value exchange_object(napi_env env, Exchange* exchange, void (*end)(Exchange* exchange), napi_value kept) {
  Held* const held = make<Held>(Held{exchange, end, nullptr});
  if (held == nullptr) {
    end(exchange);
    return nullptr;
  }
  napi_value object = nullptr;
  if ((kept != nullptr && napi_create_reference(env, kept, 1, &held->kept) != napi_ok) ||
      napi_create_object(env, &object) != napi_ok ||
      napi_wrap(env, object, held, end_exchange, nullptr, nullptr) != napi_ok) {
    end_exchange(env, held, nullptr);
    return nullptr;
  }
  // Where this fails the object has it already: it goes with it.
  return napi_type_tag_object(env, object, &kExchangeTag) == napi_ok ? object : nullptr;
}

Exchange* exchange_of(Arguments& args, napi_value object) {
  bool is_one = false;
  void* data = nullptr;
  if (napi_check_object_type_tag(args.env(), object, &kExchangeTag, &is_one) != napi_ok || !is_one ||
      napi_unwrap(args.env(), object, &data) != napi_ok) {
    args.type_error("exchange must be one that a communicator has");
    return nullptr;
  }
  return static_cast<Held*>(data)->exchange;
}

}  // namespace gradstep
