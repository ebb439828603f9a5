#include "meeting_exchange.h"

#include "../runtime/text.h"

namespace gradstep {
namespace {

constexpr Kind kind_of(Format format) { return format == Format::float32 ? Kind::kFloat32 : Kind::kFloat64; }

Span span_of(void* data, size_t bytes) { return {data, bytes, Kind::kByte, false}; }

}  // namespace

void MeetingExchange::start_sum(void* values, size_t count, Format format) {
  found_memory_ = sums_.add({values, count, kind_of(format), false}) && found_memory_;
}

void MeetingExchange::start_gather(const void* values, size_t bytes, void* out) {
  found_memory_ = gathered_.add(span_of(const_cast<void*>(values), bytes)) && found_memory_;
  found_memory_ = gathered_to_.add(span_of(out, bytes * size())) && found_memory_;
}

// Who lacks memory brings nothing, so that all are told that their arrays do not fit together.
const char* MeetingExchange::wait() {
  why_ = nullptr;
  if (!found_memory_) clear();
  const bool was_met = (sums_.empty() || meet_for(Collective::kAllReduce, sums_, none_)) &&
                       (gathered_.empty() || meet_for(Collective::kAllGather, gathered_, gathered_to_));
  if (was_met && !found_memory_) meet_for(Collective::kBarrier, none_, none_);
  if (!found_memory_) why_ = "out of memory: an exchange";
  clear();
  found_memory_ = true;
  return why_;
}

const char* MeetingExchange::gather_made(const WhenCertain& make, const Piece* pieces, size_t count) {
  why_ = nullptr;
  for (size_t i = 0; i < count; ++i) {
    const Piece& piece = pieces[i];
    found_memory_ = gathered_.add(span_of(const_cast<void*>(piece.values), piece.bytes)) && found_memory_;
    found_memory_ = gathered_to_.add(span_of(piece.out, piece.out_bytes)) && found_memory_;
  }
  if (!found_memory_) clear();
  meet_for(Collective::kGatherMade, gathered_, gathered_to_, &make);
  if (!found_memory_) why_ = "out of memory: an exchange";
  clear();
  found_memory_ = true;
  return why_;
}

void MeetingExchange::clear() {
  sums_.clear();
  gathered_.clear();
  gathered_to_.clear();
}

bool MeetingExchange::meet_for(Collective what, const Buffer<Span>& in, const Buffer<Span>& out,
                               const WhenCertain* make) {
  const size_t terms = what == Collective::kBarrier ? 0 : 1;
  const Brought own = {what, 0, false, terms, in.size(), out.size(), in.data(), out.data(), make};
  std::string fault;
  switch (meet(*meeting_, rank_, own, patience_, fault)) {
    case Meeting::Outcome::kMet: break;
    case Meeting::Outcome::kBroken:
      meeting_->wait_for_reason();
      why_ = "the ranks do not meet any more";
      break;
    case Meeting::Outcome::kImpatient: why_ = "this thread is ending"; break;
  }
  if (!fault.empty()) {
    put_text(fault_, fault);
    why_ = fault_;
  }
  return why_ == nullptr;
}

}  // namespace gradstep
