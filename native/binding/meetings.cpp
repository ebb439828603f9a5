// Threads of JavaScript that meet: lib/native.ts says what each function takes.
#include <string.h>

#include "../drivers/collective.h"
#include "../drivers/elementwise.h"
#include "../drivers/meeting_exchange.h"
#include "../runtime/guard.h"
#include "../runtime/make.h"
#include "../runtime/pool.h"
#include "arguments.h"
#include "bindings.h"
#include "brought.h"
#include "commit.h"
#include "exchange.h"
#include "patience.h"
#include "until_end.h"

namespace gradstep {
namespace {

using Info = Napi::CallbackInfo;

struct Memory {
  void* data = nullptr;
  size_t bytes = 0;
};

Memory memory_of(Arguments& args, napi_value value, const char* name) {
  napi_typedarray_type type;
  Memory memory;
  size_t length = 0, offset;
  napi_value buffer;
  const napi_status status =
      napi_get_typedarray_info(args.env(), value, &type, &length, &memory.data, &buffer, &offset);
  if (status != napi_ok || type != napi_int32_array) args.type_error(std::string(name) + " must be an Int32Array");
  memory.bytes = length * sizeof(int32_t);
  return memory;
}

Meeting* meeting_of(Arguments& args, napi_value value) {
  const Memory memory = memory_of(args, value, "memory");
  if (args.failed()) return nullptr;
  Meeting* const meeting = Meeting::at(memory.data, memory.bytes);
  if (meeting == nullptr) args.type_error("memory must be that of a meeting");
  return meeting;
}

constexpr uint32_t kThreadEnded = 1 << 16;  // with the rank + 1

// A thread's place in a meeting. When it ends the others do not wait.
struct LeaveMeeting {
  Meeting* meeting;
  uint32_t rank;

  void operator()() const { meeting->break_up(kThreadEnded | (rank + 1)); }
};

// meetingBytes(size): number
Napi::Value meeting_bytes(const Info& info) {
  Arguments args(info);
  const size_t size = args.size("size");
  args.require(size >= 1 && size <= Meeting::kMaxSize, "size must be from 1 to 256");
  if (args.failed()) return args.undefined();
  return Napi::Number::New(info.Env(), static_cast<double>(Meeting::bytes_for(size)));
}

// makeMeeting(memory, size)
Napi::Value make_meeting(const Info& info) {
  Arguments args(info);
  const Memory memory = memory_of(args, args.next(), "memory");
  const size_t size = args.size("size");
  if (!args.failed() && !Meeting::make(memory.data, memory.bytes, size)) {
    args.range_error("memory must have room for that size, from a multiple of 8 on");
  }
  return args.undefined();
}

// A meeting, and which rank one is there: the arguments of what belongs to a rank.
struct Seat {
  explicit Seat(Arguments& args) : memory(args.next()), meeting(meeting_of(args, memory)), rank(args.size("rank")) {
    args.require(meeting != nullptr && rank < meeting->size(), "rank must be below the meeting's size");
  }

  const napi_value memory;
  Meeting* const meeting;
  const size_t rank;
};

// joinMeeting(memory, rank): object
Napi::Value join_meeting(const Info& info) {
  Arguments args(info);
  const Seat seat(args);
  if (args.failed()) return args.undefined();
  const LeaveMeeting leave = {seat.meeting, static_cast<uint32_t>(seat.rank)};
  const napi_value object = UntilEnd<LeaveMeeting>::object(info.Env(), seat.memory, leave);
  if (object == nullptr) args.out_of_memory("a place in a meeting");
  return object == nullptr ? args.undefined() : Napi::Value(info.Env(), object);
}

// meetingExchange(memory, rank): object
Napi::Value meeting_exchange(const Info& info) {
  Arguments args(info);
  const Seat seat(args);
  if (args.failed()) return args.undefined();
  MeetingExchange* const exchange = make<MeetingExchange>(seat.meeting, seat.rank);
  const auto end = [](Exchange* ended) { unmake(static_cast<MeetingExchange*>(ended)); };
  const napi_value object = exchange == nullptr ? nullptr : exchange_object(info.Env(), exchange, end, seat.memory);
  if (object == nullptr) args.out_of_memory("an exchange");
  return object == nullptr ? args.undefined() : Napi::Value(info.Env(), object);
}

// breakMeeting(memory, reason)
Napi::Value break_meeting(const Info& info) {
  Arguments args(info);
  Meeting* const meeting = meeting_of(args, args.next());
  const size_t reason = args.size("reason");
  args.require(reason > 0 && reason <= UINT32_MAX, "reason must be a number of 32 bits that is not 0");
  if (!args.failed()) meeting->break_up(static_cast<uint32_t>(reason));
  return args.undefined();
}

// meetingReason(memory): number
Napi::Value meeting_reason(const Info& info) {
  Arguments args(info);
  const Meeting* const meeting = meeting_of(args, args.next());
  if (args.failed()) return args.undefined();
  return Napi::Number::New(info.Env(), meeting->reason());
}

// meet(memory, rank, what, root, isMean, terms, arrays, in, out): number, see Outcome
Napi::Value meet_others(const Info& info) {
  Arguments args(info);
  Meeting* const meeting = meeting_of(args, args.next());
  const size_t rank = args.size("rank"), what = args.size("what"), root = args.size("root");
  const bool is_mean = args.boolean("isMean");
  const size_t terms = args.size("terms"), arrays = args.size("arrays");
  Buffer<Span> in, out;
  read_spans(args, in);
  read_spans(args, out);
  args.require(meeting != nullptr && rank < meeting->size() && root < meeting->size() &&
                   what <= static_cast<size_t>(Collective::kBroadcast) && terms <= in.size() + 1 &&
                   (terms == 0 || arrays <= in.size()),
               "rank and root must be below the meeting's size");
  if (args.failed()) return args.undefined();
  const Brought brought = {
      static_cast<Collective>(what), root, is_mean, terms, arrays, out.size(), in.data(), out.data()};
  check_brought(args, brought, rank, in);
  if (args.failed()) return args.undefined();
  UntilTerminated until(info.Env());
  std::string fault;
  const Meeting::Outcome outcome = meet(*meeting, rank, brought, until.patience(), fault);
  if (!fault.empty()) {
    args.range_error(fault);
    return args.undefined();
  }
  return Napi::Number::New(info.Env(), static_cast<double>(outcome));
}

// waitForStep(guard, version): sleeps until there has been another, or for a while
Napi::Value wait_for_step(const Info& info) {
  Arguments args(info);
  const Memory memory = memory_of(args, args.next(), "guard");
  const size_t seen = args.size("version");
  const Guard* const guard = Guard::at(memory.data, memory.bytes);
  args.require(guard != nullptr && seen <= UINT32_MAX, "guard must have two numbers");
  if (!args.failed()) guard->wait(static_cast<uint32_t>(seen));
  return args.undefined();
}

// accumulate(commit, out, in, isFirst): number, see Verdict; out[i] = in[i], or out[i] += in[i]
Napi::Value accumulate(const Info& info) {
  Arguments args(info);
  Commit commit(args);
  Buffer<Span> out, in;
  read_spans(args, out);
  read_spans(args, in);
  const bool is_first = args.boolean("isFirst");
  args.require(out.size() == in.size(), "there must be as many sums as arrays");
  for (size_t i = 0; i < in.size() && !args.failed(); ++i) {
    const bool is_float = in[i].kind == Kind::kFloat32 || in[i].kind == Kind::kFloat64;
    args.require(is_float && out[i].kind == in[i].kind && out[i].length == in[i].length,
                 "a sum must be like its array");
  }
  if (args.failed()) return args.undefined();
  const Verdict verdict = commit.run([&] {
    for (size_t i = 0; i < in.size(); ++i) {
      const auto add = [&](auto t) {
        using T = decltype(t);
        T* const to = static_cast<T*>(out[i].data);
        const T* const from = static_cast<const T*>(in[i].data);
        if (is_first) scale(to, from, 1.0, in[i].length);
        else add_scaled(to, from, 1.0, in[i].length);
      };
      if (in[i].kind == Kind::kFloat32) add(float());
      else add(double());
    }
    return true;
  });
  return Napi::Number::New(info.Env(), static_cast<double>(verdict));
}

// Waits for a lock that a job of this very thread may take for longer (see holdGuardAsync): then it is as good as one's
// own.
class OwnLock {
 public:
  OwnLock(napi_env env, Guard* guard, const uint32_t* is_held) : until_(env), guard_(guard), is_held_(is_held) {}
  OwnLock(const OwnLock&) = delete;
  OwnLock& operator=(const OwnLock&) = delete;
  ~OwnLock() {
    if (is_locked_) guard_->unlock();
  }

  // False in a thread that is being terminated.
  bool wait() {
    while (!is_held() && !is_locked_) {
      is_locked_ = guard_->lock({is_over, this});
      if (!is_locked_ && !is_held() && until_.patience().over()) return false;
    }
    return true;
  }

 private:
  bool is_held() const { return load(is_held_) != 0; }
  static bool is_over(void* memory) {
    OwnLock& self = *static_cast<OwnLock*>(memory);
    return self.is_held() || self.until_.patience().over();
  }

  UntilTerminated until_;
  Guard* const guard_;
  const uint32_t* const is_held_;
  bool is_locked_ = false;
};

// copyGuarded(guard, isHeld, out, in): number; out[i] = in[i], with the guard locked. Returns its version, or -1.
Napi::Value copy_guarded(const Info& info) {
  Arguments args(info);
  const Memory memory = memory_of(args, args.next(), "guard"), held = memory_of(args, args.next(), "isHeld");
  Buffer<Span> out, in;
  read_spans(args, out);
  read_spans(args, in);
  args.require(out.size() == in.size(), "there must be as many copies as originals");
  for (size_t i = 0; i < in.size() && !args.failed(); ++i) {
    args.require(out[i].kind == in[i].kind && out[i].length == in[i].length, "a copy must be like its original");
  }
  Guard* const guard = Guard::at(memory.data, memory.bytes);
  args.require(guard != nullptr && held.bytes == sizeof(uint32_t), "guard must have two numbers, isHeld one");
  if (args.failed()) return args.undefined();
  OwnLock lock(info.Env(), guard, static_cast<const uint32_t*>(held.data));
  if (!lock.wait()) return Napi::Number::New(info.Env(), -1);
  const uint32_t version = guard->version();
  for (size_t i = 0; i < in.size(); ++i) {
    const size_t bytes = in[i].length * (in[i].kind == Kind::kFloat32 || in[i].kind == Kind::kInt32 ? 4 : 8);
    if (bytes > 0) memcpy(out[i].data, in[i].data, bytes);
  }
  return Napi::Number::New(info.Env(), version);
}

// setThreadsHere(threads): of this thread alone; 0: as many as the process has
Napi::Value set_threads_of_this(const Info& info) {
  Arguments args(info);
  const size_t n = args.size("threads");
  if (!args.failed()) set_threads_here(n);
  return args.undefined();
}

}  // namespace

void export_meetings(Napi::Env env, Napi::Object exports) {
  add<meeting_bytes>(env, exports, "meetingBytes");
  add<make_meeting>(env, exports, "makeMeeting");
  add<join_meeting>(env, exports, "joinMeeting");
  add<meeting_exchange>(env, exports, "meetingExchange");
  add<break_meeting>(env, exports, "breakMeeting");
  add<meeting_reason>(env, exports, "meetingReason");
  add<meet_others>(env, exports, "meet");
  add<wait_for_step>(env, exports, "waitForStep");
  add<accumulate>(env, exports, "accumulate");
  add<copy_guarded>(env, exports, "copyGuarded");
  add<set_threads_of_this>(env, exports, "setThreadsHere");
}

}  // namespace gradstep
