// What goes with a step that other threads must see as a whole or not at all.
#pragma once
#include "../runtime/guard.h"
#include "arguments.h"

namespace gradstep {

// What came of it; JavaScript gets the number.
enum class Verdict { kMade, kStale, kOver, kImpatient, kFailed };

// A Float64Array as lib/native.ts describes it for `commit`.
class Commit {
 public:
  // Reads the next argument. An undefined one is a commit of nothing, which is not guarded.
  explicit Commit(Arguments& args);

  bool is_given() const { return table_ != nullptr; }

  // Calls `step`, which returns false when it has changed nothing, and makes the writes.
  template <class Step> Verdict run(Step step) {
    if (guard_ == nullptr) return step() ? (write(), Verdict::kMade) : Verdict::kFailed;
    const Verdict verdict = begin();
    if (verdict != Verdict::kMade) return verdict;
    const bool done = step();
    if (done) write();
    // Counted last: who reads what is written here without the lock, and finds the count as it was, has read in vain.
    if (is_locked_ && done) guard_->count(limit_);
    if (!is_locked_ && !done) guard_->discount();
    if (is_locked_) guard_->unlock();
    return done ? Verdict::kMade : Verdict::kFailed;
  }

 private:
  Verdict begin();
  void write() const;

  Napi::Env env_;
  const double* table_ = nullptr;
  Guard* guard_ = nullptr;
  bool is_locked_ = false;
  double expected_ = -1;
  uint32_t limit_ = UINT32_MAX;
  size_t writes_ = 0;
};

}  // namespace gradstep
