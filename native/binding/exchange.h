// Exchanges as JavaScript has them: objects that are handed to a program.
#pragma once
#include <napi.h>

#include "../runtime/exchange.h"
#include "arguments.h"

namespace gradstep {

// The object. `end` is called with the exchange when the object goes, and at once where there is no memory for it: then
// nullptr is returned. `kept`, unless it is nullptr, stays as long as the object.
napi_value exchange_object(napi_env env, Exchange* exchange, void (*end)(Exchange* exchange), napi_value kept);

// The exchange of such an object; with a TypeError, nullptr.
Exchange* exchange_of(Arguments& args, napi_value object);

}  // namespace gradstep
