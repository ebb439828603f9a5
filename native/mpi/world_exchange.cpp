#include "world_exchange.h"

#include "../runtime/make.h"

namespace gradstep::mpi {

WorldExchange::~WorldExchange() {
  wait();  // whose memory it is may go now
}

void WorldExchange::start(Collective what, const Span& in, const Span& out) {
  Started* const started = problem_.empty() ? make<Started>() : nullptr;
  if (started == nullptr) {
    // The other ranks come to a call that this one cannot make.
    if (problem_.empty()) world_.abort("out of memory at rank " + std::to_string(world_.rank()));
    problem_ = "out of memory: an exchange";
    return;
  }
  started->in = in;
  started->out = out;
  const size_t outs = what == Collective::kAllGather ? 1 : 0;
  started->call.brought = {what, 0, false, 1, 1, outs, &started->in, &started->out};
  started->call.in_order = in_order_;
  started->next = nullptr;
  (last_ == nullptr ? first_ : last_->next) = started;
  last_ = started;
  world_.enqueue(started->call);
}

void WorldExchange::start_sum(void* values, size_t count, Format format) {
  start(Collective::kAllReduce, {values, count, format == Format::float32 ? Kind::kFloat32 : Kind::kFloat64, false},
        {});
}

void WorldExchange::start_gather(const void* values, size_t bytes, void* out) {
  start(Collective::kAllGather, {const_cast<void*>(values), bytes, Kind::kByte, false},
        {out, bytes * world_.size(), Kind::kByte, false});
}

// Of a call that is over; empty where it was made.
std::string WorldExchange::problem_of(const Call& call) {
  const uint32_t state = load(&call.state);
  int ended;
  if (state == Call::kAborted) return "the communicator was aborted: " + world_.reason(ended);
  return state == Call::kMade ? std::string() : call.fault;
}

const char* WorldExchange::wait() {
  std::string problem = problem_;
  while (first_ != nullptr) {
    Started* const started = first_;
    world_.wait(started->call, patience_);
    if (problem.empty()) problem = problem_of(started->call);
    first_ = started->next;
    unmake(started);
  }
  last_ = nullptr;
  problem_.clear();
  text_ = problem;
  return text_.empty() ? nullptr : text_.c_str();
}

const char* WorldExchange::gather_made(const WhenCertain& make, const Piece* pieces, size_t count) {
  in_.clear();
  out_.clear();
  Call call;
  if (in_.reserve(count) && out_.reserve(count)) {
    for (size_t i = 0; i < count; ++i) {
      in_.add_reserved({const_cast<void*>(pieces[i].values), pieces[i].bytes, Kind::kByte, false});
      out_.add_reserved({pieces[i].out, pieces[i].out_bytes, Kind::kByte, false});
    }
    call.brought = {Collective::kGatherMade, 0, false, 1, count, count, in_.data(), out_.data(), &make};
    world_.enqueue(call);
    world_.wait(call, patience_);
    text_ = problem_of(call);
  } else {
    world_.abort("out of memory at rank " + std::to_string(world_.rank()));
    text_ = "out of memory: an exchange";
  }
  return text_.empty() ? nullptr : text_.c_str();
}

}  // namespace gradstep::mpi
