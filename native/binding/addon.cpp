// Registration. Everything else in this folder checks arguments and calls a driver; no arithmetic here.
#include "../runtime/dispatch.h"
#include "../runtime/os/os.h"
#include "../runtime/pool.h"
#include "bindings.h"
#include "environment.h"

namespace gradstep {

namespace {

Napi::Object init(Napi::Env env, Napi::Object exports) {
  os::keep_library_loaded();
  for (const std::string& problem : {configure_isa_from_environment(), configure_threads_from_environment()}) {
    if (problem.empty()) continue;
    Napi::Error::New(env, problem).ThrowAsJavaScriptException();
    return exports;
  }
  if (!Environment::make(env)) {
    Napi::Error::New(env, "out of memory: what an environment keeps").ThrowAsJavaScriptException();
    return exports;
  }
  export_runtime(env, exports);
  export_ops(env, exports);
  export_gradients(env, exports);
  export_histograms(env, exports);
  export_optimizers(env, exports);
  export_program(env, exports);
  export_random(env, exports);
  export_tasks(env, exports);
  export_weak(env, exports);
  export_commit(env, exports);
  export_copies(env, exports);
  export_meetings(env, exports);
  export_mpi(env, exports);
  export_places(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(gradstep, init)

}  // namespace gradstep
