// All ranks of an MPI program as this process sees them: one thread of its own makes all calls of MPI's, whatever
// threads ask for them.
#pragma once
#include <condition_variable>
#include <mutex>
#include <string>

#include "../runtime/exchange.h"
#include "../runtime/waiting.h"
#include "arrival.h"
#include "collectives.h"
#include "description.h"
#include "library.h"
#include "watchdog.h"

namespace gradstep::mpi {

// A collective call. It, and all memory that it names, stays where it is until it is over.
struct Call {
  // kCertain: all have come to it, and it goes on when whoever waits for it has run `make` and made it pending again.
  enum State : uint32_t { kPending, kMade, kAborted, kUnfit, kFailed, kCertain };

  Brought brought = {};
  bool in_order = true;       // sums are made in the order of ranks
  uint32_t state = kPending;  // its last word, after which nobody but the caller looks at it
  std::string fault;          // of kUnfit and kFailed
  Call* next = nullptr;
};

struct Settings {
  std::string library;  // its name, or empty
  Milliseconds warn_after, timeout;
};

class World final : private Post, private Judge, private Transport {
 public:
  explicit World(const Settings& settings) : settings_(settings) {}

  // The one of this process; nullptr before `start`, and after a start that has failed.
  static World* current();
  // Starts it, or finds that it was started. nullptr: there is no memory, or the system refuses a thread.
  static World* start(const Settings& settings);
  // Waits until it is there. What is wrong, or empty. A world that has failed is forgotten: another may be started.
  std::string wait_for_start();

  // From here on by any thread, when it has started.

  void enqueue(Call& call);
  // Waits until a call is over. When patience ends first nobody's calls go on, and this one is over soon.
  void wait(Call& call, const Patience& patience);
  void abort(const std::string& why);
  // Waits until all ranks have come to their end, then ends MPI. For the first who calls it.
  void finalize(const Patience& patience);
  // Ends all ranks' processes; does not return where there is MPI.
  void end_job(const std::string& why, int code);
  bool is_over() const;
  bool has_started() const { return load(&started_) == 1; }

  // Why calls are aborted, and the rank that is why, or -1.
  std::string reason(int& ended);

  size_t rank() const override { return rank_; }
  size_t size() const override { return size_; }
  std::string host(size_t rank) const { return hosts_.data() + rank * kHostBytes; }
  const Library* library() const { return library_; }  // nullptr where there is one rank and no need of one

 private:
  static constexpr size_t kHostBytes = 256;
  enum Wish : uint32_t { kWishAbort = 1, kWishEnd = 2, kWishEndJob = 4 };

  static void run(void* self);
  std::string begin();
  bool learn_hosts();
  void loop();
  void take_wishes();
  void perform(Call& call);
  bool arrive(Call& call);
  void let_make(Call& call);
  void settle(Call& call, Call::State state);
  Call* first_call();
  void leave();
  void drain();
  void part();
  bool are_on_several_hosts() const;
  void close();

  void progress();
  void receive_messages();
  void reap();
  void tick();
  void on(const Message& message);
  void on_left(const Message& message);
  bool failed(int code, const char* what);
  void wake();

  // Post
  void send(size_t to, const Message& message) override;
  // Judge
  std::string name_of_rank(size_t rank) const override;
  void warn(const std::string& text) override;
  void give_up(const std::string& why) override;
  void end_job(const std::string& why) override;
  // Transport
  bool send(size_t batch, const void* data, size_t bytes, size_t to) override;
  bool receive(size_t batch, void* data, size_t bytes, size_t from) override;
  bool wait(size_t batch) override;
  bool sum(void* values, size_t count, Format format) override;
  bool sum_part(const void* values, void* out, size_t count, Format format) override;

  struct Outgoing {
    Message message;
    Request request;
    bool is_free;
    Outgoing* next;
  };
  struct Batch {
    Buffer<Request> requests;
    size_t bytes = 0;
  };

  const Settings settings_;
  Library* library_ = nullptr;
  size_t rank_ = 0, size_ = 1;
  Buffer<char> hosts_;  // of each rank, kHostBytes

  // Of this thread and of others.
  mutable std::mutex mutex_;
  Call* first_ = nullptr;
  Call* last_ = nullptr;
  std::string wish_reason_, reason_, problem_;
  int wish_code_ = 1, ended_ = -1;
  uint32_t wishes_ = 0;
  uint32_t word_ = 0;     // changes when there is something to do
  uint32_t started_ = 0;  // 1, or 2 when that has failed
  uint32_t is_over_ = 0;

  // Of the thread alone.
  Arrival* arrival_ = nullptr;
  Watchdog* watchdog_ = nullptr;
  Collectives collectives_{*this};
  Descriptions descriptions_;
  Batch batches_[kBatches];
  std::string failure_;
  Message incoming_ = {};
  Request incoming_request_ = {};
  Outgoing* outgoing_ = nullptr;
  Waiting waiting_;
  Milliseconds next_tick_ = 0, last_ended_ = 0, asked_abort_at_ = 0;
  bool has_announced_abort_ = false;
  bool is_leaving_ = false, all_left_ = false;
  size_t left_ = 0;
};

}  // namespace gradstep::mpi
