#include "environment.h"

#include <new>

namespace gradstep {
namespace {

void forget(napi_env, void* data, void*) { unmake(static_cast<Environment*>(data)); }

}  // namespace

bool Environment::make(napi_env env) {
  void* const memory = os::allocate(sizeof(Environment));
  Queue* const queue = memory == nullptr ? nullptr : Queue::make();
  if (queue == nullptr) {
    os::release(memory);
    return false;
  }
  Environment* const made = new (memory) Environment(env, queue);
  if (napi_set_instance_data(env, made, forget, nullptr) == napi_ok && made->jobs.watch_for_end()) return true;
  // With the data set its finalizer deletes it.
  if (of(env) == nullptr) forget(env, made, nullptr);
  return false;
}

Environment* Environment::of(napi_env env) {
  void* data = nullptr;
  return napi_get_instance_data(env, &data) == napi_ok ? static_cast<Environment*>(data) : nullptr;
}

Napi::Value enqueued(Napi::Env env, Owned<PromisedJob> job, Napi::Value held) {
  const napi_value promise = Environment::of(env)->jobs.enqueue(std::move(job), held);
  return promise == nullptr ? Napi::Value() : Napi::Value(env, promise);
}

}  // namespace gradstep
