// What the addon keeps for each environment, the main one or a worker's. Nothing of JavaScript lies anywhere else.
#pragma once
#include "jobs.h"
#include "watch.h"

namespace gradstep {

class Environment {
 public:
  // False when there is no memory for it, or the environment is ending.
  static bool make(napi_env env);

  static Environment* of(napi_env env);

  Watch watch;
  Jobs jobs;

 private:
  Environment(napi_env env, Queue* queue) : watch(env), jobs(env, queue) {}
};

// Has a job done off the event loop of this environment: the promise of its result, or undefined with an Error thrown.
Napi::Value enqueued(Napi::Env env, Owned<PromisedJob> job, Napi::Value held);

}  // namespace gradstep
