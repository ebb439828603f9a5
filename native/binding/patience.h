// How long a thread of JavaScript waits in native code: until it is to end.
#pragma once
#include <napi.h>

#include "../runtime/waiting.h"

namespace gradstep {

// Of the thread that made it. A worker that is being terminated may no longer call into JavaScript; a call that would
// says so, and does nothing else.
class UntilTerminated {
 public:
  explicit UntilTerminated(napi_env env) : env_(env) { napi_get_undefined(env, &undefined_); }

  Patience patience() { return {is_over, this}; }

 private:
  static bool is_over(void* memory) {
    const UntilTerminated& self = *static_cast<UntilTerminated*>(memory);
    bool same = false;
    return napi_strict_equals(self.env_, self.undefined_, self.undefined_, &same) != napi_ok;
  }

  napi_env env_;
  napi_value undefined_ = nullptr;
};

}  // namespace gradstep
