// What is done once, when an object of JavaScript goes or its environment ends, whichever comes first.
#pragma once
#include <napi.h>

#include <utility>

#include "../runtime/make.h"

namespace gradstep {

// `End` is called without arguments, in the thread of the environment.
template <class End> class UntilEnd {
 public:
  explicit UntilEnd(End end) : end_(std::move(end)) {}

  // The object. `kept`, some memory say, stays until its end. nullptr when there is no memory: then `end` is not
  // called.
  static napi_value object(napi_env env, napi_value kept, End end) {
    UntilEnd* const made = make<UntilEnd>(std::move(end));
    napi_value object = nullptr;
    if (made == nullptr) return nullptr;
    if (napi_create_reference(env, kept, 1, &made->kept_) != napi_ok || napi_create_object(env, &object) != napi_ok ||
        napi_wrap(env, object, made, finalize, nullptr, nullptr) != napi_ok) {
      if (made->kept_ != nullptr) napi_delete_reference(env, made->kept_);
      unmake(made);
      return nullptr;
    }
    napi_add_env_cleanup_hook(env, finish, made);
    return object;
  }

 private:
  // The environment ends. What is kept stays until the last of the environment's finalizers.
  static void finish(void* memory) {
    UntilEnd& self = *static_cast<UntilEnd*>(memory);
    self.end_();
    self.has_ended_ = true;
  }

  static void finalize(napi_env env, void* memory, void*) {
    UntilEnd* const self = static_cast<UntilEnd*>(memory);
    if (!self->has_ended_) {
      napi_remove_env_cleanup_hook(env, finish, self);
      finish(self);
    }
    napi_delete_reference(env, self->kept_);
    unmake(self);
  }

  End end_;
  napi_ref kept_ = nullptr;
  bool has_ended_ = false;
};

}  // namespace gradstep
