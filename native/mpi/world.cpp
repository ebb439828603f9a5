#include "world.h"

#include "../runtime/make.h"
#include "../runtime/os/os.h"
#include "pace.h"
#include "search.h"

namespace gradstep::mpi {
namespace {

constexpr size_t kStackBytes = size_t{8} << 20;  // what libraries of MPI are used to
constexpr uint32_t kIdleMilliseconds = 20;
constexpr Milliseconds kTick = 50, kDecision = 8000, kFarewell = 2000;

std::mutex world_mutex;
World* the_world = nullptr;

bool always(void*) { return true; }

}  // namespace

World* World::current() {
  const std::lock_guard<std::mutex> lock(world_mutex);
  return the_world;
}

World* World::start(const Settings& settings) {
  const std::lock_guard<std::mutex> lock(world_mutex);
  if (the_world != nullptr) return the_world;
  World* const world = make<World>(settings);
  if (world == nullptr) return nullptr;
  if (os::start_thread("gradstep-mpi", kStackBytes, run, world)) return the_world = world;
  unmake(world);
  return nullptr;
}

std::string World::wait_for_start() {
  wait_for_change(&started_, 0, 1, kEndless);
  if (load(&started_) == 1) return {};
  const std::lock_guard<std::mutex> lock(world_mutex);
  if (the_world == this) the_world = nullptr;  // it stays where it is: others may be waiting, too
  return problem_;
}

void World::run(void* self) {
  World& world = *static_cast<World*>(self);
  os::sleep_precisely();
  world.problem_ = world.begin();
  const bool has_begun = world.problem_.empty();
  __atomic_store_n(&world.started_, has_begun ? 1u : 2u, __ATOMIC_SEQ_CST);
  os::wake_all(&world.started_);
  if (has_begun) world.loop();
}

// Finds the library and the other ranks. What is wrong, or empty.
std::string World::begin() {
  std::string why;
  library_ = find_library(settings_.library, false, why);
  if (library_ == nullptr && !why.empty()) return why;
  if (library_ != nullptr) {
    const int code = library_->init();
    if (code != 0) return "MPI_Init_thread has failed: " + library_->text_of(code) + "\n  library: " + library_->path();
    rank_ = library_->rank();
    size_ = library_->size();
    why = mismatch(*library_);
    if (!why.empty()) {
      library_->finalize();
      return why;
    }
  }
  arrival_ = make<Arrival>(rank_, size_, static_cast<Post&>(*this));
  watchdog_ = make<Watchdog>(rank_, size_, static_cast<Post&>(*this), static_cast<Judge&>(*this));
  if (arrival_ == nullptr || watchdog_ == nullptr || !arrival_->prepare() || !watchdog_->prepare() ||
      !collectives_.prepare() || !learn_hosts()) {
    return failure_.empty() ? "out of memory: what ranks tell each other" : failure_;
  }
  watchdog_->set_limits(settings_.warn_after, settings_.timeout);
  last_ended_ = now();
  if (library_ != nullptr) {
    const int code = library_->receive_any(Channel::kControl, &incoming_, sizeof incoming_, incoming_request_);
    if (code != 0) return "MPI_Irecv has failed: " + library_->text_of(code);
  }
  return {};
}

void World::wake() {
  __atomic_add_fetch(&word_, 1, __ATOMIC_SEQ_CST);
  os::wake_all(&word_);
}

void World::enqueue(Call& call) {
  bool is_late;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    is_late = is_over_ != 0;
    if (!is_late) {
      (last_ == nullptr ? first_ : last_->next) = &call;
      last_ = &call;
    }
  }
  if (is_late) __atomic_store_n(&call.state, uint32_t{Call::kAborted}, __ATOMIC_SEQ_CST);
  else wake();
}

void World::wait(Call& call, const Patience& patience) {
  uint32_t state = wait_for_change(&call.state, Call::kPending, 2, patience);
  // Others may be on the way to this call: it cannot be left behind.
  if (state == Call::kPending) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (wish_reason_.empty()) {
        wish_reason_ = "a thread of " + name_of_rank(rank_) + " has ended in the middle of a call";
        wish_code_ = static_cast<int>(rank_);
      }
      wishes_ |= kWishAbort;
    }
    wake();
    state = wait_for_change(&call.state, Call::kPending, 2, kEndless);
  }
  if (state != Call::kCertain) return;
  call.brought.make->run(call.brought.make->context);
  __atomic_store_n(&call.state, uint32_t{Call::kPending}, __ATOMIC_SEQ_CST);
  wait_for_change(&call.state, Call::kPending, 2, kEndless);
}

void World::abort(const std::string& why) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (wishes_ & kWishAbort) return;
    wishes_ |= kWishAbort;
    wish_reason_ = why.empty() ? "no reason was given" : why;
    wish_code_ = -1;
  }
  wake();
}

void World::finalize(const Patience& patience) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    wishes_ |= kWishEnd;
  }
  wake();
  wait_for_change(&is_over_, 0, 1, patience);
}

void World::end_job(const std::string& why, int code) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    wishes_ |= kWishEndJob;
    wish_reason_ = why;
    wish_code_ = code == 0 ? 1 : code;
  }
  wake();
  wait_for_change(&is_over_, 0, 1, kEndless);
}

bool World::is_over() const { return load(&is_over_) != 0; }

std::string World::reason(int& ended) {
  const std::lock_guard<std::mutex> lock(mutex_);
  ended = ended_;
  return reason_.empty() ? "it is finalized" : reason_;
}

// From here on: the thread.

void World::loop() {
  while (!load(&is_over_)) {
    const uint32_t seen = load(&word_);
    progress();
    if (Call* const call = first_call()) {
      perform(*call);
      continue;
    }
    if (is_leaving_) leave();
    if (load(&is_over_)) return;
    // The next call often comes at once; after that, messages are looked for now and then.
    if (wait_for_change(&word_, seen, 2, {always, nullptr}) != seen) continue;
    os::wait_while(&word_, seen, is_leaving_ ? 1 : library_ == nullptr ? 1000 : kIdleMilliseconds);
  }
}

Call* World::first_call() {
  const std::lock_guard<std::mutex> lock(mutex_);
  Call* const call = first_;
  if (call == nullptr) return nullptr;
  first_ = call->next;
  if (first_ == nullptr) last_ = nullptr;
  return call;
}

void World::settle(Call& call, Call::State state) {
  // The caller may be gone as soon as it sees the state; its address wakes nobody else.
  __atomic_store_n(&call.state, uint32_t{state}, __ATOMIC_SEQ_CST);
  os::wake_all(&call.state);
}

void World::perform(Call& call) {
  if (!failure_.empty() || is_leaving_) return settle(call, Call::kAborted);
  waiting_ = {Waiting::For::kCall, now(), call.brought.what, arrival_->begun()};
  const bool is_odd = !is_right_by_itself(call.brought, rank_, size_);
  arrival_->enter(hash_of(call.brought), is_odd);
  watchdog_->note(arrival_->begun(), last_ended_);
  Call::State state = Call::kAborted;
  if (arrive(call)) {
    const bool is_known = arrival_->is_same() ? descriptions_.assume_same(call.brought, size_)
                                              : descriptions_.gather(call.brought, *this);
    if (is_known && !arrival_->is_same()) call.fault = fault_among(descriptions_.all(), size_);
    if (is_known && call.fault.empty() && call.brought.make != nullptr) let_make(call);
    if (!call.fault.empty()) {
      state = Call::kUnfit;
    } else if (is_known && collectives_.perform(call.brought, descriptions_.all(), call.in_order)) {
      state = Call::kMade;
    } else {
      state = Call::kFailed;
      if (failure_.empty()) failure_ = "out of memory: what all ranks bring to a call";
      // What is on its way may still be written to the arrays, and the others wait for this rank.
      if (library_ != nullptr) end_job(failure_);
      call.fault = failure_;
      const std::lock_guard<std::mutex> lock(mutex_);
      reason_ = failure_;
    }
  }
  arrival_->leave();
  waiting_ = {};
  last_ended_ = now();
  watchdog_->note(arrival_->begun(), last_ended_);
  settle(call, state);
}

// Waits until all ranks have come to the call. False when it is not made.
bool World::arrive(Call&) {
  Pace pace(60);
  while (arrival_->state() == Arrival::State::kWaiting) {
    progress();
    if (arrival_->state() != Arrival::State::kWaiting) break;
    pace.rest();
  }
  return arrival_->state() == Arrival::State::kMet;
}

// Others make theirs meanwhile. This thread goes on answering them.
void World::let_make(Call& call) {
  settle(call, Call::kCertain);
  Pace pace(60);
  while (load(&call.state) == Call::kCertain) {
    progress();
    pace.rest();
  }
}

void World::take_wishes() {
  if (load(&wishes_) == 0) return;
  uint32_t wishes;
  std::string why;
  int code;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    wishes = wishes_;
    why = wish_reason_;
    code = wish_code_;
    __atomic_store_n(&wishes_, wishes & kWishAbort, __ATOMIC_SEQ_CST);  // which is remembered
  }
  if (wishes & kWishEndJob) {
    warn(why);
    if (library_ == nullptr) return close();
    library_->abort(code);
    os::end_process(code);
  }
  if ((wishes & kWishAbort) && !has_announced_abort_) {
    has_announced_abort_ = true;
    asked_abort_at_ = now();
    arrival_->abort(why, code);
  }
  if ((wishes & kWishEnd) && !is_leaving_) {
    is_leaving_ = true;
    Message left = {};
    left.kind = Message::Kind::kLeft;
    left.from = static_cast<uint32_t>(rank_);
    static_cast<Post&>(*this).send(0, left);
  }
}

void World::on_left(const Message& message) {
  ++left_;
  if (left_ < size_)
    arrival_->abort("the program of " + name_of_rank(message.from) + " is over", static_cast<int>(message.from));
}

// Waits for the last rank, then ends.
void World::leave() {
  if (rank_ == 0 && left_ == size_ && !all_left_ && !arrival_->is_deciding()) {
    Message all = {};
    all.kind = Message::Kind::kAllLeft;
    for (size_t other = 1; other < size_; ++other) static_cast<Post&>(*this).send(other, all);
    all_left_ = true;
  }
  if (waiting_.what == Waiting::For::kNothing) waiting_ = {Waiting::For::kEnd, now(), Collective::kBarrier, 0};
  if (!all_left_) return;
  if (library_ != nullptr) {
    drain();
    if (library_->is_safe_to_finalize() || !are_on_several_hosts()) {
      library_->cancel(incoming_request_);
      library_->finalize();
    } else {
      part();
    }
  }
  close();
}

// Waits until what this rank has said is on its way.
void World::drain() {
  const Milliseconds began = now();
  for (;;) {
    reap();
    const Outgoing* item = outgoing_;
    while (item != nullptr && item->is_free) item = item->next;
    if (item == nullptr || now() - began > kFarewell) return;
    os::sleep_microseconds(100);
  }
}

// The end of ranks that do not finalize: rank 0, of which all have heard that it is the end, goes last. What a rank
// that is gone leaves unanswered is no error any more.
void World::part() {
  if (rank_ != 0) {
    Message gone = {};
    gone.kind = Message::Kind::kGone;
    gone.from = static_cast<uint32_t>(rank_);
    static_cast<Post&>(*this).send(0, gone);
    return drain();
  }
  const Milliseconds began = now();
  for (size_t gone = 1; gone < size_ && now() - began < kFarewell;) {
    bool is_done = false;
    if (library_->test(incoming_request_, is_done) != 0) return;
    if (!is_done) {
      os::sleep_microseconds(100);
      continue;
    }
    if (incoming_.kind == Message::Kind::kGone) ++gone;
    if (library_->receive_any(Channel::kControl, &incoming_, sizeof incoming_, incoming_request_) != 0) return;
  }
}

bool World::are_on_several_hosts() const {
  for (size_t rank = 1; rank < size_; ++rank) {
    if (host(rank) != host(0)) return true;
  }
  return false;
}

// Nothing is done any more.
void World::close() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    __atomic_store_n(&is_over_, 1u, __ATOMIC_SEQ_CST);
  }
  while (Call* const call = first_call()) settle(*call, Call::kAborted);
  os::wake_all(&is_over_);
}

// All that goes on beside a call.
void World::progress() {
  if (library_ != nullptr) {
    receive_messages();
    reap();
  }
  take_wishes();
  tick();
}

void World::on(const Message& message) {
  switch (message.kind) {
    case Message::Kind::kLeft: return on_left(message);
    case Message::Kind::kAllLeft: all_left_ = true; return;
    case Message::Kind::kGone: return;  // which `part` waits for
    case Message::Kind::kAsk:
    case Message::Kind::kPing:
    case Message::Kind::kPong: return watchdog_->on(message, now());
    default: break;
  }
  if (message.kind == Message::Kind::kFreeze && asked_abort_at_ == 0) asked_abort_at_ = now();
  arrival_->on(message);
  if (arrival_->is_deciding() && asked_abort_at_ == 0) asked_abort_at_ = now();
  if (!arrival_->is_aborted()) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  if (reason_.empty()) {
    reason_ = arrival_->reason();
    ended_ = arrival_->ended_rank();
  }
}

void World::tick() {
  if (size_ == 1) {
    if (!arrival_->is_aborted()) return;
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!reason_.empty()) return;
    reason_ = arrival_->reason();
    ended_ = arrival_->ended_rank();
    return;
  }
  const Milliseconds time = now();
  if (time < next_tick_) return;
  next_tick_ = time + kTick;
  watchdog_->tick(waiting_, time);
  if (asked_abort_at_ == 0 || time - asked_abort_at_ < (rank_ == 0 ? kDecision : kDecision + 2000)) return;
  if (arrival_->is_aborted()) {
    asked_abort_at_ = 0;
    return;
  }
  std::string silent;
  for (size_t rank = 0; rank < size_; ++rank) {
    const bool answers = rank_ == 0 ? arrival_->has_reported(rank) : rank != 0;
    if (!answers) silent += "\n  " + name_of_rank(rank) + " does not answer: it is stopped, or its host is lost";
  }
  end_job("the ranks cannot agree to end their calls" + silent);
}

bool World::failed(int code, const char* what) {
  if (code == 0) return false;
  if (failure_.empty()) {
    failure_ = std::string(what) + " has failed: " + library_->text_of(code);
    const std::lock_guard<std::mutex> lock(mutex_);
    if (reason_.empty()) reason_ = failure_;
  }
  if (has_started()) end_job(failure_);  // nothing is known of messages any more
  return true;
}

std::string World::name_of_rank(size_t rank) const {
  return "rank " + std::to_string(rank) + (size_ > 1 && !hosts_.empty() ? " on " + host(rank) : std::string());
}

void World::warn(const std::string& text) {
  os::report("gradstep/mpi (" + name_of_rank(rank_) + " of " + std::to_string(size_) + "): " + text + "\n");
}

void World::give_up(const std::string& why) {
  warn(why);
  if (has_announced_abort_) return;
  has_announced_abort_ = true;
  asked_abort_at_ = now();
  std::string line;
  for (size_t i = 0; i < why.size(); ++i) {
    const bool is_break = why.compare(i, 3, "\n  ") == 0;
    line += is_break ? "; " : std::string(1, why[i]);
    i += is_break ? 2 : 0;
  }
  arrival_->abort(line, -1);
}

void World::end_job(const std::string& why) {
  warn(why + "\n  the job is ended");
  if (library_ != nullptr) library_->abort(1);
  os::end_process(1);
}

}  // namespace gradstep::mpi
