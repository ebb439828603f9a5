// The update rules and the steps made of them: lib/native.ts says how a step is written down.
#include "../drivers/laid_out_step.h"
#include "addresses.h"
#include "bindings.h"
#include "commit.h"
#include "environment.h"

namespace gradstep {
namespace {

using Info = Napi::CallbackInfo;

thread_local Update update;

// What a step with a commit returns, or throws.
Napi::Value verdict_of(Arguments& args, const Commit& commit, Verdict verdict) {
  if (verdict == Verdict::kFailed) args.out_of_memory("a step");
  if (args.failed() || !commit.is_given()) return args.undefined();
  return Napi::Number::New(args.env(), static_cast<double>(verdict));
}

// runStep(table, rows | undefined, commit | undefined): number | undefined, see Verdict
Napi::Value run_step(const Info& info) {
  Arguments args(info);
  Napi::Value result = args.undefined();
  if (read_update(args, update)) {
    Commit commit(args);
    if (!args.failed() && !update.prepare()) args.out_of_memory("a step");
    if (!args.failed()) {
      const Verdict verdict = commit.run([] {
        update.run();
        return true;
      });
      result = verdict_of(args, commit, verdict);
    }
  }
  update.clear();
  return result;
}

// stepBytes(rule, groups, variables): number
Napi::Value step_bytes(const Info& info) {
  Arguments args(info);
  const size_t rule = args.size("rule"), groups = args.size("groups"), variables = args.size("variables");
  args.require(rule < kRuleCount, "no such rule");
  if (args.failed()) return args.undefined();
  return Napi::Number::New(info.Env(), static_cast<double>(LaidOutStep::bytes_for(rule, groups, variables)));
}

struct Bytes {
  void* data = nullptr;
  size_t length = 0;
};

Bytes buffer_argument(Arguments& args) {
  Bytes bytes;
  const napi_status status = napi_get_arraybuffer_info(args.env(), args.next(), &bytes.data, &bytes.length);
  if (status != napi_ok) args.type_error("step must be an ArrayBuffer");
  return bytes;
}

// layOutStep(step: ArrayBuffer, table)
Napi::Value lay_out_step(const Info& info) {
  Arguments args(info);
  const Bytes bytes = buffer_argument(args);
  if (!args.failed()) read_layout(args, bytes.data, bytes.length);
  return args.undefined();
}

// runLaidOutStep(step: ArrayBuffer, commit | undefined): number | undefined, see Verdict
Napi::Value run_laid_out_step(const Info& info) {
  Arguments args(info);
  const Bytes bytes = buffer_argument(args);
  if (args.failed()) return args.undefined();
  LaidOutStep* const step = LaidOutStep::at(bytes.data, bytes.length);
  if (step == nullptr) args.type_error("step must have been laid out");
  Commit commit(args);
  if (args.failed()) return args.undefined();
  const Verdict verdict = commit.run([step] { return step->run(); });
  return verdict_of(args, commit, verdict);
}

class StepJob : public PromisedJob {
 public:
  void run() override {
    found_memory_ = update.prepare();
    if (found_memory_) update.run();
  }
  const char* failure() const override { return found_memory_ ? nullptr : "out of memory: a step"; }

  Update update;

 private:
  bool found_memory_ = false;
};

// runStepAsync(held, table, rows | undefined): Promise<void>
Napi::Value run_step_async(const Info& info) {
  Arguments args(info);
  const Napi::Value held = args.object("held");
  Owned<StepJob> job = make_job<StepJob>();
  if (job == nullptr) args.out_of_memory("a step");
  if (args.failed() || !read_update(args, job->update)) return args.undefined();
  return enqueued(info.Env(), std::move(job), held);
}

class LaidOutStepJob : public PromisedJob {
 public:
  explicit LaidOutStepJob(LaidOutStep* step) : step_(step) {}
  void run() override { found_memory_ = step_->run(); }
  const char* failure() const override { return found_memory_ ? nullptr : "out of memory: a step"; }

 private:
  LaidOutStep* const step_;
  bool found_memory_ = false;
};

// runLaidOutStepAsync(held, step: ArrayBuffer): Promise<void>
Napi::Value run_laid_out_step_async(const Info& info) {
  Arguments args(info);
  const Napi::Value held = args.object("held");
  const Bytes bytes = buffer_argument(args);
  if (args.failed()) return args.undefined();
  LaidOutStep* const step = LaidOutStep::at(bytes.data, bytes.length);
  if (step == nullptr) return args.type_error("step must have been laid out"), args.undefined();
  Owned<LaidOutStepJob> job = make_job<LaidOutStepJob>(step);
  if (job == nullptr) return args.out_of_memory("a step"), args.undefined();
  return enqueued(info.Env(), std::move(job), held);
}

}  // namespace

void export_optimizers(Napi::Env env, Napi::Object exports) {
  Napi::Array rules = Napi::Array::New(env, kRuleCount);
  for (uint32_t i = 0; i < kRuleCount; ++i) {
    const Rule& rule = scalar::kTable.rules[i];
    Napi::Object entry = Napi::Object::New(env);
    entry.Set("id", static_cast<double>(i));
    entry.Set("name", rule.name);
    entry.Set("slots", names(env, rule.slots, rule.slot_count));
    entry.Set("hyper", names(env, rule.hyper, rule.hyper_count));
    rules.Set(i, entry);
  }
  exports.Set("rules", rules);
  add<run_step>(env, exports, "runStep");
  add<step_bytes>(env, exports, "stepBytes");
  add<lay_out_step>(env, exports, "layOutStep");
  add<run_laid_out_step>(env, exports, "runLaidOutStep");
  add<run_step_async>(env, exports, "runStepAsync");
  add<run_laid_out_step_async>(env, exports, "runLaidOutStepAsync");
}

}  // namespace gradstep
