// The queue of jobs: in their order, one at a time, and whatever comes in between an end that waits for one at most.
#include "../runtime/queue.h"

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "../runtime/pool.h"
#include "check.h"

using namespace gradstep;

namespace {

std::atomic<int> living{0};

// What jobs leave behind. Not atomic: the queue alone keeps it apart from other threads.
struct Trace {
  std::vector<int> order;
  std::atomic<int> running{0};
  bool overlapped = false;
};

class Traced : public Job {
 public:
  Traced(Trace& trace, int number, int milliseconds = 0) : trace_(trace), number_(number), milliseconds_(milliseconds) {
    ++living;
  }
  ~Traced() override { --living; }

  void run() override {
    trace_.overlapped |= ++trace_.running != 1;
    if (milliseconds_ > 0) std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds_));
    trace_.order.push_back(number_);
    --trace_.running;
  }

 private:
  Trace& trace_;
  const int number_, milliseconds_;
};

// An event loop in small: brings a thread for each job, and takes the job back when it is done.
class Owner {
 public:
  Owner() : queue_(Queue::make()) {}
  ~Owner() {
    join();
    queue_->release();
  }

  Queue& queue() { return *queue_; }
  bool add(Owned<Job> job) {
    const bool is_added = queue_->add(std::move(job));
    go_on();
    return is_added;
  }
  // One turn of the loop. False when there was nothing to do.
  bool turn() {
    if (!thread_.joinable()) return false;
    thread_.join();
    is_alone_ = true;
    Owned<Job> job = queue_->take_done();
    done_ += job != nullptr;
    job.reset();
    go_on();
    return true;
  }
  void join() {
    while (turn()) {}
  }
  int done() const { return done_; }

 private:
  void go_on() {
    if (!queue_->needs_thread()) return;
    check(is_alone_, "there is one thread at a time");
    is_alone_ = false;
    thread_ = std::thread([this] { queue_->run_first(); });
  }

  Queue* const queue_;
  std::thread thread_;
  bool is_alone_ = true;
  int done_ = 0;
};

bool ascends(const std::vector<int>& numbers, size_t count) {
  for (size_t i = 0; i < numbers.size(); ++i) {
    if (numbers[i] != static_cast<int>(i)) return false;
  }
  return numbers.size() == count;
}

void jobs_are_done_in_their_order_one_at_a_time() {
  Trace trace;
  Owner owner;
  for (int number = 0; number < 200; ++number) {
    owner.add(make_job<Traced>(trace, number));
    if (number % 7 == 0) owner.turn();
  }
  owner.join();
  check(ascends(trace.order, 200) && owner.done() == 200, "200 jobs are done in their order");
  check(!trace.overlapped, "no two are done at once");
  check(living == 0, "all are deleted");
}

void closing_waits_for_the_job_that_is_being_done_and_for_no_other() {
  for (int round = 0; round < 50; ++round) {
    Trace trace;
    Owner owner;
    for (int number = 0; number < 10; ++number) owner.add(make_job<Traced>(trace, number, round % 3));
    for (int turns = 0; turns < round % 4; ++turns) owner.turn();
    std::this_thread::sleep_for(std::chrono::microseconds(37 * round));
    const auto begun = trace.running.load();
    owner.queue().close();
    check(trace.running == 0 && begun <= 1, "nothing is being done once it is closed");
    const size_t done = trace.order.size();
    check(done <= static_cast<size_t>(round % 4) + 1, "and nothing was begun after what was under way");
    check(!owner.add(make_job<Traced>(trace, 99)), "a closed queue takes no job");
    owner.join();
    check(trace.order.size() == done, "nor does it begin one");
    check(living == 0, "those that were not begun are deleted");
  }
}

// An environment goes while its work item is still on its way: it comes to a queue that is closed, and the last of the
// two to leave deletes it.
void a_thread_may_come_after_the_end() {
  Trace trace;
  Queue* const queue = Queue::make();
  queue->add(make_job<Traced>(trace, 0));
  check(queue->needs_thread() && !queue->needs_thread(), "asks for one thread");
  Queue* const item = queue->share();
  queue->close();
  queue->release();
  std::thread([item] { item->run_first(); }).join();
  check(item->is_closed() && item->take_done() == nullptr && trace.order.empty(), "it finds nothing to do");
  item->release();
  check(living == 0, "and leaves nothing behind");
}

class Sum : public Job {
 public:
  explicit Sum(std::vector<double>& values) : values_(values) {}
  void run() override {
    parallel_for(8, [this](size_t block) {
      for (size_t i = block * 1000; i < (block + 1) * 1000; ++i) values_[i] += 1;
    });
  }

 private:
  std::vector<double>& values_;
};

void jobs_of_several_owners_use_the_pool_at_once() {
  set_threads(3);
  std::vector<std::thread> owners;
  std::atomic<int> right{0};
  for (int i = 0; i < 4; ++i) {
    owners.emplace_back([&right] {
      std::vector<double> values(8000), others(8000);
      Owner owner;
      for (int step = 0; step < 50; ++step) {
        owner.add(make_job<Sum>(values));
        Sum(others).run();  // as the event loop may, meanwhile
      }
      owner.join();
      bool is_right = true;
      for (size_t k = 0; k < values.size(); ++k) is_right = is_right && values[k] == 50 && others[k] == 50;
      right += is_right;
    });
  }
  for (std::thread& owner : owners) owner.join();
  check(right == 4, "each owner's jobs see what the ones before have written");
}

}  // namespace

int main() {
  jobs_are_done_in_their_order_one_at_a_time();
  closing_waits_for_the_job_that_is_being_done_and_for_no_other();
  a_thread_may_come_after_the_end();
  jobs_of_several_owners_use_the_pool_at_once();
  return report();
}
