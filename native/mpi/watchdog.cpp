#include "watchdog.h"

#include <algorithm>

namespace gradstep::mpi {
namespace {

// As long as a rank may take to answer: its thread that does so sleeps, and its machine may be busy.
constexpr Milliseconds kPatience = 4000;
constexpr size_t kMostNamed = 8;
constexpr uint32_t kEnd = 99;  // in the place of a call's kind

using Kind = Message::Kind;

}  // namespace

const char* name_of(Collective what) {
  static const char* const kNames[] = {"barrier",   "allReduce", "reduce",    "reduceScatter",
                                       "allGather", "gather",    "broadcast", "gather of a compiled step"};
  const size_t i = static_cast<size_t>(what);
  return i < sizeof kNames / sizeof *kNames ? kNames[i] : "call";
}

std::string duration(Milliseconds time) {
  return time < 600000 ? std::to_string((time + 500) / 1000) + " s" : std::to_string((time + 30000) / 60000) + " min";
}

Message Watchdog::message(Kind kind) const {
  Message made = {};
  made.kind = kind;
  made.from = static_cast<uint32_t>(rank_);
  made.ended = -1;
  return made;
}

bool Watchdog::prepare() { return answers_.resize(size_); }

void Watchdog::tick(const Waiting& waiting, Milliseconds now) {
  if (is_inquiring_ && (answered_ == size_ || now - inquired_at_ > kPatience)) conclude(now);
  if (waiting.what == Waiting::For::kNothing || size_ == 1) {
    waiting_since_ = 0;
    return;
  }
  if (waiting.since != waiting_since_) {
    waiting_since_ = waiting.since;
    next_ask_ = waiting.since + std::min(warn_, most_);
  }
  if (now < next_ask_) return;
  const Milliseconds waited = now - waiting.since;
  ask(waiting, waited, waited >= most_);
  const Milliseconds left = waited < most_ ? most_ - waited : warn_;
  next_ask_ = now + std::max<Milliseconds>(std::min(waited, left), 100);
}

void Watchdog::ask(const Waiting& waiting, Milliseconds waited, bool is_over) {
  Message ask = message(Kind::kAsk);
  ask.call = waiting.number;
  ask.round = waiting.what == Waiting::For::kEnd ? kEnd : static_cast<uint32_t>(waiting.call);
  ask.milliseconds = static_cast<uint32_t>(std::min<Milliseconds>(waited, UINT32_MAX));
  ask.is_odd = is_over ? 1 : 0;
  post_.send(0, ask);
  post_.send(1, ask);
}

void Watchdog::inquire(const Message& ask, Milliseconds now) {
  const Milliseconds since = now - ask.milliseconds;
  if (is_inquiring_) {
    // Several ranks wait: the one that has waited longest counts.
    if (since < since_) {
      asked_ = ask;
      since_ = since;
    }
    is_last_ = is_last_ || ask.is_odd != 0;
    return;
  }
  if (ask.is_odd == 0 && ask.call == reported_ && now < quiet_until_) return;
  is_inquiring_ = true;
  since_ = since;
  is_last_ = ask.is_odd != 0;
  asked_ = ask;
  inquired_at_ = now;
  ++inquiry_;
  std::fill(answers_.begin(), answers_.end(), Answer{0, 0, 0});
  answers_[rank_] = {begun_, now - ended_at_, 1};
  answered_ = 1;
  Message ping = message(Kind::kPing);
  ping.round = inquiry_;
  for (size_t other = 0; other < size_; ++other) {
    if (other != rank_) post_.send(other, ping);
  }
}

void Watchdog::on(const Message& message, Milliseconds now) {
  switch (message.kind) {
    case Kind::kAsk: return inquire(message, now);
    case Kind::kPing: {
      Message pong = this->message(Kind::kPong);
      pong.round = message.round;
      pong.call = begun_;
      pong.low = now - ended_at_;
      return post_.send(message.from, pong);
    }
    case Kind::kPong: {
      if (!is_inquiring_ || message.round != inquiry_ || message.from >= size_) return;
      Answer& answer = answers_[message.from];
      if (answer.is_there == 0) ++answered_;
      answer = {message.call, message.low, 1};
      return;
    }
    default: return;
  }
}

// The ranks of a kind, as many as one wants to read of.
std::string Watchdog::ranks(bool (*is_one)(const Answer&, uint64_t), size_t& count, bool with_calls) const {
  std::string text;
  count = 0;
  for (size_t rank = 0; rank < size_; ++rank) {
    const Answer& answer = answers_[rank];
    if (!is_one(answer, asked_.call) || ++count > kMostNamed) continue;
    text += "\n  " + judge_.name_of_rank(rank);
    if (with_calls) {
      text += " answers, and has not made this call: it has made " + std::to_string(answer.begun) +
              ", the last of which ended " + duration(answer.idle) + " ago; its JavaScript does something else";
    } else {
      text += " does not answer: it is stopped, or its host is lost";
    }
  }
  if (count > kMostNamed) text += "\n  and " + std::to_string(count - kMostNamed) + " more";
  return text;
}

void Watchdog::conclude(Milliseconds now) {
  is_inquiring_ = false;
  if (rank_ != 0 && answers_[0].is_there != 0) return;  // which says so itself
  const bool is_end = asked_.round == kEnd;
  const Milliseconds waited = now - since_;
  reported_ = asked_.call;
  quiet_until_ = now + waited / 2;
  std::string text = is_end ? "rank " + std::to_string(size_t{asked_.from}) + " has been waiting for " +
                                  duration(waited) + " for all to end"
                            : "call " + std::to_string(asked_.call + 1) + ", " +
                                  name_of(static_cast<Collective>(asked_.round)) + ", has been waiting for " +
                                  duration(waited);
  size_t silent = 0, behind = 0;
  text += ranks([](const Answer& answer, uint64_t) { return answer.is_there == 0; }, silent, false);
  const auto is_behind = [](const Answer& answer, uint64_t call) {
    return answer.is_there != 0 && answer.begun <= call;
  };
  if (!is_end) text += ranks(is_behind, behind, true);
  if (is_last_ && silent > 0) return judge_.end_job(text);
  if (is_last_ && behind > 0) return judge_.give_up(text);
  if (silent == 0 && behind == 0) {
    if (is_end) return;  // others still work
    text += "\n  all ranks have come to it and answer: what they send each other is on its way";
  }
  judge_.warn(text);
}

}  // namespace gradstep::mpi
