#include "commit.h"

#include "addresses.h"
#include "bindings.h"
#include "patience.h"

namespace gradstep {
namespace {

// The table: guard's address (0: none), whether it is locked, the version it must have (-1: any), the version that it
// must be below (-1: any), the number of writes; then for each what it is, its address, a value.
enum Column { kGuard, kIsLocked, kExpected, kLimit, kWrites, kHeader };
enum Write { kDouble, kFloat, kAddToInt64, kWriteKinds };
constexpr size_t kWriteNumbers = 3;

bool is_address(double x) { return x >= 0 && x <= kMaxSafeInteger; }

}  // namespace

Commit::Commit(Arguments& args) : env_(args.env()) {
  if (args.next_is_undefined()) return;
  const Floats table = args.floats("commit", Format::float64);
  args.require(table.length >= kHeader, "commit must have its header");
  if (args.failed()) return;
  const double* const header = table.as<double>();
  const double writes = header[kWrites], limit = header[kLimit];
  args.require(is_address(header[kGuard]) && limit >= -1 && limit <= UINT32_MAX && writes >= 0 &&
                   writes <= static_cast<double>((table.length - kHeader) / kWriteNumbers),
               "commit must begin with an address, a limit and a count");
  if (args.failed()) return;
  writes_ = static_cast<size_t>(writes);
  for (size_t i = 0; i < writes_; ++i) {
    const double* const write = header + kHeader + i * kWriteNumbers;
    args.require(write[0] >= 0 && write[0] < kWriteKinds && is_address(write[1]) && write[1] > 0,
                 "commit must hold a kind, an address and a value for each write");
  }
  if (args.failed()) return;
  table_ = header;
  is_locked_ = header[kIsLocked] != 0;
  expected_ = header[kExpected];
  if (limit >= 0) limit_ = static_cast<uint32_t>(limit);
  if (header[kGuard] != 0) guard_ = static_cast<Guard*>(pointer_at(header[kGuard]));
}

Verdict Commit::begin() {
  UntilTerminated until(env_);
  if (is_locked_ && !guard_->lock(until.patience())) return Verdict::kImpatient;
  const bool is_stale = expected_ >= 0 && static_cast<double>(guard_->version()) != expected_;
  // Without the lock they are counted first: as many as there may be find a place.
  const bool has_place = is_locked_ ? guard_->version() < limit_ : guard_->count(limit_);
  if (!is_stale && has_place) return Verdict::kMade;
  if (is_locked_) guard_->unlock();
  return is_stale ? Verdict::kStale : Verdict::kOver;
}

void Commit::write() const {
  for (size_t i = 0; i < writes_; ++i) {
    const double* const write = table_ + kHeader + i * kWriteNumbers;
    void* const to = pointer_at(write[1]);
    switch (static_cast<Write>(static_cast<int>(write[0]))) {
      case kDouble: *static_cast<double*>(to) = write[2]; break;
      case kFloat: *static_cast<float*>(to) = static_cast<float>(write[2]); break;
      case kAddToInt64:
        __atomic_add_fetch(static_cast<int64_t*>(to), static_cast<int64_t>(write[2]), __ATOMIC_SEQ_CST);
        break;
      case kWriteKinds: break;
    }
  }
}

namespace {

// commit(commit): number, see Verdict
Napi::Value commit_alone(const Napi::CallbackInfo& info) {
  Arguments args(info);
  Commit commit(args);
  if (args.failed()) return args.undefined();
  return Napi::Number::New(info.Env(), static_cast<double>(commit.run([] { return true; })));
}

// addressOfShared(array): number; of any typed array
Napi::Value address_of_shared(const Napi::CallbackInfo& info) {
  napi_typedarray_type type;
  size_t length, offset;
  void* data = nullptr;
  napi_value buffer;
  Arguments args(info);
  if (napi_get_typedarray_info(info.Env(), args.next(), &type, &length, &data, &buffer, &offset) != napi_ok) {
    args.type_error("array must be a typed array");
    return args.undefined();
  }
  return Napi::Number::New(info.Env(), address_of(data));
}

}  // namespace

void export_commit(Napi::Env env, Napi::Object exports) {
  add<commit_alone>(env, exports, "commit");
  add<address_of_shared>(env, exports, "addressOfAny");
}

}  // namespace gradstep
