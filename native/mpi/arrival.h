// How ranks come to a call together: all make it, or none. What they tell each other are short messages of one size, so
// that nobody ever waits to send one.
#pragma once
#include <stddef.h>
#include <stdint.h>

#include <string>

#include "../runtime/buffer.h"

namespace gradstep::mpi {

struct Message {
  enum class Kind : uint32_t {
    kArrived,  // a round of what ranks tell each other about a call: `call`, `round`, `low`, `high`, `is_odd`
    kAbort,    // to rank 0: a rank wants no more calls to be made; `ended`, `text`
    kFreeze,   // from rank 0: nobody comes to a call any more until it has decided
    kReport,   // to rank 0: how many calls this rank knows all to have come to; `low`, `high`, `is_odd` of the last
    kVerdict,  // from rank 0: how many calls are made, those of the last, and why there are no more; `ended`, `text`
    kLeft,     // to rank 0: a rank's program is over, or a rank wants to finalize
    kAllLeft,  // from rank 0
    kGone,     // to rank 0, after which a rank's process may end
    kAsk,      // a rank has waited for long in `call`, for `milliseconds`; `is_odd` when that is too long
    kPing,     // `round` numbers the inquiry
    kPong,     // `round` of the ping; `call` is how many calls were begun, `low` milliseconds since the last ended
    kDying     // to all: a rank ends the job; `text`
  };

  Kind kind;
  uint32_t from;
  uint64_t call, low, high;
  uint32_t round, is_odd, milliseconds;
  int32_t ended;  // a rank, or -1
  char text[448];
};
static_assert(sizeof(Message) == 496);

class Post {
 public:
  virtual void send(size_t to, const Message& message) = 0;

 protected:
  ~Post() = default;
};

// Where one rank is in this. Calls are numbered from 0, and made one after another.
class Arrival {
 public:
  enum class State { kOutside, kWaiting, kMet, kBroken };

  Arrival(size_t rank, size_t size, Post& post) : rank_(rank), size_(size), post_(post) {}

  // Begins a call that `hash` describes; `is_odd` when something is wrong with it that others cannot see.
  void enter(uint64_t hash, bool is_odd);
  // The call that was begun: whether all have come.
  State state() const { return state_; }
  // Of a call that all have come to: whether all bring the same.
  bool is_same() const { return low_ == high_ && !is_odd_; }
  // After `kMet`: this call is over.
  void leave() { state_ = State::kOutside; }

  // No more calls are to be made. `ended`: the rank that is why, or -1. What comes of it is seen in `state` and
  // `reason`.
  void abort(const std::string& why, int ended);
  void on(const Message& message);

  bool is_aborted() const { return has_verdict_; }
  // Rank 0 has asked all, and not all have answered. For so long the answer may be waited for.
  bool is_deciding() const { return is_asking_; }
  bool has_reported(size_t rank) const { return reported_[rank] != 0; }
  const std::string& reason() const { return reason_; }
  int ended_rank() const { return ended_; }
  uint64_t begun() const { return begun_; }

  // Memory for `size` ranks; false when there is none.
  [[nodiscard]] bool prepare();

 private:
  struct Told {
    uint64_t call, low, high;
    uint32_t is_odd, is_there;
  };

  void merge(uint64_t low, uint64_t high, bool is_odd);
  void send_round();
  void advance();
  void meet();
  void ask_all(const std::string& why, int ended);
  void report(uint64_t met, uint64_t low, uint64_t high, bool is_odd, size_t from);
  void decide();
  void take(const Message& verdict);
  Message message(Message::Kind kind) const;

  static constexpr size_t kMostRounds = 32;

  const size_t rank_, size_;
  Post& post_;
  State state_ = State::kOutside;
  uint64_t begun_ = 0, met_ = 0;  // how many calls
  uint64_t low_ = 0, high_ = 0;   // of this rank's and of all that it has heard of
  bool is_odd_ = false;
  uint64_t last_low_ = 0, last_high_ = 0;  // of the last call that was met
  bool last_is_odd_ = false;
  size_t round_ = 0;
  Told told_[2][kMostRounds] = {};  // of this call and, where others are ahead, of the next

  bool is_frozen_ = false, has_verdict_ = false;
  uint64_t made_ = UINT64_MAX;  // how many calls are made at all
  std::string reason_;
  int ended_ = -1;

  // Of rank 0.
  bool is_asking_ = false;
  Buffer<char> reported_;
  size_t reports_ = 0;
  uint64_t most_ = 0, most_low_ = 0, most_high_ = 0;
  bool most_is_odd_ = false;
};

void set_text(Message& message, const std::string& text);

}  // namespace gradstep::mpi
