#include "jobs.h"

namespace gradstep {
namespace {

void on_end(void* data) {
  auto* const queue = static_cast<Queue*>(data);
  queue->close();
  queue->release();
}

napi_status error_of(napi_env env, const char* message, bool is_range_error, napi_value* error) {
  napi_value text = nullptr;
  const napi_status status = napi_create_string_utf8(env, message, NAPI_AUTO_LENGTH, &text);
  if (status != napi_ok) return status;
  return is_range_error ? napi_create_range_error(env, nullptr, text, error)
                        : napi_create_error(env, nullptr, text, error);
}

}  // namespace

// A work item on its way to a thread and back. It may outlive the environment's data, so it shares the queue: one that
// is closed says that `jobs` is not to be looked at.
struct Jobs::Item {
  Jobs* jobs;
  Queue* queue;
  napi_async_work work;
};

Jobs::~Jobs() {
  end();
  queue_->release();
}

// An environment that ends waits for no more than the job that is being done. The hook has a share of the queue,
// whichever comes first, it or the end of the environment's data.
bool Jobs::watch_for_end() {
  if (napi_add_env_cleanup_hook(env_, on_end, queue_->share()) == napi_ok) return true;
  queue_->release();
  return false;
}

void Jobs::end() { queue_->close(); }

napi_value Jobs::enqueue(Owned<PromisedJob> job, napi_value held) {
  napi_value promise = nullptr;
  PromisedJob& added = *job;
  // The reference comes last: of it alone something would be left behind by what fails after it.
  const bool is_ready = !queue_->is_closed() && napi_create_promise(env_, &added.deferred_, &promise) == napi_ok &&
                        napi_create_reference(env_, held, 1, &added.held_) == napi_ok;
  if (is_ready && queue_->add(std::move(job)) && go_on()) return promise;
  napi_throw_error(env_, nullptr, "this thread is ending: it takes no more steps");  // which cannot be thrown there
  return nullptr;
}

// Brings a thread for the next job, if there is one. False when that is refused, as it is in an environment that ends:
// then nothing is done any more.
bool Jobs::go_on() {
  if (!queue_->needs_thread()) return true;
  auto* const item = static_cast<Item*>(os::allocate(sizeof(Item)));
  napi_value name = nullptr;
  if (item != nullptr) *item = {this, queue_, nullptr};
  bool is_brought = item != nullptr && napi_create_string_utf8(env_, "gradstep", NAPI_AUTO_LENGTH, &name) == napi_ok &&
                    napi_create_async_work(env_, nullptr, name, execute, complete, item, &item->work) == napi_ok;
  if (is_brought) {
    queue_->share();
    is_brought = napi_queue_async_work(env_, item->work) == napi_ok;
    if (is_brought) return true;
    queue_->release();
    napi_delete_async_work(env_, item->work);
  }
  os::release(item);
  end();
  return false;
}

void Jobs::execute(napi_env, void* data) { static_cast<Item*>(data)->queue->run_first(); }

void Jobs::complete(napi_env env, napi_status, void* data) {
  const Item item = *static_cast<Item*>(data);
  os::release(data);
  napi_delete_async_work(env, item.work);
  if (!item.queue->is_closed()) {
    const Owned<Job> job = item.queue->take_done();
    // An environment that ends settles nothing: it is not to wait for another job.
    if (item.jobs->settle(*static_cast<PromisedJob*>(job.get()))) item.jobs->go_on();
    else item.jobs->end();
  }
  item.queue->release();
}

// False when the environment lets nothing happen any more.
bool Jobs::settle(PromisedJob& job) {
  const char* const failure = job.failure();
  napi_value value = nullptr;
  const napi_status made =
      failure != nullptr ? error_of(env_, failure, job.is_range_error(), &value) : job.value(env_, &value);
  bool is_settled = made == napi_ok;
  if (is_settled) {
    is_settled = (failure != nullptr ? napi_reject_deferred(env_, job.deferred_, value)
                                     : napi_resolve_deferred(env_, job.deferred_, value)) == napi_ok;
  }
  return napi_delete_reference(env_, job.held_) == napi_ok && is_settled;
}

}  // namespace gradstep
