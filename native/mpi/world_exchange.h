#pragma once
#include <string>

#include "world.h"

namespace gradstep::mpi {

// The exchange of compiled programs: one of each thread that has some.
class WorldExchange final : public Exchange {
 public:
  explicit WorldExchange(World& world) : world_(world) {}
  ~WorldExchange();

  size_t rank() const override { return world_.rank(); }
  size_t size() const override { return world_.size(); }
  void start_sum(void* values, size_t count, Format format) override;
  void start_gather(const void* values, size_t bytes, void* out) override;
  const char* wait() override;
  const char* gather_made(const WhenCertain& make, const Piece* pieces, size_t count) override;
  void have_patience(const Patience& patience) override { patience_ = patience; }
  void set_in_order(bool in_order) { in_order_ = in_order; }

 private:
  struct Started {
    Call call;
    Span in, out;
    Started* next;
  };

  void start(Collective what, const Span& in, const Span& out);
  std::string problem_of(const Call& call);

  World& world_;
  Patience patience_ = kEndless;
  bool in_order_ = true;
  Started* first_ = nullptr;
  Started* last_ = nullptr;
  std::string problem_, text_;
  Buffer<Span> in_, out_;  // of what is gathered when it is made
};

}  // namespace gradstep::mpi
