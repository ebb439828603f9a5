#include "arrival.h"

#include <string.h>

#include <algorithm>

namespace gradstep::mpi {

using Kind = Message::Kind;

void set_text(Message& message, const std::string& text) {
  const size_t length = std::min(text.size(), sizeof message.text - 1);
  memcpy(message.text, text.data(), length);
  message.text[length] = 0;
}

Message Arrival::message(Kind kind) const {
  Message made = {};
  made.kind = kind;
  made.from = static_cast<uint32_t>(rank_);
  made.ended = -1;
  return made;
}

bool Arrival::prepare() {
  if (!reported_.resize(size_)) return false;
  std::fill(reported_.begin(), reported_.end(), 0);
  return true;
}

void Arrival::enter(uint64_t hash, bool is_odd) {
  state_ = State::kWaiting;
  low_ = high_ = hash;
  is_odd_ = is_odd;
  round_ = 0;
  ++begun_;
  if (has_verdict_) {
    state_ = State::kBroken;
    return;
  }
  send_round();
  advance();
}

// Each rank tells one and hears from one in every round, twice as far away as in the last: after a few rounds all know
// of all. (Hensgen, Finkel, Manber 1988: "Two algorithms for barrier synchronization".)
void Arrival::send_round() {
  const size_t distance = size_t{1} << round_;
  if (distance >= size_) return;
  Message told = message(Kind::kArrived);
  told.call = begun_ - 1;
  told.round = static_cast<uint32_t>(round_);
  told.low = low_;
  told.high = high_;
  told.is_odd = is_odd_ ? 1 : 0;
  post_.send((rank_ + distance) % size_, told);
}

void Arrival::merge(uint64_t low, uint64_t high, bool is_odd) {
  low_ = std::min(low_, low);
  high_ = std::max(high_, high);
  is_odd_ = is_odd_ || is_odd;
}

// Nothing is found out while rank 0 is deciding what has been.
void Arrival::advance() {
  while (state_ == State::kWaiting && !is_frozen_) {
    if ((size_t{1} << round_) >= size_) return meet();
    Told& told = told_[(begun_ - 1) % 2][round_];
    if (told.is_there == 0 || told.call != begun_ - 1) return;
    told.is_there = 0;
    merge(told.low, told.high, told.is_odd != 0);
    ++round_;
    send_round();
  }
}

void Arrival::meet() {
  state_ = State::kMet;
  met_ = begun_;
  last_low_ = low_;
  last_high_ = high_;
  last_is_odd_ = is_odd_;
}

void Arrival::abort(const std::string& why, int ended) {
  if (has_verdict_) return;
  if (rank_ == 0) return ask_all(why, ended);
  Message wish = message(Kind::kAbort);
  wish.ended = ended;
  set_text(wish, why);
  post_.send(0, wish);
}

void Arrival::ask_all(const std::string& why, int ended) {
  if (is_asking_ || has_verdict_) return;
  is_asking_ = is_frozen_ = true;
  reason_ = why;
  ended_ = ended;
  for (size_t other = 1; other < size_; ++other) post_.send(other, message(Kind::kFreeze));
  report(met_, last_low_, last_high_, last_is_odd_, 0);
}

void Arrival::report(uint64_t met, uint64_t low, uint64_t high, bool is_odd, size_t from) {
  if (from >= size_ || reported_[from] != 0) return;
  reported_[from] = 1;
  ++reports_;
  if (met >= most_) {
    most_ = met;
    most_low_ = low;
    most_high_ = high;
    most_is_odd_ = is_odd;
  }
  if (reports_ == size_) decide();
}

void Arrival::decide() {
  is_asking_ = false;
  Message verdict = message(Kind::kVerdict);
  verdict.call = most_;
  verdict.low = most_low_;
  verdict.high = most_high_;
  verdict.is_odd = most_is_odd_ ? 1 : 0;
  verdict.ended = ended_;
  set_text(verdict, reason_);
  for (size_t other = 1; other < size_; ++other) post_.send(other, verdict);
  take(verdict);
}

// A call that somebody knows all to have come to is made by all; the others by none.
void Arrival::take(const Message& verdict) {
  has_verdict_ = true;
  is_frozen_ = false;
  made_ = verdict.call;
  reason_ = verdict.text;
  ended_ = verdict.ended;
  if (state_ != State::kWaiting) return;
  if (begun_ <= made_) {
    low_ = verdict.low;
    high_ = verdict.high;
    is_odd_ = verdict.is_odd != 0;
    meet();
  } else {
    state_ = State::kBroken;
  }
}

void Arrival::on(const Message& message) {
  switch (message.kind) {
    case Kind::kArrived: {
      if (message.round >= kMostRounds) return;
      told_[message.call % 2][message.round] = {message.call, message.low, message.high, message.is_odd, 1};
      return advance();
    }
    case Kind::kAbort: return ask_all(message.text, message.ended);
    case Kind::kFreeze: {
      is_frozen_ = true;
      Message answer = this->message(Kind::kReport);
      answer.call = met_;
      answer.low = last_low_;
      answer.high = last_high_;
      answer.is_odd = last_is_odd_ ? 1 : 0;
      return post_.send(0, answer);
    }
    case Kind::kReport: return report(message.call, message.low, message.high, message.is_odd != 0, message.from);
    case Kind::kVerdict: return take(message);
    default: return;
  }
}

}  // namespace gradstep::mpi
