// Copies off the event loop, and steps of other threads that are kept away meanwhile: lib/native.ts says what each
// takes.
#include "../drivers/copies.h"

#include "../runtime/guard.h"
#include "addresses.h"
#include "arguments.h"
#include "bindings.h"
#include "environment.h"

namespace gradstep {
namespace {

using Info = Napi::CallbackInfo;

bool is_whole(double x) { return x >= 0 && x <= kMaxSafeInteger; }

class CopyJob : public PromisedJob {
 public:
  void run() override { copies.run(); }

  Copies copies;
};

// copyAsync(held, table: Float64Array of [to, from, bytes] for each): Promise<void>
Napi::Value copy_async(const Info& info) {
  Arguments args(info);
  const Napi::Value held = args.object("held");
  const Floats table = args.floats("table", Format::float64);
  args.require(table.length % 3 == 0, "table must have three numbers for each copy");
  Owned<CopyJob> job = make_job<CopyJob>();
  if (job == nullptr) args.out_of_memory("copying");
  for (size_t i = 0; i < table.length && !args.failed(); i += 3) {
    const double* const row = table.as<double>() + i;
    const double to = row[0], from = row[1], bytes = row[2];
    args.require(is_whole(to) && is_whole(from) && is_whole(bytes), "table must hold addresses and sizes");
    if (args.failed()) break;
    const bool is_added = job->copies.add(pointer_at(to), pointer_at(from), static_cast<size_t>(bytes));
    if (!is_added) args.out_of_memory("copying so much");
  }
  if (args.failed()) return args.undefined();
  return enqueued(info.Env(), std::move(job), held);
}

// Takes the lock of a guard for longer than one call, and says so in a word beside it. Its owner's thread may end
// meanwhile: then those who wait for the lock are its own, and end with it.
class HoldJob : public PromisedJob {
 public:
  HoldJob(Guard* guard, uint32_t* is_held) : guard_(guard), is_held_(is_held) {}

  void run() override {
    guard_->lock(kEndless);
    __atomic_store_n(is_held_, 1, __ATOMIC_SEQ_CST);
  }

 private:
  Guard* guard_;
  uint32_t* is_held_;
};

struct Hold {
  Guard* guard;
  uint32_t* is_held;
};

// (guard, isHeld), two Int32Arrays over shared memory
Hold read_hold(Arguments& args) {
  const Int32s guard = args.int32s("guard"), held = args.int32s("isHeld");
  void* const memory = const_cast<int32_t*>(guard.data);
  const Hold hold = {args.failed() ? nullptr : Guard::at(memory, guard.length * sizeof(int32_t)),
                     static_cast<uint32_t*>(static_cast<void*>(const_cast<int32_t*>(held.data)))};
  args.require(hold.guard != nullptr && held.length == 1, "guard must have two numbers, isHeld one");
  return hold;
}

// holdGuardAsync(held, guard, isHeld): Promise<void>
Napi::Value hold_guard_async(const Info& info) {
  Arguments args(info);
  const Napi::Value held = args.object("held");
  const Hold hold = read_hold(args);
  if (args.failed()) return args.undefined();
  Owned<HoldJob> job = make_job<HoldJob>(hold.guard, hold.is_held);
  if (job == nullptr) {
    args.out_of_memory("holding steps");
    return args.undefined();
  }
  return enqueued(info.Env(), std::move(job), held);
}

// releaseGuard(guard, isHeld)
Napi::Value release_guard(const Info& info) {
  Arguments args(info);
  const Hold hold = read_hold(args);
  args.require(args.failed() || load(hold.is_held) == 1, "guard must be held");
  if (args.failed()) return args.undefined();
  __atomic_store_n(hold.is_held, 0, __ATOMIC_SEQ_CST);
  hold.guard->unlock();
  return args.undefined();
}

}  // namespace

void export_copies(Napi::Env env, Napi::Object exports) {
  add<copy_async>(env, exports, "copyAsync");
  add<hold_guard_async>(env, exports, "holdGuardAsync");
  add<release_guard>(env, exports, "releaseGuard");
}

}  // namespace gradstep
