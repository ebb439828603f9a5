// Work that leaves the event loop free: done on a thread of libuv's, with its result as a promise.
#pragma once
#include <napi.h>

#include "../runtime/queue.h"

namespace gradstep {

// A job whose result is a promise. run() is called off the thread of its environment and calls nothing of Node-API;
// what it needs it has been given, and what must stay where it is meanwhile is held.
class PromisedJob : public Job {
 public:
  // Both on the environment's thread, once it has run. Why the work could not be done: the promise is rejected with an
  // Error that says so; nullptr when it has been done.
  virtual const char* failure() const { return nullptr; }
  // Whether that is a RangeError.
  virtual bool is_range_error() const { return false; }
  // What the promise becomes.
  virtual napi_status value(napi_env env, napi_value* value) const { return napi_get_undefined(env, value); }

 private:
  friend class Jobs;
  napi_deferred deferred_ = nullptr;
  napi_ref held_ = nullptr;
};

// The jobs of one environment, one after another: one work item of libuv's at a time, so that files and names of hosts
// find its other threads free.
class Jobs {
 public:
  // The queue is its own from here on.
  Jobs(napi_env env, Queue* queue) : env_(env), queue_(queue) {}
  ~Jobs();

  // To be called once. False when the environment is ending.
  bool watch_for_end();

  // Has the job done. `held` stays referenced until its promise is settled: an object that has all arrays and buffers
  // that the job reads or writes. Returns the promise; nullptr when the environment is ending or there is no memory,
  // with an Error thrown where that can be.
  napi_value enqueue(Owned<PromisedJob> job, napi_value held);

  // For a job that is being done: whether nobody waits for what comes of it any more.
  Queue* queue() const { return queue_; }

 private:
  struct Item;

  bool go_on();
  bool settle(PromisedJob& job);
  void end();

  static void execute(napi_env env, void* data);
  static void complete(napi_env env, napi_status status, void* data);

  const napi_env env_;
  Queue* const queue_;
};

}  // namespace gradstep
