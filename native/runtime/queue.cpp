#include "queue.h"

#include "pool.h"

namespace gradstep {

Queue* Queue::make() {
  void* const memory = os::allocate(sizeof(Queue));
  return memory == nullptr ? nullptr : new (memory) Queue;
}

Queue::~Queue() { close(); }

Queue* Queue::share() {
  ++owners_;
  return this;
}

void Queue::release() {
  if (--owners_ > 0) return;
  this->~Queue();
  os::release(this);
}

bool Queue::add(Owned<Job> job) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (is_closed_) return false;
  Job* const added = job.release();
  (first_ == nullptr ? first_ : last_->next_) = added;
  last_ = added;
  return true;
}

bool Queue::needs_thread() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (has_thread_ || first_ == nullptr) return false;
  return has_thread_ = true;
}

void Queue::run_first() {
  Job* job = nullptr;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (is_closed_) return;
    job = first_;
    is_running_ = true;
  }
  {
    const Background background;
    job->run();
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  is_running_ = false;
  job_over_.notify_all();  // under the lock: whoever waits may delete the queue as soon as it is free
}

Owned<Job> Queue::take_done() {
  const std::lock_guard<std::mutex> lock(mutex_);
  has_thread_ = false;
  return Owned<Job>(take_first());
}

Job* Queue::take_first() {
  Job* const job = first_;
  if (job != nullptr) first_ = job->next_;
  return job;
}

void Queue::close() {
  std::unique_lock<std::mutex> lock(mutex_);
  is_closed_ = true;
  job_over_.wait(lock, [this] { return !is_running_; });
  while (Job* const job = take_first()) DeleteJob()(job);
}

bool Queue::is_closed() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return is_closed_;
}

}  // namespace gradstep
