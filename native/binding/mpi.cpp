// Ranks that are processes, by MPI: lib/native.ts says what each function takes.
#include "../mpi/world_exchange.h"

#include "../mpi/library.h"
#include "../mpi/search.h"
#include "../runtime/make.h"
#include "arguments.h"
#include "bindings.h"
#include "brought.h"
#include "environment.h"
#include "exchange.h"
#include "patience.h"

namespace gradstep {
namespace {

using Info = Napi::CallbackInfo;
using mpi::Call;
using mpi::World;

constexpr napi_type_tag kCallTag = {0x677261647374657, 0x6d70692063616c6c};

napi_value object_of(napi_env env, const World& world) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("rank", static_cast<double>(world.rank()));
  object.Set("size", static_cast<double>(world.size()));
  Napi::Array hosts = Napi::Array::New(env, world.size());
  for (uint32_t rank = 0; rank < world.size(); ++rank) hosts.Set(rank, world.host(rank));
  object.Set("hosts", hosts);
  if (const mpi::Library* const library = world.library()) {
    object.Set("family", mpi::name_of(library->family()));
    object.Set("version", library->version());
    object.Set("path", library->path());
  }
  return object;
}

class StartJob : public PromisedJob {
 public:
  explicit StartJob(mpi::Settings settings) : settings_(std::move(settings)) {}

  void run() override {
    world_ = World::start(settings_);
    problem_ = world_ == nullptr ? "the system refuses a thread for MPI" : world_->wait_for_start();
  }
  const char* failure() const override { return problem_.empty() ? nullptr : problem_.c_str(); }
  napi_status value(napi_env env, napi_value* value) const override {
    *value = object_of(env, *world_);
    return napi_ok;
  }

 private:
  const mpi::Settings settings_;
  World* world_ = nullptr;
  std::string problem_;
};

// mpiStart(held, library, warnAfter, timeout): Promise<object>
Napi::Value start(const Info& info) {
  Arguments args(info);
  const Napi::Value held = args.object("held");
  mpi::Settings settings;
  settings.library = args.string("library");
  settings.warn_after = args.size("warnAfter");
  settings.timeout = args.size("timeout");
  if (args.failed()) return args.undefined();
  Owned<StartJob> job = make_job<StartJob>(std::move(settings));
  if (job == nullptr) args.out_of_memory("MPI");
  return args.failed() ? args.undefined() : enqueued(info.Env(), std::move(job), held);
}

// mpiFind(library): string, what is wrong, or empty
Napi::Value find(const Info& info) {
  Arguments args(info);
  const std::string name = args.string("library");
  if (args.failed()) return args.undefined();
  std::string why;
  mpi::Library* const library = mpi::find_library(name, true, why);
  unmake(library);  // which stays open
  return Napi::String::New(info.Env(), why);
}

World* world_of(Arguments& args) {
  World* const world = World::current();
  if (world == nullptr || !world->has_started()) args.type_error("MPI has not been started in this process");
  return args.failed() ? nullptr : world;
}

// mpiWorld(): object | undefined
Napi::Value describe(const Info& info) {
  const World* const world = World::current();
  if (world == nullptr || !world->has_started() || world->is_over()) return {};
  return Napi::Value(info.Env(), object_of(info.Env(), *world));
}

// A call with the lists of its arrays.
struct Lists {
  Buffer<Span> in, out;
  Call call;
};

// (what, root, isMean, inOrder, terms, arrays, in, out)
World* read_call(Arguments& args, Lists& lists) {
  World* const world = world_of(args);
  const size_t what = args.size("what"), root = args.size("root");
  const bool is_mean = args.boolean("isMean");
  lists.call.in_order = args.boolean("inOrder");
  const size_t terms = args.size("terms"), arrays = args.size("arrays");
  read_spans(args, lists.in);
  read_spans(args, lists.out);
  args.require(world != nullptr && root < world->size() && what <= static_cast<size_t>(Collective::kBroadcast) &&
                   terms <= lists.in.size() + 1 && (terms == 0 || arrays <= lists.in.size()),
               "root must be below the number of ranks, and arrays must be as many as there are");
  if (args.failed()) return nullptr;
  lists.call.brought = {
      static_cast<Collective>(what), root, is_mean, terms, arrays, lists.out.size(), lists.in.data(), lists.out.data()};
  check_brought(args, lists.call.brought, world->rank(), lists.in);
  return args.failed() ? nullptr : world;
}

// 0 when the call was made, 1 when all were aborted; otherwise an error.
Napi::Value outcome_of(Arguments& args, const Call& call) {
  const uint32_t state = load(&call.state);
  if (state == Call::kUnfit) args.range_error(call.fault);
  if (state == Call::kFailed) Napi::Error::New(args.env(), call.fault).ThrowAsJavaScriptException();
  if (state != Call::kMade && state != Call::kAborted) return args.undefined();
  return Napi::Number::New(args.env(), state == Call::kMade ? 0 : 1);
}

// mpiCall(what, root, isMean, inOrder, terms, arrays, in, out): number
Napi::Value make_call(const Info& info) {
  Arguments args(info);
  Lists lists;
  World* const world = read_call(args, lists);
  if (world == nullptr) return args.undefined();
  world->enqueue(lists.call);
  UntilTerminated until(info.Env());
  world->wait(lists.call, until.patience());
  return outcome_of(args, lists.call);
}

bool at_once(void*) { return true; }

// A call that was begun. Its object stays until it is over, and the arrays with it: they are in `kept`.
struct Begun {
  Lists lists;
  World* world;
  napi_ref kept;

  void end() { world->wait(lists.call, {at_once, nullptr}); }
};

void end_with_environment(void* data) { static_cast<Begun*>(data)->end(); }

void forget_begun(napi_env env, void* data, void*) {
  Begun* const begun = static_cast<Begun*>(data);
  begun->end();
  napi_remove_env_cleanup_hook(env, end_with_environment, begun);
  if (begun->kept != nullptr) napi_delete_reference(env, begun->kept);
  unmake(begun);
}

Begun* begun_of(Arguments& args, napi_value object) {
  bool is_one = false;
  void* data = nullptr;
  if (napi_check_object_type_tag(args.env(), object, &kCallTag, &is_one) != napi_ok || !is_one ||
      napi_unwrap(args.env(), object, &data) != napi_ok) {
    args.type_error("call must be one that was begun");
    return nullptr;
  }
  return static_cast<Begun*>(data);
}

// mpiBegin(what, root, isMean, inOrder, terms, arrays, in, out, kept): object
Napi::Value begin_call(const Info& info) {
  Arguments args(info);
  Begun* const begun = make<Begun>();
  if (begun == nullptr) args.out_of_memory("a call");
  if (begun == nullptr) return args.undefined();
  begun->kept = nullptr;
  begun->world = read_call(args, begun->lists);
  const Napi::Value kept = args.object("kept");
  napi_value object = nullptr;
  const bool is_ready = !args.failed() && napi_create_reference(info.Env(), kept, 1, &begun->kept) == napi_ok &&
                        napi_create_object(info.Env(), &object) == napi_ok &&
                        napi_type_tag_object(info.Env(), object, &kCallTag) == napi_ok &&
                        napi_add_env_cleanup_hook(info.Env(), end_with_environment, begun) == napi_ok;
  // From here on it is the object's; a call that was not begun has nothing to end.
  begun->lists.call.state = is_ready ? Call::kPending : Call::kAborted;
  if (!is_ready || napi_wrap(info.Env(), object, begun, forget_begun, nullptr, nullptr) != napi_ok) {
    if (is_ready) napi_remove_env_cleanup_hook(info.Env(), end_with_environment, begun);
    if (begun->kept != nullptr) napi_delete_reference(info.Env(), begun->kept);
    unmake(begun);
    if (!args.failed()) args.out_of_memory("a call");
    return args.undefined();
  }
  begun->world->enqueue(begun->lists.call);
  return Napi::Value(info.Env(), object);
}

// mpiWait(call): number
Napi::Value wait_for_call(const Info& info) {
  Arguments args(info);
  Begun* const begun = begun_of(args, args.next());
  if (begun == nullptr) return args.undefined();
  UntilTerminated until(info.Env());
  begun->world->wait(begun->lists.call, until.patience());
  return outcome_of(args, begun->lists.call);
}

class WaitJob : public PromisedJob {
 public:
  explicit WaitJob(Begun* begun) : begun_(begun) {}

  void run() override { begun_->world->wait(begun_->lists.call, kEndless); }
  const char* failure() const override {
    const uint32_t state = load(&begun_->lists.call.state);
    return state == Call::kUnfit || state == Call::kFailed ? begun_->lists.call.fault.c_str() : nullptr;
  }
  bool is_range_error() const override { return load(&begun_->lists.call.state) == Call::kUnfit; }
  napi_status value(napi_env env, napi_value* value) const override {
    return napi_create_uint32(env, load(&begun_->lists.call.state) == Call::kMade ? 0 : 1, value);
  }

 private:
  Begun* begun_;
};

// mpiWhenMade(call): Promise<number>
Napi::Value when_made(const Info& info) {
  Arguments args(info);
  const Napi::Value object = args.next();
  Begun* const begun = begun_of(args, object);
  if (begun == nullptr) return args.undefined();
  Owned<WaitJob> job = make_job<WaitJob>(begun);
  if (job == nullptr) args.out_of_memory("a call");
  return args.failed() ? args.undefined() : enqueued(info.Env(), std::move(job), object);
}

// mpiReason(): [string, number]
Napi::Value reason(const Info& info) {
  Arguments args(info);
  World* const world = world_of(args);
  if (world == nullptr) return args.undefined();
  int ended = -1;
  const std::string why = world->reason(ended);
  Napi::Array both = Napi::Array::New(info.Env(), 2);
  both.Set(uint32_t{0}, why);
  both.Set(uint32_t{1}, static_cast<double>(ended));
  return both;
}

// mpiAbort(reason)
Napi::Value abort_calls(const Info& info) {
  Arguments args(info);
  World* const world = world_of(args);
  const std::string why = args.string("reason");
  if (!args.failed()) world->abort(why);
  return args.undefined();
}

class FinalizeJob : public PromisedJob {
 public:
  explicit FinalizeJob(World* world) : world_(world) {}
  void run() override { world_->finalize(kEndless); }

 private:
  World* world_;
};

// mpiFinalize(held): Promise<void>
Napi::Value finalize(const Info& info) {
  Arguments args(info);
  World* const world = world_of(args);
  const Napi::Value held = args.object("held");
  Owned<FinalizeJob> job = world == nullptr ? nullptr : make_job<FinalizeJob>(world);
  if (job == nullptr && !args.failed()) args.out_of_memory("the end of MPI");
  return args.failed() ? args.undefined() : enqueued(info.Env(), std::move(job), held);
}

// mpiEnd(): the same, at once
Napi::Value end(const Info& info) {
  Arguments args(info);
  World* const world = world_of(args);
  if (!args.failed()) world->finalize(kEndless);
  return args.undefined();
}

// mpiEndJob(why, code)
Napi::Value end_job(const Info& info) {
  Arguments args(info);
  World* const world = world_of(args);
  const std::string why = args.string("why");
  const size_t code = args.size("code");
  if (!args.failed()) world->end_job(why, static_cast<int>(code));
  return args.undefined();
}

// mpiExchange(inOrder): object
Napi::Value exchange(const Info& info) {
  Arguments args(info);
  World* const world = world_of(args);
  const bool in_order = args.boolean("inOrder");
  if (args.failed()) return args.undefined();
  auto* const made = make<mpi::WorldExchange>(*world);
  if (made != nullptr) made->set_in_order(in_order);
  const auto end = [](Exchange* ended) { unmake(static_cast<mpi::WorldExchange*>(ended)); };
  const napi_value object = made == nullptr ? nullptr : exchange_object(info.Env(), made, end, nullptr);
  if (object == nullptr) args.out_of_memory("an exchange");
  return object == nullptr ? args.undefined() : Napi::Value(info.Env(), object);
}

}  // namespace

void export_mpi(Napi::Env env, Napi::Object exports) {
  add<start>(env, exports, "mpiStart");
  add<find>(env, exports, "mpiFind");
  add<describe>(env, exports, "mpiWorld");
  add<make_call>(env, exports, "mpiCall");
  add<begin_call>(env, exports, "mpiBegin");
  add<wait_for_call>(env, exports, "mpiWait");
  add<when_made>(env, exports, "mpiWhenMade");
  add<reason>(env, exports, "mpiReason");
  add<abort_calls>(env, exports, "mpiAbort");
  add<finalize>(env, exports, "mpiFinalize");
  add<end>(env, exports, "mpiEnd");
  add<end_job>(env, exports, "mpiEndJob");
  add<exchange>(env, exports, "mpiExchange");
}

}  // namespace gradstep
