// The machine's own speed: plain loops that the compiler vectorises, which move the memory a kernel moves and compute
// next to nothing. bench/limit.ts builds this addon on first use, for the CPU at hand; it is no part of the package.
//
// Arrays are Float32Arrays of one length. Every function takes the number of threads first.
#include <node_api.h>
#include <stddef.h>

#include <cmath>
#include <thread>
#include <vector>

namespace {

struct Arrays {
  size_t count = 0, length = 0, threads = 1;
  float* data[6] = {};
};

// A new thread costs some 20 us: with more than one thread only large arrays tell the machine's speed.
template <class Loop> void split(const Arrays& a, Loop loop) {
  const size_t part = (a.length / a.threads + 15) / 16 * 16;
  std::vector<std::thread> others;
  for (size_t t = 1; t < a.threads; ++t) {
    const size_t begin = t * part, end = t + 1 == a.threads ? a.length : begin + part;
    if (begin < a.length) others.emplace_back(loop, begin, end < a.length ? end : a.length);
  }
  loop(0, part < a.length && a.threads > 1 ? part : a.length);
  for (std::thread& other : others) other.join();
}

volatile float sink;  // what is read must seem to be of use

// read(x): 1 read
void read(const Arrays& a) {
  split(a, [=](size_t begin, size_t end) {
    const float* __restrict x = a.data[0];
    constexpr size_t kSums = 64;  // enough of them in flight that reading, and not adding, takes the time
    float sums[kSums] = {};
    for (size_t i = begin; i + kSums <= end; i += kSums) {
      for (size_t k = 0; k < kSums; ++k) sums[k] += x[i + k];
    }
    for (float sum : sums) sink = sum;
  });
}

// copy(y, x): 1 read, 1 write
void copy(const Arrays& a) {
  split(a, [=](size_t begin, size_t end) {
    float* __restrict y = a.data[0];
    const float* __restrict x = a.data[1];
    for (size_t i = begin; i < end; ++i) y[i] = -x[i];  // not a plain copy: the compiler would call memcpy
  });
}

// update(g, w, slots...): reads all, writes all but g. A rule's w and slots make no difference here.
void update(const Arrays& a) {
  split(a, [=](size_t begin, size_t end) {
    const float* __restrict g = a.data[0];
    float* __restrict w = a.data[1], * __restrict s = a.data[2], * __restrict t = a.data[3], * __restrict u = a.data[4];
    switch (a.count) {
      case 2:
        for (size_t i = begin; i < end; ++i) w[i] += g[i];
        break;
      case 3:
        for (size_t i = begin; i < end; ++i) w[i] += g[i], s[i] += g[i];
        break;
      case 4:
        for (size_t i = begin; i < end; ++i) w[i] += g[i], s[i] += g[i], t[i] += g[i];
        break;
      case 5:
        for (size_t i = begin; i < end; ++i) w[i] += g[i], s[i] += g[i], t[i] += g[i], u[i] += g[i];
        break;
    }
  });
}

// lamb(g, w, m, v): a pass that reads all and writes m and v, one that reads w, m, v and writes w.
void lamb(const Arrays& a) {
  split(a, [=](size_t begin, size_t end) {
    const float* __restrict g = a.data[0];
    float* __restrict w = a.data[1], * __restrict m = a.data[2], * __restrict v = a.data[3];
    float sum = 0;
    for (size_t i = begin; i < end; ++i) sum += w[i], m[i] += g[i], v[i] += g[i];
    sink = sum;
  });
  split(a, [=](size_t begin, size_t end) {
    float* __restrict w = a.data[1], * __restrict m = a.data[2], * __restrict v = a.data[3];
    for (size_t i = begin; i < end; ++i) w[i] += m[i] - v[i];
  });
}

// lars(g, w, v): a pass that reads g and w, one that reads all and writes w and v.
void lars(const Arrays& a) {
  split(a, [=](size_t begin, size_t end) {
    const float* __restrict g = a.data[0], * __restrict w = a.data[1];
    float sum = 0;
    for (size_t i = begin; i < end; ++i) sum += w[i] + g[i];
    sink = sum;
  });
  split(a, [=](size_t begin, size_t end) {
    const float* __restrict g = a.data[0];
    float* __restrict w = a.data[1], * __restrict v = a.data[2];
    for (size_t i = begin; i < end; ++i) w[i] += g[i], v[i] += g[i];
  });
}

// divide(y, x, z): what Adam's rule asks of the unit that divides, and nothing else. In caches it is the limit.
void divide(const Arrays& a) {
  split(a, [=](size_t begin, size_t end) {
    float* __restrict y = a.data[0];
    const float* __restrict x = a.data[1], * __restrict z = a.data[2];
    for (size_t i = begin; i < end; ++i) y[i] = x[i] / std::sqrt(z[i]);
  });
}

// adam(g, w, m, v): the rule itself as the compiler vectorises it.
void adam(const Arrays& a) {
  split(a, [=](size_t begin, size_t end) {
    const float* __restrict g = a.data[0];
    float* __restrict w = a.data[1], * __restrict m = a.data[2], * __restrict v = a.data[3];
    for (size_t i = begin; i < end; ++i) {
      m[i] += (g[i] - m[i]) * 0.1f;
      v[i] += (g[i] * g[i] - v[i]) * 0.001f;
      w[i] -= m[i] * 1e-3f / (std::sqrt(v[i]) + 1e-8f);
    }
  });
}

template <void (*loop)(const Arrays&)> napi_value call(napi_env env, napi_callback_info info) {
  size_t count = 7;
  napi_value arguments[7];
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  Arrays a;
  uint32_t threads = 1;
  napi_get_value_uint32(env, arguments[0], &threads);
  a.threads = threads;
  for (size_t i = 1; i < count; ++i) {
    void* data = nullptr;
    napi_get_typedarray_info(env, arguments[i], nullptr, &a.length, &data, nullptr, nullptr);
    a.data[a.count++] = static_cast<float*>(data);
  }
  loop(a);
  return nullptr;
}

template <void (*loop)(const Arrays&)> void add(napi_env env, napi_value exports, const char* name) {
  napi_value function;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, call<loop>, nullptr, &function);
  napi_set_named_property(env, exports, name, function);
}

}  // namespace

NAPI_MODULE_INIT() {
  add<read>(env, exports, "read");
  add<copy>(env, exports, "copy");
  add<update>(env, exports, "update");
  add<lamb>(env, exports, "lamb");
  add<lars>(env, exports, "lars");
  add<divide>(env, exports, "divide");
  add<adam>(env, exports, "adam");
  return exports;
}
