// How the gradients of a program become the mean over all ranks that run it: each is sent as soon as it is final, while
// the program goes on.
#pragma once
#include <string>

#include "../runtime/exchange.h"
#include "program_gradients.h"

namespace gradstep {

// What is sent at one time: dense gradients of one format, one behind the other, or the rows of one that is sparse.
struct GradientSend {
  bool is_rows;
  size_t ready;  // how many segments of the program have run when it is final
  size_t first, members;
  // Of dense ones.
  Format format;
  Operand at;  // [count]
  size_t count;
  // Of rows. Where they are, in the memory that the program has for it.
  size_t rows, most_rows;  // how many each rank sends, and how many there can be of all
  size_t sent, gathered, whole, sorted;
  RowSums sums;
};

// A gradient that is sent, so many elements behind the start.
struct GradientSent { size_t gradient, offset; };

class ProgramExchange {
 public:
  // How many there are; 0 in a program that exchanges nothing.
  size_t ranks = 0;
  // Whether gradients are unscaled before they are sent: else after it.
  bool unscales_first = false;
  Buffer<GradientSend> sends;  // in the order in which they are final
  Buffer<GradientSent> sent;

  // Takes all memory. False when there is none, or it would be too much. `bounds` says how the step is divided.
  [[nodiscard]] bool reserve(const GradientTail& tail, size_t repetitions, const Buffer<size_t>& bounds);

  // What is the matter when status is `not_exchanged`.
  enum class Problem { none, aborted, unlike, left_out };
  Problem problem() const { return problem_; }
  const char* text() const { return text_; }

  // Before each run: begins to compare the programs.
  void begin(Exchange& exchange);
  // Sends what `tail` has of these gradients, which are final; or, where this rank could not compute them, anything:
  // the others wait for it, and `end` tells them. False when that has no sense any more, as nobody else does so.
  [[nodiscard]] bool send(const GradientSend& what, const GradientTail& tail, const TaskContext& context, bool is_lost);
  // After `begin`, where this rank does not run the program, and only takes part in what is exchanged.
  void be_absent(const char* why);
  // After all has been sent. `status` and `loss` are this rank's. Then `tail` has the means, and `loss` is the mean;
  // unless it is not done, on any rank.
  TaskStatus end(TaskStatus status, double& loss, GradientTail& tail, const TaskContext& context);
  // Of a step that is divided: whether all ranks can make it.
  TaskStatus agree(TaskStatus status);
  // Then: all make theirs, and get all; or none does, as a rank is gone.
  TaskStatus share(const WhenCertain& make, const Buffer<Piece>& pieces);
  // How many rows a gradient has at most, of all ranks.
  [[nodiscard]] bool most_rows(const GradientTail& tail, Buffer<size_t>& most) const;

 private:
  struct Told {
    uint64_t status;
    double loss;
  };

  uint64_t hash_of(const GradientTail& tail, size_t repetitions, const Buffer<size_t>& bounds) const;
  [[nodiscard]] bool reserve_rows(const GradientTail& tail);
  [[nodiscard]] bool reserve_sums(const GradientTail& tail);
  const ProgramGradient& gradient_of(const GradientSend& rows, const GradientTail& tail) const;
  [[nodiscard]] bool wait();
  [[nodiscard]] bool are_alike();
  [[nodiscard]] bool learn_whys();
  std::string trouble_of(size_t rank) const;
  void send_rows(const GradientSend& what, const GradientNow& now, const ProgramGradient& gradient);
  bool sum_rows(GradientSend& what, GradientTail& tail);
  void put_sums(const GradientSend& what, GradientTail& tail, const TaskContext& context) const;
  void tell(Problem problem, size_t rank, const std::string& what);

  Exchange* exchange_ = nullptr;
  uint64_t hash_ = 0;
  bool has_compared_ = false;
  Problem problem_ = Problem::none;
  char text_[512] = {};
  Buffer<uint64_t> hashes_;  // of all ranks
  struct Why { char text[256]; };

  Told own_ = {};
  Why why_ = {};  // of a rank that is absent
  Buffer<Why> whys_;
  Buffer<Told> told_;
  Buffer<char> values_;
  Buffer<int32_t> indices_;  // of each sparse gradient those that are sent, then those of all ranks
  Buffer<int32_t> positions_, order_, at_;
};

}  // namespace gradstep
