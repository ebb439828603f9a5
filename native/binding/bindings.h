// What each file of the binding adds to the addon's exports.
#pragma once
#include <napi.h>

namespace gradstep {

void export_commit(Napi::Env env, Napi::Object exports);
void export_copies(Napi::Env env, Napi::Object exports);
void export_gradients(Napi::Env env, Napi::Object exports);
void export_histograms(Napi::Env env, Napi::Object exports);
void export_meetings(Napi::Env env, Napi::Object exports);
void export_mpi(Napi::Env env, Napi::Object exports);
void export_ops(Napi::Env env, Napi::Object exports);
void export_optimizers(Napi::Env env, Napi::Object exports);
void export_places(Napi::Env env, Napi::Object exports);
void export_program(Napi::Env env, Napi::Object exports);
void export_random(Napi::Env env, Napi::Object exports);
void export_runtime(Napi::Env env, Napi::Object exports);
void export_tasks(Napi::Env env, Napi::Object exports);
void export_weak(Napi::Env env, Napi::Object exports);

template <Napi::Value (*function)(const Napi::CallbackInfo&)>
void add(Napi::Env env, Napi::Object exports, const char* name) {
  exports.Set(name, Napi::Function::New<function>(env, name));
}

Napi::Array names(Napi::Env env, const char* const* list, size_t count);

}  // namespace gradstep
