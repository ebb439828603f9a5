// Work that is done one piece after another, in the order it came, on threads that somebody else brings.
#pragma once
#include <stddef.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>

#include "make.h"

namespace gradstep {

// A piece of work. Made by make_job, as memory may run out.
class Job {
 public:
  Job() = default;
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;
  virtual ~Job() = default;

  // On the thread that was brought.
  virtual void run() = 0;

 private:
  friend class Queue;
  Job* next_ = nullptr;
};

struct DeleteJob {
  void operator()(Job* job) const { unmake(job); }
};

template <class T> using Owned = std::unique_ptr<T, DeleteJob>;

// nullptr when there is no memory.
template <class T, class... Arguments> Owned<T> make_job(Arguments&&... arguments) {
  return Owned<T>(make<T>(std::forward<Arguments>(arguments)...));
}

// The jobs of one thread, its owner: all but run_first() is called there. After add() and take_done() the owner asks
// needs_thread(), and when that is so brings one: run_first() is called on it once, then take_done() on the owner's.
// So there is one such thread at a time at most. Made by make(); the last release() deletes it.
class Queue {
 public:
  static Queue* make();  // nullptr when there is no memory
  Queue* share();
  void release();

  // False when the queue is closed: the job is deleted.
  bool add(Owned<Job> job);

  // Whether there is a job and no thread for it. When it says so, the owner brings one, or closes the queue.
  bool needs_thread();

  // Does the first job. Nothing, when the queue has been closed.
  void run_first();

  // The job that has been done; nullptr when the queue has been closed.
  Owned<Job> take_done();

  // From here on nothing is begun. Returns when the job that is being done, if any, is over, and all have been deleted.
  void close();
  bool is_closed();

 private:
  Queue() = default;
  ~Queue();

  Job* take_first();

  size_t owners_ = 1;
  std::mutex mutex_;
  std::condition_variable job_over_;
  Job* first_ = nullptr;
  Job* last_ = nullptr;
  bool has_thread_ = false, is_running_ = false, is_closed_ = false;
};

}  // namespace gradstep
