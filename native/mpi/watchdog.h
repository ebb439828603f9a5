// Who keeps a call waiting: rank 0, or rank 1 where rank 0 does not answer, asks all ranks and says so.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include <string>

#include "../drivers/collective.h"
#include "arrival.h"

namespace gradstep::mpi {

using Milliseconds = uint64_t;  // since some day

// What is done about it.
class Judge {
 public:
  virtual std::string name_of_rank(size_t rank) const = 0;
  virtual void warn(const std::string& text) = 0;
  virtual void give_up(const std::string& why) = 0;  // no more calls
  virtual void end_job(const std::string& why) = 0;  // ranks do not answer: nothing can be settled with them

 protected:
  ~Judge() = default;
};

// What a rank is at.
struct Waiting {
  enum class For { kNothing, kCall, kEnd };

  For what = For::kNothing;
  Milliseconds since = 0;
  Collective call = Collective::kBarrier;
  uint64_t number = 0;  // of the call
};

class Watchdog {
 public:
  Watchdog(size_t rank, size_t size, Post& post, Judge& judge) : rank_(rank), size_(size), post_(post), judge_(judge) {}

  // Memory for `size` ranks; false when there is none.
  [[nodiscard]] bool prepare();
  // After how long a wait there is a warning, and after how long it is over.
  void set_limits(Milliseconds warn, Milliseconds most) { warn_ = warn, most_ = most; }

  // To be called now and then.
  void tick(const Waiting& waiting, Milliseconds now);
  void on(const Message& message, Milliseconds now);
  // `begun` calls of this rank, and how long ago the last one ended.
  void note(uint64_t begun, Milliseconds ended_at) { begun_ = begun, ended_at_ = ended_at; }

 private:
  struct Answer {
    uint64_t begun, idle;
    uint32_t is_there;
  };

  void ask(const Waiting& waiting, Milliseconds waited, bool is_over);
  void inquire(const Message& ask, Milliseconds now);
  void conclude(Milliseconds now);
  std::string ranks(bool (*is_one)(const Answer&, uint64_t), size_t& count, bool with_calls) const;
  Message message(Message::Kind kind) const;

  const size_t rank_, size_;
  Post& post_;
  Judge& judge_;
  Milliseconds warn_ = 60000, most_ = 600000;
  uint64_t begun_ = 0;
  Milliseconds ended_at_ = 0;

  Milliseconds waiting_since_ = 0, next_ask_ = 0;

  bool is_inquiring_ = false, is_last_ = false;
  uint32_t inquiry_ = 0;
  Milliseconds inquired_at_ = 0, since_ = 0;  // when it began, and the wait that it is about
  Message asked_ = {};
  uint64_t reported_ = UINT64_MAX;  // the call of the last report, and until when there is none of the same
  Milliseconds quiet_until_ = 0;
  Buffer<Answer> answers_;
  size_t answered_ = 0;
};

// "3 s", "2 min"
std::string duration(Milliseconds time);
const char* name_of(Collective what);

}  // namespace gradstep::mpi
