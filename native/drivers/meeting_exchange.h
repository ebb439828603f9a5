// An exchange among threads, which meet: what has been started is made when all of them wait for it.
#pragma once
#include "../runtime/buffer.h"
#include "../runtime/exchange.h"
#include "collective.h"

namespace gradstep {

class MeetingExchange final : public Exchange {
 public:
  // The meeting stays as long as this.
  MeetingExchange(Meeting* meeting, size_t rank) : meeting_(meeting), rank_(rank) {}

  size_t rank() const override { return rank_; }
  size_t size() const override { return meeting_->size(); }
  void start_sum(void* values, size_t count, Format format) override;
  void start_gather(const void* values, size_t bytes, void* out) override;
  const char* wait() override;
  const char* gather_made(const WhenCertain& make, const Piece* pieces, size_t count) override;
  void have_patience(const Patience& patience) override { patience_ = patience; }

 private:
  bool meet_for(Collective what, const Buffer<Span>& in, const Buffer<Span>& out, const WhenCertain* make = nullptr);
  void clear();

  Meeting* const meeting_;
  const size_t rank_;
  Patience patience_ = kEndless;
  bool found_memory_ = true;
  Buffer<Span> sums_, gathered_, gathered_to_, none_;
  const char* why_ = nullptr;
  char fault_[256] = {};
};

}  // namespace gradstep
