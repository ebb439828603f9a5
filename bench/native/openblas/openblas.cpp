// OpenBLAS as a side of the benches: looked up when it is asked for (Debian: libopenblas0), called in the same process.
// bench/addon.ts builds this addon on first use; it is no part of the package.
#include <dlfcn.h>
#include <node_api.h>
#include <stdlib.h>

#include <vector>

namespace {

constexpr int kRowMajor = 101, kNoTranspose = 111, kTranspose = 112;

void (*set_num_threads)(int);
void (*sgemm)(int order, int ta, int tb, int m, int n, int k, float alpha, const float* a, int lda, const float* b,
              int ldb, float beta, float* c, int ldc);

template <class F> bool find(void* library, const char* name, F*& function) {
  function = reinterpret_cast<F*>(dlsym(library, name));
  return function != nullptr;
}

// load(core): the name of the kernels it has chosen, or undefined where there is no library. An empty core leaves it
// the choice of its kernels.
napi_value load(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  char core[32] = "";
  napi_get_value_string_utf8(env, argument, core, sizeof core, nullptr);

  if (core[0]) setenv("OPENBLAS_CORETYPE", core, 1);
  void* library = dlopen("libopenblas.so.0", RTLD_NOW);
  unsetenv("OPENBLAS_CORETYPE");  // peers in other processes choose for themselves
  const char* (*corename)();
  if (!library || !find(library, "openblas_set_num_threads", set_num_threads) || !find(library, "cblas_sgemm", sgemm) ||
      !find(library, "openblas_get_corename", corename))
    return nullptr;

  // Until it has seen one big product, this library multiplies small ones at a third of its speed.
  const int n = 512;
  const std::vector<float> a(n * n, 1);
  std::vector<float> c(n * n);
  sgemm(kRowMajor, kNoTranspose, kNoTranspose, n, n, n, 1, a.data(), n, a.data(), n, 0, c.data(), n);

  napi_value name;
  napi_create_string_utf8(env, corename(), NAPI_AUTO_LENGTH, &name);
  return name;
}

// gemm(threads, out, a, b, m, n, k, transposeA, transposeB): out [m, n] = op(a) [m, k] op(b) [k, n]
napi_value gemm(napi_env env, napi_callback_info info) {
  size_t count = 9;
  napi_value arguments[9];
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  float* data[3];
  for (size_t i = 0; i < 3; ++i) {
    void* array = nullptr;
    napi_get_typedarray_info(env, arguments[1 + i], nullptr, nullptr, &array, nullptr, nullptr);
    data[i] = static_cast<float*>(array);
  }
  int threads = 1, m = 0, n = 0, k = 0;
  bool ta = false, tb = false;
  napi_get_value_int32(env, arguments[0], &threads);
  napi_get_value_int32(env, arguments[4], &m);
  napi_get_value_int32(env, arguments[5], &n);
  napi_get_value_int32(env, arguments[6], &k);
  napi_get_value_bool(env, arguments[7], &ta);
  napi_get_value_bool(env, arguments[8], &tb);

  static int threads_now = 0;
  if (threads != threads_now) set_num_threads(threads_now = threads);
  sgemm(kRowMajor, ta ? kTranspose : kNoTranspose, tb ? kTranspose : kNoTranspose, m, n, k, 1, data[1], ta ? m : k,
        data[2], tb ? k : n, 0, data[0], n);
  return nullptr;
}

void add(napi_env env, napi_value exports, const char* name, napi_callback callback) {
  napi_value function;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function);
  napi_set_named_property(env, exports, name, function);
}

}  // namespace

NAPI_MODULE_INIT() {
  add(env, exports, "load", load);
  add(env, exports, "gemm", gemm);
  return exports;
}
